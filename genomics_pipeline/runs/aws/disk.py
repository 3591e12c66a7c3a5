"""The disk that jobs need on AWS, by the sizes of the files that a run is given, against what their step declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.pipeline import GIVEN_GVCFS, GVCF, READS, Pipeline
from genomics_pipeline.model.sample import AS_ALIGNED, Lane, Sample
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.runs.given_files import RequiredFile, reads

GIB = 1 << 30
UNEVEN = 2  # times as much as its share of the genome is the most that a part of a gVCF has, by depth and variants
_AS_ALIGNED = "as_aligned"  # the key of step.toml
_ADVICE = (
    "give FASTQ files, which are streamed, or, with `start`, alignments to this reference; "
    "or raise disk_gib in step.toml and `deploy`"
)


def disk_problems(
    samples: Iterable[Sample], pipeline: Pipeline, sizes: Mapping[str, int], sheet: str
) -> Iterator[tuple[RequiredFile, Problem]]:
    """Yield the first file of each sample whose files need more disk than a job of their step has, with the problem.

    Args:
        samples: The samples.
        pipeline: The pipeline.
        sizes: The size in bytes of each file by its URI; others are not counted.
        sheet: The path or URI of the sheet, for messages.
    """
    specs = [
        (stage.step, stage.step.inputs[name])
        for stage in pipeline.stages
        for name, source in stage.inputs.items()
        if source == READS
    ]
    for sample in samples:
        for step, spec in specs:
            need = ceil(sum(_scratch_bytes(lane, spec, sizes) for lane in sample.lanes) / GIB)
            if need > step.resources.disk_gib:
                given = sum(sizes.get(uri, 0) for lane in sample.lanes for _, uri in lane.files)
                expected = f"expected reads that {step.name} needs at most {step.resources.disk_gib} GiB of disk for"
                found = f"found {given / GIB:.0f} GiB, which may need {need}"
                file = next(reads([sample]))
                message = f"sample {sample.sample}: {expected} (disk_gib), {found}; {_ADVICE}"
                yield file, Problem(message, sheet, file.line, file.column)


def gvcf_disk_problems(
    pipeline: Pipeline, sizes: Sequence[int], genome_bp: int, sheet: str | None
) -> Iterator[Problem]:
    """Yield a problem for each stage whose jobs need more disk for the given gVCFs than they have.

    A job over an interval has the whole of each file, or of a ranged input the part of the interval.

    Args:
        pipeline: The pipeline.
        sizes: The size of each gVCF in bytes.
        genome_bp: The length of the reference.
        sheet: The path or URI of the sheet, for messages.
    """
    for stage in pipeline.stages:
        for name, source in stage.inputs.items():
            spec, declared = stage.step.inputs[name], stage.step.resources.disk_gib
            if spec.type != "files" or not (source == GIVEN_GVCFS or source.partition(".")[2] == GVCF):
                continue
            span_bp = pipeline.maps["interval"].interval_size_bp + 2 * spec.margin_bp
            share = min(UNEVEN * span_bp / genome_bp, 1) if spec.ranged else 1
            need = ceil(sum(sizes) * share / GIB)
            if need > declared:
                expected = f"{stage.name}: expected gVCFs that need at most {declared} GiB of a job's disk (disk_gib)"
                found = f"found {len(sizes)} of {sum(sizes) / GIB:.0f} GiB, of which it may need {need}"
                shorter = "lower interval_size_bp in [maps.interval] of the pipeline, or " if spec.ranged else ""
                yield Problem(f"{expected}, {found}; {shorter}raise disk_gib in step.toml and `deploy`", sheet)


def _scratch_bytes(lane: Lane, spec: InputSpec, sizes: Mapping[str, int]) -> float:
    """Return the disk in bytes that the files of a lane need at most."""
    total = 0.0
    for column, uri in lane.files:
        kind = _AS_ALIGNED if lane.start == AS_ALIGNED else column.partition("_")[0]
        total += spec.scratch_per_byte.get(kind, 0) * sizes.get(uri, 0)
    return total
