"""The samples of earlier runs, whose gVCFs are genotyped with a new cohort, and what the runs packed of gVCFs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.pipeline import GVCF, PACKED
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.records.completion import CompletionRecord, FileRecord, OutputRecord
from genomics_pipeline.records.earlier_packed import (
    EarlierPacked,
    KnownGvcf,
    MadeOf,
    PackedInterval,
    StoredFile,
    joined_packed,
    read_earlier_packed,
)
from genomics_pipeline.records.given_gvcfs import GivenGvcf, read_given_gvcfs
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.joined_samples import of_gvcf
from genomics_pipeline.runs.results import ItemResult, Results
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.protocol import shown_place

READERS = 16  # completion records read at once


class EarlierRuns(NamedTuple):
    """The samples of earlier runs, each with its gVCF, and what the runs packed of gVCFs."""

    samples: tuple[Sample, ...]
    packed: EarlierPacked


def earlier_runs(runs: Iterable[str], stack: str, adapters: Adapters, warn: Callable[[str], None]) -> EarlierRuns:
    """Return the samples of runs that are done or that the runs were given, and what the runs packed.

    Args:
        runs: The runs: folders, URIs, or names in the stack.
        stack: The stack.
        adapters: The clients and the store to read runs with.
        warn: Takes a warning about samples of a run that have no gVCF.

    Raises:
        RunError: for a run that does not exist, or has no gVCF.
    """
    samples: list[Sample] = []
    packed: list[EarlierPacked] = []
    for text in runs:
        run = find_run(text, stack, adapters)
        files, lacking = run.files, 0
        gvcfs: list[GivenGvcf] = []
        known: list[KnownGvcf] = []
        for result in Results(run).items():
            if (output := _gvcf(result)) is not None:
                uri = shown_place(files.store, files.place.uri(output.key))
                gvcfs.append(GivenGvcf(result.item, uri))
                known += _known(uri, output, files)
            elif result.item != COHORT:
                lacking += 1
        gvcfs += read_given_gvcfs(files.store, files.place)
        if not gvcfs:
            raise RunError(f"--joint-with {text}: expected a run with gVCFs of samples, found none")
        if lacking:
            warn(f"--joint-with {text}: {quantity(lacking, 'sample', ',')} without a gVCF left out")
        samples += map(of_gvcf, gvcfs)
        before = read_earlier_packed(files.store, files.place)
        packed.append(EarlierPacked(tuple(_packed(files)), (*known, *before.gvcfs)))
    return EarlierRuns(tuple(samples), joined_packed(packed))


def _gvcf(result: ItemResult) -> OutputRecord | None:
    """Return the gVCF of an item; None if it has none."""
    return next((output for name, output in result.outputs.items() if name.partition(".")[2] == GVCF), None)


def _known(uri: str, output: OutputRecord, files: RunFiles) -> Iterator[KnownGvcf]:
    """Yield the digest of a gVCF, unless the file is another one than its record says."""
    version = output.version
    if not version and (info := files.store.stat(files.place.uri(output.key))) is not None:
        version = info.version if info.size_bytes == output.size_bytes else ""
    if version:
        yield KnownGvcf(uri, version, output.sha256)


def _packed(files: RunFiles) -> Iterator[PackedInterval]:
    """Yield the packed gVCFs of each interval of a run that is done."""
    for stage in (stage for group in files.groups() if group.scope == "interval" for stage in group.stages):
        with ThreadPoolExecutor(READERS) as readers:
            names = list(files.items("interval"))
            for record in readers.map(lambda name, stage=stage: files.record(stage, name), names):
                if record is not None and PACKED in record.outputs:
                    yield _interval(record, files)


def _interval(record: CompletionRecord, files: RunFiles) -> PackedInterval:
    def stored(file: FileRecord) -> StoredFile:
        return StoredFile(shown_place(files.store, files.place.uri(file.key)), file.size_bytes, file.sha256)

    output, made_of = record.outputs[PACKED], record.provenance
    reference = made_of.inputs.get("reference")
    depends = MadeOf(
        made_of.step,
        made_of.version,
        str(made_of.members.get("regions")),
        reference.digest if reference else "",
        made_of.files,
    )
    return PackedInterval(stored(output), stored(output.indexes[0]), depends)
