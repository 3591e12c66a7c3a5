"""The phases of an execution on one machine, as a plan expects them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genomics_pipeline.engine.tasks.shares import JobNeeds
from genomics_pipeline.planning.resource_model import STEP_DEVIATION


@dataclass(frozen=True, slots=True)
class LocalStage:
    """A stage on a machine.

    Attributes:
        stage: Its name.
        needs: The needs of a job.
        seconds: Returns the duration of the job of a child, by the child's index and the job's cores.
        deviation: See `TaskEstimate.deviation`.
    """

    stage: str
    needs: JobNeeds
    seconds: Callable[[int, int], float]
    deviation: float = STEP_DEVIATION


@dataclass(frozen=True, slots=True)
class LocalPhase:
    """A state of the execution: a Distributed Map, or the Task of a cohort stage, which has one child.

    Attributes:
        label: The Label of the Map, or the name of the stage.
        stages: The stages of a child, in order.
        children: The number of children.
        max_concurrency: The most children at a time.
    """

    label: str
    stages: Sequence[LocalStage]
    children: int
    max_concurrency: int
