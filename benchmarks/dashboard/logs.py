"""The tables of a dashboard: what the two queries of Logs Insights find in the lines of a recorded run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.aws.template import queries
from genomics_pipeline.model import metrics


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that a query finds.

    Attributes:
        columns: The names of the columns.
        shares: Their widths, in shares of that of the table.
        rows: The texts of the rows.
    """

    columns: Sequence[str]
    shares: Sequence[float]
    rows: Sequence[Sequence[str]]


def query_table(query: str, log: Sequence[Mapping[str, Any]]) -> Table:
    """Return what a query of the dashboard finds.

    Args:
        query: The query, with its source.
        log: The lines.

    Raises:
        ValueError: for a query that is not known here.
    """
    known = {queries.FAILURES: _failures, queries.SLOWEST: _slowest}
    _, _, commands = query.partition(" | ")
    if commands not in known:
        raise ValueError(f"expected a query of the dashboard, found {commands}")
    return known[commands](log)


def _failures(log: Sequence[Mapping[str, Any]]) -> Table:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for line in log:
        if metrics.OUTCOME in line and line[metrics.OUTCOME] != metrics.SUCCEEDED:
            groups[line[metrics.OUTCOME], line[metrics.STAGE]].append(line)
    rows = [
        [*group, str(len(lines)), str(len({line["Item"] for line in lines})), lines[-1]["Run"]]
        for group, lines in sorted(groups.items(), key=lambda one: -len(one[1]))
    ]
    return Table([metrics.OUTCOME, metrics.STAGE, "Failures", "Items", "LatestRun"], [0.2, 0.2, 0.12, 0.12, 0.36], rows)


def _slowest(log: Sequence[Mapping[str, Any]]) -> Table:
    ended = sorted((line for line in log if metrics.DURATION in line), key=lambda line: -line[metrics.DURATION])
    columns = ["@timestamp", "Run", metrics.STAGE, "Item", metrics.DURATION, metrics.PEAK_MEMORY, "@logStream"]
    rows = [[_clock(line["@timestamp"]), *(str(line[name]) for name in columns[1:])] for line in ended]
    return Table(columns, [0.14, 0.14, 0.15, 0.1, 0.12, 0.15, 0.2], rows)


def _clock(seconds: float) -> str:
    """Return a time since the run began, in minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
