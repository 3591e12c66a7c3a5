"""Genetic maps in PLINK's or SHAPEIT's format: each line that the step that imputes would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, line_problems, text_lines

_EXPECTED = "expected contig, ID, cM and position (PLINK), or position, contig and cM (SHAPEIT)"


def genetic_map_problems(uri: str, store: Store, contigs: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the problems of a genetic map, plain or gzip, line by line; at most as many as its budget says.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        contigs: The length of each contig of the reference, by name.

    Raises:
        OSError: if the file cannot be read.
    """
    own = {name.removeprefix("chr") for name in contigs}
    last: dict[str, tuple[int, float]] = {}
    used = set()
    number = 0

    def misfit(line: bytes) -> str | None:
        nonlocal number
        number += 1
        words = line.decode("utf-8", "backslashreplace").split()
        if not words or (number == 1 and not _is_number(words[-1])):  # a header
            return None
        try:
            contig, position, distance = _parse(words)
        except ValueError:
            return f"{_EXPECTED}, found {' '.join(words)[:60]!r}"
        before = last.get(contig)
        last[contig] = position, distance
        used.add(not contig or contig in own)
        if before and (position <= before[0] or distance < before[1]):
            return f"expected increasing positions and cM, found {position}, {distance} after {before[0]}, {before[1]}"
        return None

    lines = text_lines(uri, TextKind("genetic map", budgets.BED_SIZE, budgets.BED_LINE), store)
    fits = yield from line_problems(uri, lines, misfit, budgets.PANEL_ERRORS)
    if fits and True not in used:
        found = f"found {next(iter(last))!r} and no other" if last else "found no positions"
        yield Problem(f"expected a genetic map of contigs of the reference, {found}", uri)


def _parse(words: list[str]) -> tuple[str, int, float]:
    """Return contig, position and centimorgans of a line; an empty contig for a file of one contig.

    >>> _parse(["chr1", ".", "0.5", "1000"]), _parse(["1000", "chr1", "0.5"]), _parse(["1000", "1.25", "0.5"])
    (('1', 1000, 0.5), ('1', 1000, 0.5), ('', 1000, 0.5))
    """
    if len(words) == 4:
        contig, _, distance, position = words
    elif len(words) == 3:
        position, contig, distance = words
        contig = "" if "." in contig else contig  # a rate
    else:
        raise ValueError
    if not isfinite(float(distance)):
        raise ValueError
    return contig.removeprefix("chr"), int(position), float(distance)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
