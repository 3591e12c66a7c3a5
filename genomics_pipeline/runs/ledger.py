"""The ledger of a run: every item that is not done, its failure, the attempts, its log and how to run it again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.ledger import LedgerRow
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.item_ends import unfinished_items
from genomics_pipeline.runs.run_files import RunFiles

if TYPE_CHECKING:
    from genomics_pipeline.runs.readable_run import ReadableRun


def ledger(run: ReadableRun, samples: Collection[str] = ()) -> Iterator[LedgerRow]:
    """Yield a row for each item that is not done, in bounded memory.

    Args:
        run: The run.
        samples: The samples to look at; all items where none is named.

    Raises:
        UsageError: for a sample that the run does not have.
        RunError: if AWS cannot be reached, or has not written its result files yet.
    """
    files = run.files
    files.refuse_unknown(samples)
    failures = (one for one in run.failures() if not samples or (one.scope == "sample" and one.item in samples))
    return ledger_rows(files, unfinished_items(files, files.groups(), failures))


def ledger_rows(files: RunFiles, failures: Iterable[ItemFailure]) -> Iterator[LedgerRow]:
    """Yield the rows of failures that `runs.item_ends.unfinished_items` yields, in the same order."""
    return in_parallel(lambda one: _row(files, one), failures)


def _row(files: RunFiles, one: ItemFailure) -> LedgerRow:
    failure = one.failure
    only = ["--sample", one.item] if one.scope == "sample" else []
    return LedgerRow(
        sample=one.item,
        scope=one.scope,
        stage=failure.stage,
        label=one.label,
        attempts=failure.attempts,
        memory_mib=memory_sizes(failure),
        message=failure.message,
        log=None if one.pending else _log(files, one),
        rerun=command_line("rerun", files.shown, *only),
        exit_code=failure.exit_code,
        job_id=failure.job_id,
    )


def memory_sizes(failure: Failure) -> list[int]:
    """Return the memory of a stage's jobs in MiB, each size once, in the order they were tried."""
    sizes = [one.memory_mib for one in failure.tried] or [failure.memory_mib]
    return list(dict.fromkeys(size for size in sizes if size is not None))


def _log(files: RunFiles, one: ItemFailure) -> str | None:
    """Return the log stream of the last attempt that had one; else the program's log, where it was started."""
    streams = [stream for stream in one.failure.log_streams if stream is not None]
    if files.log_group is not None and streams:
        return f"{files.log_group} {streams[-1]}"
    return files.found_log(one.failure.stage, one.item) if one.failure.stage else None
