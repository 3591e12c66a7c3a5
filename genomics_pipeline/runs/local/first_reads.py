"""The check of FASTQ files of this machine by their first records, before the first job of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.runs.fastq_checks import fastq_problems, reading_stage, stage_reading
from genomics_pipeline.runs.given_files import PORTION, READERS
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.stores.protocol import Store

RECORDS = 100  # of a file: 10,000 samples take seconds; `manifest validate --check-files` looks at more


def unusable_reads(
    planned: RunInputs, samples: Iterable[Sample], place: RunPlace, store: Store
) -> Iterator[tuple[str, Problem]]:
    """Yield each sample whose FASTQ files the stage that reads them would refuse, with the problem, in their order.

    Files elsewhere are read by the jobs only. Those that the stage has read before, as they are, are not read again.

    Args:
        planned: The plan of the run.
        samples: The samples, whose files exist.
        place: The place of the run.
        store: The store of the files, and of the run.
    """
    stage = reading_stage(planned.stages_that_run)
    if stage is None:
        return
    name, reading = stage.name, stage_reading(stage, planned.pipeline, planned.overrides)

    def check(sample: Sample) -> list[tuple[str, Problem]]:
        files = [uri for lane in sample.lanes for uri in (lane.fastq_1, lane.fastq_2) if uri is not None]
        are_here = files and all(store.local(uri) is not None for uri in files)
        if not are_here or _are_done(files, name, sample.sample, place, store):
            return []
        return [(sample.sample, problem) for problem in fastq_problems(sample, store, reading, RECORDS)]

    some = iter(samples)
    with ThreadPoolExecutor(READERS) as readers:
        while portion := list(islice(some, PORTION)):
            yield from chain.from_iterable(readers.map(check, portion))


def _are_done(files: Iterable[str], stage: str, sample: str, place: RunPlace, store: Store) -> bool:
    """Return whether a stage has made its outputs of just these files, by its completion record."""
    try:
        done = read_completion(store, place, stage, sample)
    except UnreadableRecord:
        return False
    if done is None:
        return False
    read = {version for one in done.provenance.inputs.values() for version in one.files}
    return all((info := store.stat(uri)) is not None and f"{uri} {info.version}" in read for uri in files)
