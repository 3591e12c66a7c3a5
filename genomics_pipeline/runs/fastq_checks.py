"""Checks of the files of reads of a sample sheet by their beginnings, before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.runs.alignment_checks import alignment_files, header_problem
from genomics_pipeline.runs.fastq_head import read_head
from genomics_pipeline.runs.shared_modules import fastq_checks, fastq_head
from genomics_pipeline.stores.protocol import Store

Reading = fastq_checks.Reading
READING = ("read_layout", "quality_encoding")  # the parameters of a step that reads FASTQ files as these checks do


def reading_stage(pipeline: Pipeline) -> Stage | None:
    """Return the stage that reads FASTQ files as these checks do; None where all read them in another way."""
    return next((stage for stage in pipeline.stages if set(stage.step.parameters) >= set(READING)), None)


def stage_reading(stage: Stage, pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]) -> Reading:
    """Return how a stage reads FASTQ files.

    Args:
        stage: The stage, that of `reading_stage`.
        pipeline: Its pipeline.
        overrides: The overridden parameters by stage and name.
    """
    values = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
    return Reading(*(str(values.get(name, stage.step.parameters[name].default)) for name in READING))


def file_problems(samples: Iterable[Sample], store: Store, reading: Reading | None = None) -> Iterator[Problem]:
    """Yield the problems at the beginnings of the files of reads that a manifest names.

    Args:
        samples: The samples of the manifest.
        store: The store of the files.
        reading: How the files are to be read.
    """
    for sample in samples:
        for file in alignment_files([sample]):
            if message := header_problem(file, store):
                yield Problem(f"{file.user}: {message}", file.uri)
        yield from fastq_problems(sample, store, reading or Reading())


def fastq_problems(
    sample: Sample, store: Store, reading: Reading, records: int = fastq_checks.COMPARED_RECORDS
) -> Iterator[Problem]:
    """Yield the problems at the beginnings of the FASTQ files of a sample.

    Args:
        sample: The sample.
        store: The store of the files.
        reading: How the files are to be read.
        records: The number of records to look at.
    """
    for lane in sample.lanes:
        for uri, message in _lane_problems(lane, store, reading, records):
            yield Problem(f"sample {sample.sample}, lane {lane.lane}: {message}", uri)


def _lane_problems(lane: Lane, store: Store, reading: Reading, records: int) -> Iterator[tuple[str, str]]:
    """Yield the FASTQ files of a lane that cannot be used, each with the reason."""

    def head(uri: str, records: int) -> fastq_head.FastqHead:
        try:
            if store.stat(uri) is None:
                raise DataError("expected a FASTQ file, found no such file")
            return read_head(uri, store, records)
        except DataError as error:
            raise fastq_head.UnusableReads("; ".join(one.message for one in error.problems)) from None

    uris = [uri for uri in (lane.fastq_1, lane.fastq_2) if uri is not None]
    if uris:
        yield from fastq_checks.check_lane(uris, reading, head, records).problems
