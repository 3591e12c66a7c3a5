"""The ledger of a run: every item that is not done, why, what was tried, where its log is and how to run it again."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import UsageError, did_you_mean
from genomics_pipeline.runs.aws.state import CloudState
from genomics_pipeline.runs.find_run import CloudRun, LocalRun
from genomics_pipeline.runs.item_ends import judged
from genomics_pipeline.runs.local.state import local_failures
from genomics_pipeline.runs.run_files import RunFiles, run_files
from genomics_pipeline.runs.run_state import ItemFailure

Row = dict[str, Any]
COMPARED = 10_000  # samples among which a misspelt one is looked for


def ledger(run: LocalRun | CloudRun, samples: Collection[str] = ()) -> Iterator[Row]:
    """A row an item that is not done, read from the result files as they are asked for: few are held at a time.

    ``sample`` (or the interval's number, or ``cohort``), ``scope``, ``step`` (the stage; None where none began),
    ``class``, ``attempts`` (of Batch, over all jobs), ``memory_mib`` (what was tried, in that order), ``message``,
    ``log`` (None where there is none), ``rerun``, ``exit_code``, ``job_id``.

    Args:
        run: The run.
        samples: Only these.

    Raises:
        UsageError: for a sample that the run does not have.
        RunError: if AWS cannot be asked, or has not written its result files yet.
    """
    files = run_files(run)
    refuse_unknown(files, samples)
    failures = local_failures(run.folder) if isinstance(run, LocalRun) else CloudState(run).all_failures()
    wanted = (one for one in failures if not samples or (one.scope == "sample" and one.item in samples))
    return rows(run, judged(files, files.groups(), wanted))


def rows(run: LocalRun | CloudRun, failures: Iterator[ItemFailure]) -> Iterator[Row]:
    """The same, of items that are known (see `runs.item_ends.judged`)."""
    files = run_files(run)
    group = run.deployment.names.log_group if isinstance(run, CloudRun) else None
    return in_parallel(lambda one: _row(files, group, one), failures)


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


def _row(files: RunFiles, log_group: str | None, one: ItemFailure) -> Row:
    failure = one.failure
    only = f" --sample {one.item}" if one.scope == "sample" else ""
    return {
        "sample": one.item,
        "scope": one.scope,
        "step": failure.stage,
        "class": one.label,
        "attempts": failure.attempts,
        "memory_mib": memory_tried(failure),
        "message": failure.message,
        "log": None if one.pending else _log(files, log_group, one),
        "rerun": f"genomics-pipeline rerun {shlex.quote(files.shown)}{only}",
        "exit_code": failure.exit_code,
        "job_id": failure.job_id,
    }


def memory_tried(failure: Failure) -> list[int]:
    """What the stage's jobs had, each size once, in the order they were tried."""
    sizes = [one.memory_mib for one in failure.tried] or [failure.memory_mib]
    return list(dict.fromkeys(size for size in sizes if size is not None))


def _log(files: RunFiles, log_group: str | None, one: ItemFailure) -> str | None:
    """The log stream of the last attempt that had one; else the program's log, where it was started."""
    streams = [stream for stream in one.failure.log_streams if stream is not None]
    if log_group is not None and streams:
        return f"{log_group} {streams[-1]}"
    key = run_layout.log(one.failure.stage, one.item) if one.failure.stage else None
    return files.shown_key(key) if key and files.store.stat(files.place.uri(key)) else None
