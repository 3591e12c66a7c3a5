"""The results of a run: each item's files and their places, read in bounded memory; copies of them, verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import file_digest
from itertools import islice
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.records.completion import CompletionRecord, OutputRecord
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.ledger import refuse_unknown
from genomics_pipeline.runs.run_files import COHORT, RunFiles

THREADS = 16
AT_ONCE = 4  # items that are copied, each file by parallel ranges
AHEAD = 256  # items that are asked for at a time


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of a sample, or of the cohort.

    Attributes:
        item: The sample, or ``cohort``.
        state: SUCCEEDED, FAILED, or PENDING where a stage is missing.
        outputs: By ``<stage>.<output>``.
        failure: Why it failed, if it did.
    """

    item: str
    state: str
    outputs: dict[str, OutputRecord]
    failure: ItemFailure | None = None


class Results:
    """The results of one run.

    Args:
        run: The run.
    """

    def __init__(self, run: RunBackend) -> None:
        self.files: RunFiles = run.files
        self._groups = self.files.groups()
        self._failures = {one.item: one for one in run.state().failures}

    def items(self, samples: Iterable[str] = ()) -> Iterator[ItemResult]:
        """Yield the results of every sample, then of the cohort.

        Args:
            samples: Only these.

        Raises:
            UsageError: for a sample that the run does not have.
        """
        wanted = set(samples)
        refuse_unknown(self.files, wanted)
        for scope in ["sample"] if wanted else ["sample", COHORT]:
            yield from self._of(scope, (name for name in self.files.items(scope) if not wanted or name in wanted))

    def _of(self, scope: str, names: Iterator[str]) -> Iterator[ItemResult]:
        stages = [stage for group in self._groups if group.scope == scope for stage in group.stages]
        with ThreadPoolExecutor(THREADS) as pool:
            while part := list(islice(names, AHEAD)):
                yield from pool.map(lambda name: self._item(name, stages), part)

    def _item(self, name: str, stages: list[str]) -> ItemResult:
        done: dict[str, CompletionRecord] = {
            stage: record for stage in stages if (record := self.files.completion(stage, name))
        }
        failure = self._failures.get(name)
        state = "FAILED" if failure else "SUCCEEDED" if len(done) == len(stages) else "PENDING"
        outputs = {f"{stage}.{output}": record for stage, one in done.items() for output, record in one.outputs.items()}
        return ItemResult(name, state, outputs, failure)


def copies(results: Iterator[ItemResult], files: RunFiles, target: Path) -> Iterator[tuple[ItemResult, int]]:
    """Yield each item and how many of its files had to be copied (see `download`), while the next ones are copied."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            while part := list(islice(results, AHEAD)):
                yield from zip(part, pool.map(lambda one: download(one, files, target), part), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def download(result: ItemResult, files: RunFiles, target: Path) -> int:
    """Copy an item's files into a folder, in the run's layout, and return how many had to be copied.

    Args:
        result: The item.
        files: The run's.
        target: The folder that stands for the run's ``results/``.

    Raises:
        RunError: for a file that is not what was recorded.
    """
    return sum(_copied(one, files, target) for one in result.outputs.values())


def _copied(output: OutputRecord, files: RunFiles, target: Path) -> bool:
    path = target / output.key.removeprefix(run_layout.RESULTS)
    there = all(path.with_name(Path(key).name).is_file() for key in (*output.indexes, output.key))
    if there and _sha256(path) == output.sha256:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    for key in (*output.indexes, output.key):
        part = path.with_name(f".{Path(key).name}.part")
        with part.open("wb") as out:
            files.store.download(files.place.uri(key), out)
        if key == output.key and (actual := _sha256(part)) != output.sha256:
            part.unlink()
            raise RunError(
                f"{files.shown_key(key)}: expected sha256 {output.sha256}, found {actual}; run the step again"
            )
        part.replace(path.with_name(Path(key).name))
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
