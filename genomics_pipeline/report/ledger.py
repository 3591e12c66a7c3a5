"""The ledger of a run: its rows as tab-separated values and as text, and its summary in the last lines of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.printable import table_cell
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_state import Missing


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One item that is not done.

    Attributes:
        sample: The sample, the number of an interval, or ``cohort``.
        scope: sample, interval or cohort.
        stage: The stage that failed; None where none began.
        label: The class of the failure, or ``pending``; the column ``class``.
        attempts: The number of attempts that Batch made for that stage, over all jobs.
        memory_mib: The memory of the jobs, each size once, in the order of the jobs.
        message: The message of the failure.
        log: The file of the log, or its log group and stream; None where there is no log.
        rerun: The command that runs this item again.
        exit_code: The exit code of the last attempt, where it had one.
        job_id: The last Batch job, where there was one.
    """

    sample: str
    scope: str
    stage: str | None
    label: str
    attempts: int
    memory_mib: Sequence[int]
    message: str
    log: str | None
    rerun: str
    exit_code: int | None = None
    job_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``results --failed --json`` prints."""
        return {
            "sample": self.sample,
            "scope": self.scope,
            "stage": self.stage,
            "class": self.label,
            "attempts": self.attempts,
            "memory_mib": list(self.memory_mib),
            "message": self.message,
            "log": self.log,
            "rerun": self.rerun,
            "exit_code": self.exit_code,
            "job_id": self.job_id,
        }

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table, in the order of `COLUMNS`."""
        return (
            self.sample,
            self.stage or "",
            self.label,
            str(self.attempts),
            _memory(self),
            self.message,
            self.log or "",
            self.rerun,
        )


COLUMNS = ("sample", "stage", "class", "attempts", "memory_mib", "message", "log", "rerun")


def tsv_lines(rows: Iterable[LedgerRow]) -> Iterator[str]:
    r"""Yield the header, then a line for each row; tabs, line ends and backslashes are escaped as in C.

    >>> row = LedgerRow("a", "sample", None, "pending", 0, [1, 2], "two\nlines", None, "rerun")
    >>> list(tsv_lines([row]))[1]
    'a\t\tpending\t0\t1, 2\ttwo\\nlines\t\trerun\n'
    """
    yield "\t".join(COLUMNS) + "\n"
    for row in rows:
        yield "\t".join(table_cell(cell) for cell in row.cells()) + "\n"


def _memory(row: LedgerRow) -> str:
    return ", ".join(map(str, row.memory_mib))


def _memory_words(row: LedgerRow) -> str:
    """Return the memory that the jobs of a row asked for, in words."""
    return f"{', then '.join(f'{size:,}' for size in row.memory_mib)} MiB requested"


def row_text(row: LedgerRow) -> str:
    """Return a row as lines of text for people.

    >>> print(row_text(LedgerRow("a", "sample", "map", "bad_input", 1, [8192], "R2 is short",
    ...                          "/run/steps/map/a/log.txt", "genomics-pipeline rerun /run")))
    a  map  bad input  1 attempt, 8,192 MiB requested
      R2 is short
      log: /run/steps/map/a/log.txt
      rerun: genomics-pipeline rerun /run
    """
    attempts = [quantity(row.attempts, "attempt", ",")] if row.attempts else []
    tried = ", ".join([*attempts, *([_memory_words(row)] if row.memory_mib else [])])
    first = "  ".join(filter(None, (row.sample, row.stage, _class_words(row.label), tried)))
    lines = [*row.message.splitlines(), *([f"log: {row.log}"] if row.log else []), f"rerun: {row.rerun}"]
    return "\n".join([first, *(f"  {line}" for line in lines)])


def missing_lines(missing: Missing, place: str, succeeded: bool, accepted: bool) -> list[str]:
    r"""Return the last lines about a run that left items undone: how many, why, the first few, how to list and rerun.

    Args:
        missing: The items that are not done.
        place: The run's folder or URI.
        succeeded: Whether the run succeeded without them.
        accepted: Whether the user accepts that.

    >>> from collections import Counter
    >>> missing = Missing(9, Counter(sample=2), Counter(timeout=2), ["a", "b"])
    >>> print(*missing_lines(missing, "/my run", succeeded=True, accepted=False), sep="\n")
    The cohort is incomplete, it has 7 of 9 samples: exit code 1; --tolerate 2 would accept that
    Missing: 2 of 9 samples (2 timeout): a, b
    list them: genomics-pipeline results '/my run' --failed
    run them again (what is done is kept): genomics-pipeline rerun '/my run'
    """
    kind = RECORD if RECORD in missing.by_scope else "sample"
    samples, intervals = missing.by_scope[kind], missing.by_scope["interval"]
    parts = [f"{samples:,} of {quantity(missing.samples, kind, ',')}"] if samples else []
    parts += [quantity(intervals, "interval", ",")] if intervals else []
    parts += ["the cohort"] if missing.by_scope["cohort"] else []
    classes = ", ".join(f"{count:,} {_class_words(name)}" for name, count in missing.by_class.most_common())
    more = missing.by_class.total() - len(missing.first)
    names = ", ".join(missing.first) + (f" and {more:,} more" if more else "")
    lines = [
        f"Missing: {', '.join(parts)} ({classes}): {names}",
        f"list them: {command_line('results', place, '--failed')}",
        f"run them again (what is done is kept): {command_line('rerun', place)}",
    ]
    if succeeded:
        size = f"{missing.samples - samples:,} of {quantity(missing.samples, kind, ',')}"
        size += f" and lacks {quantity(intervals, 'interval', ',')}" if intervals else ""
        would = f"{samples},intervals={intervals}" if intervals else f"{samples}"
        advice = f"; --tolerate {would} would accept that"
        end = "accepted by --tolerate" if accepted else f"exit code 1{advice}"
        whole = "Results are those of" if kind == RECORD else "The cohort is incomplete, it has"
        lines.insert(0, f"{whole} {size}: {end}")
    return lines


def _class_words(name: str) -> str:
    return name.replace("_", " ")
