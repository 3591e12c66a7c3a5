"""The differences of two runs: versions, parameters, inputs, samples, outputs, metrics and variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError, RunError
from genomics_pipeline.model.provenance import Difference, differences
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.records.completion import CompletionRecord, OutputRecord
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.metrics import SAMPLES, parse_metrics
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_differences import (
    MetricDifference,
    OtherOutputs,
    RunDifferences,
    StageDifference,
    Versions,
)
from genomics_pipeline.report.variant_differences import VariantDifferences, compare_vcfs
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.checksum import file_sha256

Both = tuple[CompletionRecord, CompletionRecord]
VCF, GVCF = ".vcf.gz", ".g.vcf.gz"
COPIES = "genomics-pipeline-diff-"


def run_differences(first: ReadableRun, second: ReadableRun, examples: int) -> RunDifferences:
    """Return the differences of two runs.

    Args:
        first: A run.
        second: The other run.
        examples: The greatest number of variants that are named.

    Raises:
        RunError: for a run without a definition.
        DataError: for VCF files that cannot be compared.
    """
    pair = (first.files, second.files)
    found = _RecordDifferences()
    for stage, scope in _stages(pair).items():
        found.compare(stage, scope, pair)
    variants = VariantDifferences(examples)
    for one, two in found.vcfs():
        with TemporaryDirectory(prefix=COPIES) as folder, TemporaryDirectory(prefix=COPIES) as other:
            compare_vcfs(_local(pair[0], one, Path(folder)), _local(pair[1], two, Path(other)), variants)
    names = [list(files.items("sample")) for files in pair]
    return RunDifferences(
        runs=(first.files.shown, second.files.shown),
        versions=[*_run_versions(first, second), *found.tool_versions()],
        samples=_each_without(names[0], names[1]),
        only=(found.only[0], found.only[1]),
        stages=[StageDifference(stage, one, tuple(items)) for (stage, one), items in found.stages.items()],
        metrics=sorted(found.metrics, key=lambda one: (one.item, one.stage)),
        outputs=[OtherOutputs(name, tuple(items)) for name, items in found.outputs.items()],
        variants=variants,
    )


def _stages(pair: tuple[RunFiles, RunFiles]) -> dict[str, str]:
    """Return the scope of each stage of either run, in their order."""
    return {stage: group.scope for files in pair for group in files.groups() for stage in group.stages}


def _each_without(first: list[str], second: list[str]) -> tuple[list[str], list[str]]:
    """Return the names that only the first list has, and those that only the second has."""
    known = set(first), set(second)
    return [one for one in first if one not in known[1]], [one for one in second if one not in known[0]]


@dataclass(slots=True)
class _RecordDifferences:
    """The differences of completion records.

    Attributes:
        only: The items that only one run has done, by stage.
        stages: The items of each difference, by stage.
        tools: The versions of each tool in each run, by stage.
        outputs: The items of each output that differs.
        metrics: The metrics that differ.
        cohort_vcfs: The VCF files of the cohort that differ.
        sample_vcfs: Those of samples.
        has_joint: Whether both runs have a VCF of the cohort.
    """

    only: tuple[dict[str, list[str]], dict[str, list[str]]] = field(default_factory=lambda: ({}, {}))
    stages: dict[tuple[str, Difference], list[str]] = field(default_factory=dict)
    tools: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    metrics: list[MetricDifference] = field(default_factory=list)
    cohort_vcfs: list[tuple[OutputRecord, OutputRecord]] = field(default_factory=list)
    sample_vcfs: list[tuple[OutputRecord, OutputRecord]] = field(default_factory=list)
    has_joint: bool = False

    def compare(self, stage: str, scope: str, pair: tuple[RunFiles, RunFiles]) -> None:
        """Compare the records of a stage over all items that both runs have.

        Args:
            stage: The stage.
            scope: Its scope.
            pair: The files of the runs.
        """
        known = set(pair[1].items(scope))
        names = (name for name in pair[0].items(scope) if name in known)
        for name, records in in_parallel(lambda name: (name, [one.record(stage, name) for one in pair]), names):
            first, second = records
            if first is not None and second is not None:
                self._add(stage, name, scope, (first, second))
                self.metrics += _metrics(stage, name, (first, second), pair)
            for done, other, only in ((first, second, self.only[0]), (second, first, self.only[1])):
                if done is not None and other is None:
                    only.setdefault(stage, []).append(name)

    def _add(self, stage: str, item: str, scope: str, records: Both) -> None:
        first, second = records
        for one in differences(first.provenance, second.provenance):
            self.stages.setdefault((stage, one), []).append(item)
        for side, record in enumerate(records):
            for tool, version in record.tools.items():
                self.tools.setdefault(f"{stage}: {tool}", (set(), set()))[side].add(version)
        for name in {**first.outputs, **second.outputs}:
            one_output, other = first.outputs.get(name), second.outputs.get(name)
            both = None if one_output is None or other is None else (one_output, other)
            vcfs = both is not None and all(out.key.endswith(VCF) and not out.key.endswith(GVCF) for out in both)
            self.has_joint |= vcfs and scope == COHORT
            if both is not None and both[0].sha256 == both[1].sha256:
                continue
            self.outputs.setdefault(f"{stage}.{name}", []).append(item)
            if both is not None and vcfs and scope in (COHORT, "sample"):
                (self.cohort_vcfs if scope == COHORT else self.sample_vcfs).append(both)

    def vcfs(self) -> list[tuple[OutputRecord, OutputRecord]]:
        """Return the pairs of VCF files whose variants are compared: the first of the cohort, or those of samples."""
        return self.cohort_vcfs[:1] if self.has_joint else self.sample_vcfs

    def tool_versions(self) -> Iterator[Versions]:
        """Yield the tools of which the runs used other versions."""
        for name, (first, second) in self.tools.items():
            if first != second:
                yield Versions(name, ", ".join(sorted(first)) or None, ", ".join(sorted(second)) or None)


def _run_versions(first: ReadableRun, second: ReadableRun) -> Iterator[Versions]:
    """Yield the pipeline, the reference and the images that differ."""
    inputs = [read_input(run.files.store, run.files.place.uri(run_layout.INPUT)) for run in (first, second)]
    both: list[tuple[str, str | None, str | None]] = [
        ("pipeline", first.requested_pipeline, second.requested_pipeline),
        ("reference", inputs[0].reference, inputs[1].reference),
    ]
    images = [one.job_definitions for one in inputs]
    both += [(f"image of {step}", images[0].get(step), images[1].get(step)) for step in {**images[0], **images[1]}]
    yield from (Versions(*one) for one in both if one[1] != one[2])


def _metrics(stage: str, item: str, records: Both, pair: tuple[RunFiles, RunFiles]) -> Iterator[MetricDifference]:
    """Yield the metrics of an item that differ.

    Args:
        stage: The stage.
        item: The item.
        records: The records of both runs.
        pair: The files of the runs.
    """
    outputs = [record.outputs.get(METRICS) for record in records]
    if outputs[0] and outputs[1] and outputs[0].sha256 == outputs[1].sha256:
        return
    both = [_read_metrics(files, output) for files, output in zip(pair, outputs, strict=True)]
    of_samples = [one.get(SAMPLES, {}) for one in both]
    if all(
        isinstance(one, Mapping) for one in of_samples
    ):  # of samples that one run lacks, there is nothing to compare
        common = of_samples[0].keys() & of_samples[1].keys()
        both = [{**one, SAMPLES: {name: one[SAMPLES][name] for name in common}} if common else one for one in both]
    first, second = (dict(_flat("", one)) for one in both)
    for name in {**first, **second}:
        values = first.get(name), second.get(name)
        if values[0] != values[1]:
            yield MetricDifference(item, stage, name, values)


def _read_metrics(files: RunFiles, output: OutputRecord | None) -> Mapping[str, Any]:
    """Return the metrics in an output; none of a file that is gone or damaged by now."""
    if output is not None and output.key.endswith(".json"):
        with suppress(OSError, DataError):
            return parse_metrics(files.store.read(files.place.uri(output.key)))
    return {}


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the values of nested objects by their names with dots between them."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, member in value.items():
        yield from _flat(f"{name}.{key}" if name else key, member)


def _local(files: RunFiles, output: OutputRecord, folder: Path) -> Path:
    """Return a local copy of an output, or the output itself where it is local.

    Raises:
        RunError: if it differs from its record.
    """
    path = files.store.fetch(files.place.uri(output.key), folder)
    if (found := file_sha256(path)) != output.sha256:
        advice = f"make it again: {command_line('rerun', files.shown)}"
        shown = files.shown_key(output.key)
        raise RunError(f"{shown}: expected content with the sha256 {output.sha256}, found {found}; {advice}")
    return path
