"""The results of a run: the output files of each item, listed in bounded memory, and verified copies of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.plain_path import plain_key
from genomics_pipeline.records.completion import CompletionRecord, OutputRecord
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.software_versions import FILE, SoftwareVersions, add_records
from genomics_pipeline.runs.stage_groups import COHORT
from genomics_pipeline.stores.checksum import file_sha256
from genomics_pipeline.stores.protocol import ObjectReader
from genomics_pipeline.stores.publish import publishing

THREADS = 16  # that read the records of items
DOWNLOADS = 4  # items that are downloaded at the same time; each file is downloaded by ranges in parallel
PORTION = 256  # items in work at a time


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of a sample, or of the cohort.

    Attributes:
        item: The sample, or ``cohort``.
        state: SUCCEEDED, FAILED, or PENDING where a stage is missing.
        outputs: The output files by ``<stage>.<output>``.
        records: The records of its stages that are done.
        failure: The failure of the item; None unless it failed.
    """

    item: str
    state: str
    outputs: dict[str, OutputRecord]
    records: Collection[CompletionRecord] = ()
    failure: ItemFailure | None = None


class Results:
    """The results of one run.

    Args:
        run: The run.

    Attributes:
        files: The files of the run.
        groups: Its stages.
    """

    def __init__(self, run: ReadableRun) -> None:
        self.files: RunFiles = run.files
        self.groups = self.files.groups()
        self._failures = {one.item: one for one in run.failed_items()}

    def items(self, samples: Iterable[str] = ()) -> Iterator[ItemResult]:
        """Yield the results of every sample, then of the cohort.

        Args:
            samples: The samples to yield; all samples and the cohort where none is named.

        Raises:
            UsageError: for a sample that the run does not have.
        """
        selected = set(samples)
        self.files.refuse_unknown(selected)
        for scope in ["sample"] if selected else ["sample", COHORT]:
            names = (name for name in self.files.items(scope) if not selected or name in selected)
            yield from self._results(scope, names, many=not selected and scope != COHORT)

    def _results(self, scope: str, names: Iterator[str], many: bool) -> Iterator[ItemResult]:
        stages = [stage for group in self.groups if group.scope == scope for stage in group.stages]
        store = self.files.many_looks() if many else self.files.store
        with ThreadPoolExecutor(THREADS) as pool:
            while part := list(islice(names, PORTION)):
                yield from pool.map(lambda name: self._result(name, stages, store), part)

    def _result(self, name: str, stages: list[str], store: ObjectReader) -> ItemResult:
        done = self.files.done_records(stages, name, store)
        failure = self._failures.get(name)
        state = "FAILED" if failure else "SUCCEEDED" if len(done) == len(stages) else "PENDING"
        outputs = {f"{stage}.{output}": record for stage, one in done.items() for output, record in one.outputs.items()}
        return ItemResult(name, state, outputs, done.values(), failure)


def download_all(results: Results, samples: Collection[str], target: Path) -> Iterator[tuple[ItemResult, int]]:
    """Download the files of all items, then write the versions of the software that made them.

    Args:
        results: The results of the run.
        samples: The samples to download; all samples and the cohort where none is named.
        target: The folder that corresponds to the run's ``results/``.

    Yields:
        Each item with the number of its files that were not there yet.

    Raises:
        RunError: for a file that differs from its record.
        UsageError: for a sample that the run does not have.
    """
    files = results.files
    versions = SoftwareVersions(chain.from_iterable(group.stages for group in results.groups))
    items = results.items(samples)
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        try:
            while part := list(islice(items, PORTION)):
                yield from zip(part, pool.map(lambda one: download(one, files, target), part), strict=True)
                for record in chain.from_iterable(one.records for one in part):
                    versions.add(record)
        finally:
            pool.shutdown(cancel_futures=True)
    if not samples:
        add_records(versions, files, [group for group in results.groups if group.scope not in ("sample", COHORT)])
    if text := versions.text():
        with publishing(target / run_layout.PIPELINE_INFO.removeprefix(run_layout.RESULTS) / FILE, target) as out:
            out.write(text.encode())


def download_reports(files: RunFiles, target: Path, write_missing: Callable[[Path], object]) -> int:
    """Copy the report of a run and the files about it, which no record vouches for, and return their number.

    Args:
        files: The files of the run.
        target: The folder that corresponds to the run's ``results/``.
        write_missing: Writes the report to a file, where the run has none.
    """
    place, store = files.place, files.store
    own = target / run_layout.PIPELINE_INFO.removeprefix(run_layout.RESULTS) / FILE  # of the records: `download_all`
    report = target / run_layout.REPORT.removeprefix(run_layout.RESULTS)
    listed = [info.uri.removeprefix(place.uri("")) for info in store.list(place.uri(run_layout.PIPELINE_INFO))]
    keys = [*listed, *([run_layout.REPORT] if store.stat(place.uri(run_layout.REPORT)) else [])]
    paths = {key: target / plain_key(key, run_layout.RESULTS).removeprefix(run_layout.RESULTS) for key in keys}
    for key, path in paths.items():
        if path != own:
            with publishing(path, target) as out:
                store.download(place.uri(key), out)
    if run_layout.REPORT not in paths:
        write_missing(report)
    return len({*paths.values(), report} - {own})


def download(result: ItemResult, files: RunFiles, target: Path) -> int:
    """Download the files of an item, and return the number of those that were not there yet.

    Args:
        result: The item.
        files: The files of the run.
        target: The folder that corresponds to the run's ``results/``.

    Raises:
        RunError: for a file that differs from its record.
    """
    return sum(_download(one, files, target) for one in result.outputs.values())


def _download(output: OutputRecord, files: RunFiles, target: Path) -> bool:
    """Download an output and its indexes; return False where intact copies are there already."""
    path = target / plain_key(output.key, run_layout.RESULTS).removeprefix(run_layout.RESULTS)
    is_present = all(path.with_name(Path(file.key).name).is_file() for file in output.files)
    if is_present and file_sha256(path) == output.sha256:
        return False
    for file in output.files:
        with publishing(path.with_name(Path(file.key).name), target) as out:
            sink = _HashingSink(out)
            files.store.download(files.place.uri(file.key), sink)
            if (actual := sink.sha256.hexdigest()) != file.sha256:
                advice = f"delete it, and make it again: {command_line('rerun', files.shown)}"
                shown = files.shown_key(file.key)
                raise RunError(f"{shown}: expected content with the sha256 {file.sha256}, found {actual}; {advice}")
    return True


class _HashingSink:
    """A sink that writes to a file and computes the sha256 of what it writes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write a piece."""
        self.sha256.update(data)
        return self._file.write(data)
