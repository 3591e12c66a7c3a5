"""The differences of two runs, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.provenance import Difference
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.planned_tasks import item_names
from genomics_pipeline.report.variant_differences import VariantDifferences

SHOWN = 20  # metrics, and samples with other variants, that a table shows


@dataclass(frozen=True, slots=True)
class StageDifference:
    """A difference of what a stage ran with, and the items of which it is true."""

    stage: str
    difference: Difference
    items: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``diff --json`` prints."""
        return {"stage": self.stage, **self.difference.to_json(), "items": list(self.items)}


@dataclass(frozen=True, slots=True)
class Versions:
    """The values of two runs that differ, by a name: None where a run has none."""

    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of an item that differs.

    Attributes:
        item: The item.
        stage: The stage.
        name: The metric.
        values: The values in both runs; None where a run has none.
    """

    item: str
    stage: str
    name: str
    values: tuple[Any, Any]

    @property
    def change(self) -> float | None:
        """The second value less the first; None unless both are numbers."""
        first, second = self.values
        if any(isinstance(one, bool) or not isinstance(one, int | float) for one in self.values):
            return None
        return float(round(second - first, 6))

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``diff --json`` prints."""
        first, second = self.values
        place = {"item": self.item, "stage": self.stage, "metric": self.name}
        return {**place, "first": first, "second": second, "change": self.change}


@dataclass(frozen=True, slots=True)
class OtherOutputs:
    """The items of which an output of a stage differs, or is made by one run only."""

    name: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunDifferences:
    """The differences of two runs.

    Attributes:
        runs: The places of the runs.
        versions: The pipeline, the reference, the images and the tools that differ.
        only: The items that only the first run has done, and those that only the second has, by stage.
        samples: The samples that only the first run has, and those that only the second has.
        stages: What differs of that with which stages ran.
        metrics: The metrics that differ.
        outputs: The outputs that differ.
        variants: The variants that differ.
    """

    runs: tuple[str, str]
    versions: Sequence[Versions]
    samples: tuple[Sequence[str], Sequence[str]]
    only: tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]
    stages: Sequence[StageDifference]
    metrics: Sequence[MetricDifference]
    outputs: Sequence[OtherOutputs]
    variants: VariantDifferences

    @property
    def is_equal(self) -> bool:
        """True if nothing differs."""
        some = (self.versions, *self.samples, *self.only, self.stages, self.metrics, self.outputs)
        return not any(some) and not self.variants.samples

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``diff --json`` prints."""
        return {
            "runs": list(self.runs),
            "equal": self.is_equal,
            "versions": [{"name": one.name, "first": one.first, "second": one.second} for one in self.versions],
            "samples": {"only_first": list(self.samples[0]), "only_second": list(self.samples[1])},
            "done": {"only_first": dict(self.only[0]), "only_second": dict(self.only[1])},
            "stages": [one.to_json() for one in self.stages],
            "metrics": [one.to_json() for one in self.metrics],
            "outputs": {one.name: list(one.items) for one in self.outputs},
            "genotypes": self.variants.to_json(),
        }


def difference_lines(found: RunDifferences) -> Iterator[str]:
    """Yield the lines of a table: a heading and a line for each difference, the verdict last."""
    first, second = found.runs
    yield from _section("Runs", [f"A  {first}", f"B  {second}"])
    yield from _section(
        "Versions", [f"{one.name}  {one.first or '-'} -> {one.second or '-'}" for one in found.versions]
    )
    yield from _section("Samples", list(_only(found)))
    yield from _section("Stages", [f"{one.stage} of {item_names(one.items)}: {one.difference}" for one in found.stages])
    yield from _section("Outputs", [f"{one.name} of {item_names(one.items)}" for one in found.outputs])
    yield from _section("Metrics", _cut([_metric(one) for one in found.metrics]))
    yield from _section("Variants", _cut(list(_variants(found.variants))))
    yield "the runs are equal" if found.is_equal else "the runs differ"


def _section(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield heading
        yield from (f"  {line}" for line in lines)


def _cut(lines: list[str]) -> list[str]:
    hidden = len(lines) - SHOWN
    return lines if hidden <= 0 else [*lines[:SHOWN], f"and {hidden:,} more; --json lists them"]


def _only(found: RunDifferences) -> Iterator[str]:
    for run, samples, stages in zip("AB", found.samples, found.only, strict=True):
        if samples:
            yield f"only in {run}: {item_names(samples)}"
        yield from (f"{stage} done only in {run}: {item_names(items)}" for stage, items in stages.items())


def _metric(one: MetricDifference) -> str:
    first, second = ("-" if value is None else value for value in one.values)
    change = "" if one.change is None else f" ({one.change:+,g})"
    return f"{one.item} {one.stage}.{one.name}  {first} -> {second}{change}"


def _variants(found: VariantDifferences) -> Iterator[str]:
    for name, counts in found.samples.items():
        alleles = quantity(counts.only_first, "allele", ",")
        yield (
            f"{name}  {alleles} only in A, {counts.only_second:,} only in B, "
            f"{counts.other_genotype:,} with other genotypes"
        )
    yield from (f"example, copies in A and B: {one}" for one in found.examples)
