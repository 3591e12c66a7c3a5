"""Runs on a real Slurm cluster with accounting, limits on users and memory held by cgroups."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from tests.patience import PATIENCE_S
from tests.slurm.conftest import SlurmProject, until

Samples = Callable[..., SlurmProject]


def state_of(project: SlurmProject, job: str) -> str:
    """Return the last state of a job in the accounting, which learns of it some time after the controller."""
    deadline, query = time.monotonic() + PATIENCE_S, ("-n", "-P", "-X", "--format=State", f"--jobs={job}")
    while (state := project.cluster.slurm("sacct", *query).strip()) in ("", "PENDING", "RUNNING"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return state


def test_memory_beyond_the_limit_of_the_cgroup_is_out_of_memory(accounted_samples: Samples) -> None:
    project = accounted_samples("memory")
    code, said = project.finish(project.start())
    assert code == 1
    assert project.failures() == {"memory": "out_of_memory"}, said
    assert state_of(project, project.starts("memory")[0][0]) == "OUT_OF_MEMORY"


def test_jobs_that_the_controller_has_forgotten_are_in_the_accounting(accounted_samples: Samples) -> None:
    project = accounted_samples("wait-cancelled")
    head = project.start()
    until(lambda: project.starts("wait-cancelled"), head)
    ((job, _),) = project.starts("wait-cancelled")
    head.send_signal(signal.SIGKILL)
    head.communicate()
    project.cluster.slurm("scancel", job)
    deadline = time.monotonic() + PATIENCE_S
    while job in project.cluster.slurm("squeue", "--states=all", "--array", "-h", "-o", "%i").split():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    code, said = project.finish(project.start("--resume"))
    assert code == 1
    assert project.failures() == {"wait-cancelled": "cancelled"}, said
    assert len(project.starts("wait-cancelled")) == 1


def test_a_limit_on_the_number_of_jobs_makes_arrays_smaller_and_is_waited_for(accounted_samples: Samples) -> None:
    names = [f"sample{number}" for number in range(12)]
    project = accounted_samples(*names)
    code, said = project.finish(project.start("--slurm-qos", "few"))
    assert code == 0, said
    assert {name: len(project.starts(name)) for name in names} == dict.fromkeys(names, 1)
    assert "Slurm takes fewer jobs at once than 12; the run submits half of them" in said
