"""The ledger of a run: as a table for programs, as text, and as a run's last lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

COLUMNS = ("sample", "stage", "class", "attempts", "memory_mib", "message", "log", "rerun")
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

Row = Mapping[str, Any]  # see `runs.ledger.ledger`


def tsv_lines(rows: Iterable[Row]) -> Iterator[str]:
    """The header, then a line a row: tabs, line ends and backslashes are written as in C, nothing as nothing.

    >>> list(tsv_lines([{"sample": "a", "memory_mib": [1, 2], "message": "two\\nlines"}]))[1]
    'a\\t\\t\\t\\t1, 2\\ttwo\\\\nlines\\t\\t\\n'
    """
    yield "\t".join(COLUMNS) + "\n"
    for row in rows:
        yield "\t".join(_cell(row.get(name)).translate(ESCAPED) for name in COLUMNS) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def text(row: Row) -> str:
    """A row for people.

    >>> print(text({"sample": "a", "stage": "map", "class": "bad_input", "attempts": 1, "memory_mib": [8192],
    ...     "message": "R2 is short", "log": "/run/steps/map/a/log.txt", "rerun": "genomics-pipeline rerun /run"}))
    a  map  bad input  1 attempt, 8192 MiB
      R2 is short
      log: /run/steps/map/a/log.txt
      rerun: genomics-pipeline rerun /run
    """
    attempts = [_counted(row["attempts"], "attempt")] if row["attempts"] else []
    tried = ", ".join([*attempts, *([f"{_cell(row['memory_mib'])} MiB"] if row["memory_mib"] else [])])
    first = "  ".join(filter(None, (row["sample"], row["stage"], _class(row["class"]), tried)))
    lines = [*row["message"].splitlines(), *([f"log: {row['log']}"] if row["log"] else []), f"rerun: {row['rerun']}"]
    return "\n".join([first, *(f"  {line}" for line in lines)])


def missing_lines(missing: Mapping[str, Any], place: str) -> list[str]:
    """What a run that ended does not have: how much, why, the first few, and how all are listed and run again.

    Args:
        missing: See `runs.run_state.Missing.to_json`.
        place: The run's folder or URI.

    >>> missing = {"samples": 2, "of_samples": 9, "intervals": 0, "cohort": False, "by_class": {"timeout": 2}}
    >>> print(*missing_lines(missing | {"first": ["a", "b"]}, "/my run"), sep="\\n")
    Missing: 2 of 9 samples (2 timeout): a, b
    list them: genomics-pipeline results '/my run' --failed
    run them again (what is done is kept): genomics-pipeline rerun '/my run'
    """
    parts = [f"{missing['samples']:,} of {_counted(missing['of_samples'], 'sample')}"] if missing["samples"] else []
    parts += [_counted(missing["intervals"], "interval")] if missing["intervals"] else []
    parts += ["the cohort"] if missing["cohort"] else []
    classes = ", ".join(f"{count:,} {_class(name)}" for name, count in missing["by_class"].items())
    more = sum(missing["by_class"].values()) - len(missing["first"])
    names = ", ".join(missing["first"]) + (f" and {more:,} more" if more else "")
    run = shlex.quote(place)
    return [
        f"Missing: {', '.join(parts)} ({classes}): {names}",
        f"list them: genomics-pipeline results {run} --failed",
        f"run them again (what is done is kept): genomics-pipeline rerun {run}",
    ]


def _class(name: str) -> str:
    return name.replace("_", " ")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
