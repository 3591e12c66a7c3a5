"""The tables of the accuracy, and the goals that hold."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.accuracy_scores import DOUBTLESS, KINDS
from benchmarks.real_sets import FULL

F1 = (*KINDS, *(kind + DOUBTLESS for kind in KINDS))
COLUMNS = ("mapped", "properly_paired", *F1)
TITLES = ("mapped %", "proper pairs %", "SNP F1", "indel F1", "SNP F1 without doubt", "indel F1 without doubt")
SINGLE, JOINT, PLAIN = "single", "joint", "plain bcftools"
DIRECT, ALL_ALLELES = "direct", "direct, all alleles"
AGREES, INHERITED = "agrees with", "inherited"
# Least agreement with direct calling, in per cent, by depth and kind.
LEAST_AGREEMENT = {(FULL, "SNP"): 99.5, (FULL, "INDEL"): 97.0, ("5", "SNP"): 99.0}

Counts = tuple[int, int]  # of how many, how many


class Row(NamedTuple):
    """The figures of one way of calling in one run, and their place in the table.

    Attributes:
        set: The set.
        depth: The depth.
        aligner: The aligner.
        calls: The way of calling.
        seed: The seed.
        figures: Rates and F1 values, by column.
        counts: Genotypes that agree, and sites that are as inherited, by what they are compared with and kind.
    """

    set: str
    depth: str
    aligner: str
    calls: str
    seed: int
    figures: dict[str, float]
    counts: dict[str, Counts]


Groups = Mapping[tuple[str, ...], Sequence[Row]]


def grouped(rows: Iterable[Row]) -> Groups:
    """Return the rows of all seeds by set, depth, aligner and way of calling; of a seed measured twice the last."""
    groups: dict[tuple[str, ...], dict[int, Row]] = defaultdict(dict)
    for row in rows:
        groups[row.set, row.depth, row.aligner, row.calls][row.seed] = row
    return {group: list(of_seeds.values()) for group, of_seeds in groups.items()}


def figures_table(groups: Groups) -> list[list[str]]:
    """Return the cells of rates and F1 values: a row for each set, depth, aligner and way of calling."""
    return [
        ["set", "depth", "aligner", "calls", *TITLES],
        *([*group, *(_cell(column, rows) for column in COLUMNS)] for group, rows in groups.items()),
    ]


def _cell(column: str, rows: Sequence[Row]) -> str:
    """Return the median, and the range where there are several values."""
    values = [row.figures[column] for row in rows if column in row.figures]
    digits = 4 if column.startswith(KINDS) else 2
    if not values:
        return "-"
    text = f"{statistics.median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def counts_table(groups: Groups) -> list[list[str]]:
    """Return the cells of the agreement with direct calling and of the inheritance in a trio, pooled over the seeds."""
    lines = [["set", "depth", "aligner", "calls", "", "SNP", "indel"]]
    for group, rows in groups.items():
        for name in dict.fromkeys(key.rpartition(" ")[0] for row in rows for key in row.counts):
            lines.append([*group, name, *(_share_text(_pooled(rows, f"{name} {kind}")) for kind in KINDS)])
    return lines


def _pooled(rows: Iterable[Row], key: str) -> Counts:
    counts = [row.counts.get(key, (0, 0)) for row in rows]
    return sum(part for part, _ in counts), sum(whole for _, whole in counts)


def _share(counts: Counts) -> float:
    return 100 * counts[0] / counts[1] if counts[1] else 100.0


def _share_text(counts: Counts) -> str:
    return f"{_share(counts):.2f} % ({counts[0]} of {counts[1]})"


class Goal(NamedTuple):
    """A goal: what it says, the value that was measured, and the least that it asks for."""

    words: str
    value: float
    least: float

    @property
    def holds(self) -> bool:
        """Return whether it is reached."""
        return self.value >= self.least


def goals(groups: Groups) -> Iterator[Goal]:
    """Yield the goals that the rows say something about."""
    for (name, depth, aligner, calls), rows in groups.items():
        place = f"{name}, {depth}, {aligner}"
        less = {SINGLE: PLAIN, JOINT: SINGLE}.get(calls)
        others = groups.get((name, depth, aligner, less)) if less else None
        for kind in F1:
            if others and kind in rows[0].figures:
                yield Goal(f"{place}: F1 of {kind}, {calls} >= {less}", _mean(rows, kind), _mean(others, kind))
        for kind in KINDS:
            least, counts = LEAST_AGREEMENT.get((depth, kind)), _pooled(rows, f"{AGREES} {DIRECT} {kind}")
            if least and counts[1]:
                yield Goal(f"{place}: agreement with direct calling, {kind}, %", _share(counts), least)
            direct = groups.get((name, depth, aligner, DIRECT))
            counts = _pooled(rows, f"{INHERITED} {kind}")
            if calls == JOINT and direct and counts[1]:
                least = _share(_pooled(direct, f"{INHERITED} {kind}"))
                yield Goal(f"{place}: inherited as in direct calling, {kind}, %", _share(counts), least)


def _mean(rows: Sequence[Row], kind: str) -> float:
    return statistics.mean(row.figures[kind] for row in rows)


def goal_lines(found: Iterable[Goal]) -> list[str]:
    """Return how many goals hold, and those that do not."""
    every = list(found)
    missed = [one for one in every if not one.holds]
    lines = [f"{len(every) - len(missed)} of {len(every)} goals hold"]
    return lines + [f"missed: {one.words}: {one.value:.4f}, goal {one.least:.4f}" for one in missed]
