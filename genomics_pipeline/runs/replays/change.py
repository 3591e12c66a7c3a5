"""The part of a task that a replay is limited to: a share of the reads, or a region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.run_options import REGIONS, SUBSAMPLE
from genomics_pipeline.runs.replays.request import ReplayRegion, parse_region
from genomics_pipeline.runs.replays.target import ReplayTarget


@dataclass(frozen=True, slots=True)
class ReplayedPart:
    """A part of a task.

    Attributes:
        first: The first stage that runs: the stage itself, or an earlier one that takes a share of the reads.
        overrides: The parameters that the replay changes, by stage.
        regions: The regions of the interval; None for its own.
        bed: The content of the BED file that stands for `BED` in the overrides; None without one.
        words: What is left out, for people; empty for nothing.
    """

    first: str
    overrides: Mapping[str, Mapping[str, Value]]
    regions: tuple[str, ...] | None = None
    bed: str | None = None
    words: tuple[str, ...] = ()

    def input(self, own: ExecutionInput, bed: Path) -> ExecutionInput:
        """Return the input of the run's execution with what the replay changes.

        Args:
            own: The input of the run's execution.
            bed: The path of the BED file.
        """
        parameters = {stage: dict(values) for stage, values in own.parameters.items()}
        for stage, values in self.overrides.items():
            parameters.setdefault(stage, {}).update(values)
        if self.bed is not None:
            (stage,) = (name for name, values in self.overrides.items() if REGIONS.name in values)
            parameters[stage][REGIONS.name] = str(bed)
        return replace(own, parameters=parameters)

    def item(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return an item of the run with the regions that the replay has."""
        return {**own, **({"regions": list(self.regions)} if self.regions is not None else {})}


def replayed_part(
    pipeline: Pipeline,
    target: ReplayTarget,
    subsample: str | None,
    region: ReplayRegion | None,
    item: Mapping[str, Any],
) -> ReplayedPart:
    """Return the part of a task that a replay is limited to.

    Args:
        pipeline: The pipeline.
        target: The task.
        subsample: The share of the reads, as text; None for all.
        region: The region; None for no limit.
        item: The item.

    Raises:
        UsageError: for a share or a region that the task cannot be limited to.
    """
    first, overrides, words = target.stage, dict[str, dict[str, Value]](), list[str]()
    if subsample is not None:
        over = [*target.earlier, target.stage]
        taken = SUBSAMPLE.overrides(subsample, _only(pipeline, over, target, "subsample"), "")
        first = next(stage for stage in over if stage in taken)
        overrides |= taken
        again = f", aligned again from {first} on" if first != target.stage else ""
        words.append(f"reads: {subsample} of them{again}")
    if region is None:
        return ReplayedPart(first, overrides, words=tuple(words))
    words.append(f"region: {region} only")
    if target.scope == "interval":
        own = [one for text in item.get("regions", ()) if (one := parse_region(text))]
        if not any(region.is_within(one) for one in own):
            raise UsageError(
                f"--region {region}: expected a part of {', '.join(map(str, own))}, {target.item}'s regions"
            )
        return ReplayedPart(first, overrides, regions=(str(region),), words=tuple(words))
    stage = next(iter(_only(pipeline, [target.stage], target, "region").stages))
    if not REGIONS.is_taken(stage):
        raise UsageError(f"--region: expected a step with a parameter `{REGIONS.name}`, found {stage.step.name}")
    overrides.setdefault(stage.name, {})[REGIONS.name] = ""
    bed = f"{region.contig}\t{region.start - 1}\t{region.end}\n"
    return ReplayedPart(first, overrides, bed=bed, words=tuple(words))


def _only(pipeline: Pipeline, stages: list[str], target: ReplayTarget, option: str) -> Pipeline:
    """Return the pipeline with some stages of a sample.

    Raises:
        UsageError: for a task over other items.
    """
    if target.scope != "sample":
        raise UsageError(f"--{option}: expected a stage of a sample, found {target.stage} of the {target.scope}")
    return replace(pipeline, stages=tuple(one for one in pipeline.stages if one.name in stages))
