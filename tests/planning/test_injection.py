"""Faults of a file, as scripts of the tasks of a plan."""

from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.faults import Fault, Faults
from genomics_pipeline.planning.injection import check_faults, inject
from genomics_pipeline.planning.scripts import MOST_LOST, TaskScript
from genomics_pipeline.planning.workload import StageWork
from genomics_pipeline.runs.catalog import load_pipeline

TASKS = 1000


def alignment() -> StageWork:
    pipeline, _ = load_pipeline("germline-single")
    return StageWork(pipeline.stages[0], "Sample", [], 0.0, 0.0)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(1, "host_lost", times=2), TaskScript(hosts_lost=2)),
        (Fault(1, "image", times=None), TaskScript(hosts_lost=MOST_LOST)),
        (Fault(1, "out_of_memory", times=None, below_mib=20_000), TaskScript(out_of_memory=1)),
        (Fault(1, "out_of_memory", times=2), TaskScript(out_of_memory=2)),
        (Fault(1, "out_of_memory", times=None), TaskScript(out_of_memory=3)),
        (Fault(1, "bad_input", "alignment", times=None), TaskScript(fails=True)),
    ],
)
def test_each_class_becomes_a_script(fault: Fault, expected: TaskScript) -> None:
    injected = inject(Faults("f", 1, (fault,)), alignment(), 3, {})
    assert injected.scripts == dict.fromkeys(range(3), expected)
    assert not injected.refused


def test_a_share_is_of_all_tasks_and_other_stages_have_none() -> None:
    share = Fault(1, "throttled", share=0.3, times=4)
    refused = inject(Faults("f", 1, (share,)), alignment(), TASKS, {}).refused
    assert set(refused.values()) == {4}
    assert 250 < len(refused) < 350
    other = Fault(1, "host_lost", "variant_calling")
    assert not inject(Faults("f", 1, (other,)), alignment(), 3, {}).scripts


def test_faults_add_to_chance() -> None:
    both = inject(Faults("f", 1, (Fault(1, "host_lost"),)), alignment(), 1, {0: TaskScript(1, 1)})
    assert both.scripts == {0: TaskScript(1, 2)}


def test_what_is_not_simulated_is_refused() -> None:
    faults = Faults("f.toml", 1, (Fault(1, "timeout"), Fault(2, "throttled", times=None), Fault(3, "engine_killed")))
    with pytest.raises(DataError) as raised:
        check_faults(faults)
    classes = "bad_input, host_lost, image, out_of_memory, throttled, tool_error"
    assert [str(problem) for problem in raised.value.problems] == [
        f"f.toml: fault 1: expected a class that a plan simulates: {classes}; found timeout",
        "f.toml: fault 2: expected times: a job that is always refused never starts; found always",
        f"f.toml: fault 3: expected a class that a plan simulates: {classes}; found engine_killed",
    ]
