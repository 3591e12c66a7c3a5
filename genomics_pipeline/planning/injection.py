"""Injected faults in a plan: the file of `run --inject` selects the tasks, whose simulated jobs then fail.

An attempt that a fault ends lasts a part of its time, any with the same chance: a plan knows no better moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.faults import Fault, Faults
from genomics_pipeline.planning.scripts import MOST_LOST, SUCCEEDS, TaskScript
from genomics_pipeline.planning.workload import StageWork

LOST = (FailureClass.HOST_LOST, FailureClass.IMAGE)  # which Batch retries
FINAL = (FailureClass.BAD_INPUT, FailureClass.TOOL_ERROR)  # in a plan, for good
SIMULATED = (*LOST, *FINAL, FailureClass.OUT_OF_MEMORY, FailureClass.THROTTLED)


@dataclass(frozen=True, slots=True)
class InjectedStage:
    """The faults of a stage's tasks.

    Attributes:
        scripts: The scripts of the tasks of which a job fails, by index.
        refused: How often the submission of a task's first job is refused, by index.
    """

    scripts: Mapping[int, TaskScript]
    refused: Mapping[int, int]


def check_faults(faults: Faults) -> None:
    """Refuse faults that a plan does not simulate.

    Raises:
        DataError: with all problems.
    """
    problems = [Problem(f"fault {one.number}: {message}", faults.file) for one in faults.faults for message in _of(one)]
    if problems:
        raise DataError(problems)


def _of(fault: Fault) -> Iterator[str]:
    if fault.kind not in SIMULATED:
        yield f"expected a class that a plan simulates: {', '.join(sorted(SIMULATED))}; found {fault.kind}"
    elif fault.kind == FailureClass.THROTTLED and fault.times is None:
        yield "expected times: a job that is always refused never starts; found always"


def inject(faults: Faults | None, work: StageWork, tasks: int, drawn: Mapping[int, TaskScript]) -> InjectedStage:
    """Return the scripts of a stage's tasks with injected faults.

    Args:
        faults: The faults; None for none.
        work: The stage.
        tasks: The number of its tasks.
        drawn: The scripts by chance.
    """
    scripts, refused = dict(drawn), dict[int, int]()
    if faults is None:
        return InjectedStage(scripts, refused)
    stage, declared = work.stage, work.stage.step.resources.memory_ladder
    own = {index: one.memory_ladder(stage.step) for one in work.groups if one.first_attempt for index in one.tasks}
    for index in range(tasks):
        ladder = own.get(index, declared)
        for fault in faults.of(stage.name, stage.scope, str(index)):
            before = scripts.get(index, SUCCEEDS)
            if fault.kind == FailureClass.THROTTLED:
                refused[index] = refused.get(index, 0) + (fault.times or 0)
            elif fault.kind in LOST:
                lost = min(MOST_LOST, before.hosts_lost + (fault.times or MOST_LOST))
                scripts[index] = replace(before, hosts_lost=lost)
            elif fault.kind == FailureClass.OUT_OF_MEMORY:
                below = len(ladder) if fault.below_mib is None else int(np.searchsorted(ladder, fault.below_mib))
                kills = min(len(ladder), fault.times or below)
                rungs = len(ladder) if kills and index in own else before.rungs
                scripts[index] = replace(before, out_of_memory=max(before.out_of_memory, kills), rungs=rungs)
            else:
                scripts[index] = replace(before, fails=True)
    return InjectedStage(dict(sorted(scripts.items())), refused)
