"""The tasks of earlier runs on this machine: where they are kept, and which of them tell something of a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from genomics_pipeline.model.parameters import Value, resolve
from genomics_pipeline.model.pipeline import Stage
from genomics_pipeline.model.run_options import SUBSAMPLE
from genomics_pipeline.planning.history.observation import FORMAT
from genomics_pipeline.records.machine_tasks import MachineTask, read_machine_tasks, tasks_file
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.worker.machine import machine_name

OF_SIZES = frozenset({FORMAT, SUBSAMPLE.name})  # parameters whose effect on a task's time is that of its sizes


def machine_tasks_file(cache: Path) -> Path:
    """Return the file of the tasks of this machine in a user's cache."""
    return tasks_file(cache, machine_name())


def tasks_like(planned: RunInputs, cache: Path) -> list[MachineTask]:
    """Return the tasks of this machine that had the steps, versions and parameters of a run.

    Args:
        planned: The run.
        cache: The user's cache folder.
    """
    wanted = {_key(stage, _parameters(planned, stage)) for stage in planned.stages_that_run.stages}
    tasks = read_machine_tasks(machine_tasks_file(cache))
    return [one for one in tasks if (one.step, one.version, one.parameters) in wanted]


def parameters_digest(parameters: Mapping[str, Value]) -> str:
    """Return a digest of the parameters that the time of a task may depend on, whatever its sizes.

    Args:
        parameters: All parameters of the task, with defaults.
    """
    counted = {name: value for name, value in parameters.items() if name not in OF_SIZES}
    return sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]


def _key(stage: Stage, parameters: Mapping[str, Value]) -> tuple[str, str, str]:
    return stage.step.name, stage.step.version, parameters_digest(parameters)


def _parameters(planned: RunInputs, stage: Stage) -> Mapping[str, Value]:
    own: Iterable[Mapping[str, Value]] = (
        planned.pipeline.parameters.get(stage.name, {}),
        planned.overrides.get(stage.name, {}),
    )
    return resolve(stage.step.parameters, {name: value for one in own for name, value in one.items()})
