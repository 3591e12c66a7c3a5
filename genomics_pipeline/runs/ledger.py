"""The ledger of a run: every item that is not done, why, what was tried, where its log is and how to run it again."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import UsageError, did_you_mean
from genomics_pipeline.report.ledger import LedgerRow
from genomics_pipeline.report.run_state import ItemFailure
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.item_ends import not_done
from genomics_pipeline.runs.run_files import RunFiles

COMPARED = 10_000  # samples among which a misspelt one is looked for


def ledger(run: RunBackend, samples: Collection[str] = ()) -> Iterator[LedgerRow]:
    """Return a row for each item that is not done, read from the result files as it goes: few are held at a time.

    Args:
        run: The run.
        samples: Only these.

    Raises:
        UsageError: for a sample that the run does not have.
        RunError: if AWS cannot be asked, or has not written its result files yet.
    """
    files = run.files
    refuse_unknown(files, samples)
    wanted = (one for one in run.failures() if not samples or (one.scope == "sample" and one.item in samples))
    return ledger_rows(files, not_done(files, files.groups(), wanted))


def ledger_rows(files: RunFiles, failures: Iterable[ItemFailure]) -> Iterator[LedgerRow]:
    """Return the rows of failures that `runs.item_ends.not_done` gave, in their order."""
    return in_parallel(lambda one: _row(files, one), failures)


def refuse_unknown(files: RunFiles, samples: Collection[str]) -> None:
    """Refuse names that no sample of the run has.

    Raises:
        UsageError: for the first of them.
    """
    unknown = set(samples).difference(files.items("sample")) if samples else set()
    if unknown:
        name = min(unknown)
        known = list(islice(files.items("sample"), COMPARED))
        raise UsageError(f"--sample {name}: no such sample in this run; {did_you_mean(name, known)}")


def _row(files: RunFiles, one: ItemFailure) -> LedgerRow:
    failure = one.failure
    only = f" --sample {one.item}" if one.scope == "sample" else ""
    return LedgerRow(
        sample=one.item,
        scope=one.scope,
        stage=failure.stage,
        label=one.label,
        attempts=failure.attempts,
        memory_mib=memory_tried(failure),
        message=failure.message,
        log=None if one.pending else _log(files, one),
        rerun=f"genomics-pipeline rerun {shlex.quote(files.shown)}{only}",
        exit_code=failure.exit_code,
        job_id=failure.job_id,
    )


def memory_tried(failure: Failure) -> list[int]:
    """Return the memory of a stage's jobs in MiB, each size once, in the order they were tried."""
    sizes = [one.memory_mib for one in failure.tried] or [failure.memory_mib]
    return list(dict.fromkeys(size for size in sizes if size is not None))


def _log(files: RunFiles, one: ItemFailure) -> str | None:
    """Return the log stream of the last attempt that had one; else the program's log, where it was started."""
    streams = [stream for stream in one.failure.log_streams if stream is not None]
    if files.log_group is not None and streams:
        return f"{files.log_group} {streams[-1]}"
    key = run_layout.log(one.failure.stage, one.item) if one.failure.stage else None
    return files.shown_key(key) if key and files.store.stat(files.place.uri(key)) else None
