"""The sizes of tasks that an earlier run had: exact where a plan has the same tasks of the same inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.model.pipeline import EARLIER_PACKED, GIVEN_GVCFS, READS, REFERENCE, Pipeline, Stage

COHORT = "cohort"  # the item of a stage that runs once
NOT_MADE = (READS, REFERENCE, EARLIER_PACKED)  # sources that no stage makes, and that a plan knows


@dataclass(frozen=True, slots=True)
class RecordedTask:
    """The sizes of one task of an earlier run.

    Attributes:
        input_bytes: What it read, without the reference.
        outputs: The size of each output, with its indexes.
    """

    input_bytes: int
    outputs: Mapping[str, int]

    @property
    def output_bytes(self) -> int:
        """The size of all outputs."""
        return sum(self.outputs.values())


@dataclass(frozen=True, slots=True)
class RecordedTasks:
    """The tasks of earlier runs that had the step and the parameters of a plan.

    Attributes:
        tasks: The tasks by stage and item; over intervals and the cohort, those of runs of the same samples only.
        samples: The names of the plan's samples, in the order of their sizes; none where they have no names.
    """

    tasks: Mapping[str, Mapping[str, RecordedTask]] = field(default_factory=dict)
    samples: Sequence[str] = ()

    def of_stage(
        self,
        pipeline: Pipeline,
        stage: Stage,
        sample_bytes: Sequence[int],
        intervals: int,
        known: Mapping[str, Sequence[RecordedTask | None]],
    ) -> list[RecordedTask | None]:
        """Return the task of each item of a stage; None where no record is of the same inputs.

        A task over a sample has the inputs of an earlier one if its reads have the same size, or all that its inputs
        come from is recorded. One over an interval or the cohort needs all tasks that its inputs come from.

        Args:
            pipeline: The pipeline.
            stage: The stage.
            sample_bytes: The size of the reads of each sample.
            intervals: The number of intervals.
            known: The tasks of each earlier stage.
        """
        items = {"sample": self.samples, "interval": [f"{n:05d}" for n in range(intervals)]}.get(stage.scope, [COHORT])
        if not self.samples or len(self.samples) != len(sample_bytes):
            return [None] * {"sample": len(sample_bytes), "interval": intervals}.get(stage.scope, 1)
        found: list[RecordedTask | None] = [self.tasks.get(stage.name, {}).get(item) for item in items]
        scopes = {one.name: one.scope for one in pipeline.stages}
        for source in stage.inputs.values():
            maker = source.partition(".")[0]
            if source == READS:
                sizes = zip(found, sample_bytes, strict=True)
                found = [one if one is not None and one.input_bytes == size else None for one, size in sizes]
            elif source == GIVEN_GVCFS:
                return [None] * len(found)
            elif source not in NOT_MADE and scopes[maker] == stage.scope:
                found = [one if before else None for one, before in zip(found, known[maker], strict=True)]
            elif source not in NOT_MADE and None in known[maker]:
                return [None] * len(found)
        return found
