"""Ploidy files of `bcftools call --ploidy-file` against the contigs of a reference: each line that cannot be used.

A line is CHROM FROM TO SEX PLOIDY between blanks, positions are counted from 1, and ``* * * SEX PLOIDY`` is for all
other positions (https://samtools.github.io/bcftools/bcftools.html#call).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.reference.contig_names import contig_hint, own_name
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, line_problems, text_lines

FIELDS = "CHROM FROM TO SEX PLOIDY"
SEXES = {"M": "XY", "XY": "XY", "F": "XX", "XX": "XX"}
COPIES = ("0", "1", "2")
OTHERS = "*"  # all positions that no other line names


def ploidy_problems(uri: str, store: Store, contigs: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the problems of a ploidy file, plain or gzip, line by line; at most as many as its budget says.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        contigs: The length of each contig of the reference, by name.

    Raises:
        OSError: if the file cannot be read.
    """
    lines = _PloidyLines(contigs)
    fits = yield from line_problems(uri, _lines(uri, store), lines.misfit, budgets.PLOIDY_ERRORS)
    for name, number in lines.foreign.items():
        if own_name(name, contigs) not in lines.known:  # the presets of bcftools name each contig with and without chr
            hint = contig_hint(name, contigs)
            yield Problem(f"expected a contig of the reference, found {name!r}; {hint}", uri, number)
    if fits and not lines.number_of_rules:
        yield Problem(f"expected lines {FIELDS}, found none", uri)


def _lines(uri: str, store: Store) -> Iterator[bytes]:
    return text_lines(uri, TextKind("ploidy", budgets.PLOIDY_SIZE, budgets.PLOIDY_LINE), store)


class _PloidyLines:
    """The lines of a file so far.

    Attributes:
        foreign: Contigs that the reference does not have, each with its first line.
        known: Contigs that it has.
        number_of_rules: The number of lines that are no comments.
    """

    def __init__(self, contigs: Mapping[str, int]) -> None:
        self.foreign: dict[str, int] = {}
        self.known: set[str] = set()
        self.number_of_rules = 0
        self._contigs, self._number = contigs, 0
        self._others: dict[str, int] = {}
        self._regions: dict[tuple[str, str], list[tuple[int, int, int]]] = {}

    def misfit(self, line: bytes) -> str | None:
        """Return what is wrong with a line, or None."""
        self._number += 1
        text = line.decode("utf-8", "backslashreplace").strip()
        if not text or text.startswith("#"):
            return None
        self.number_of_rules += 1
        fields = text.split()
        if len(fields) != len(FIELDS.split()):
            return f"expected {FIELDS} between blanks, found {text[:60]!r}"
        contig, first, last, sex, copies = fields
        if sex not in SEXES:
            return f"expected M or F in column 4, found {sex[:60]!r}"
        if copies not in COPIES:
            return f"expected a ploidy of 0, 1 or 2 in column 5, found {copies[:60]!r}"
        if OTHERS in fields[:3]:
            return self._misfit_of_others(fields)
        if not (_is_number(first) and _is_number(last)):
            return f"expected numbers in columns 2 and 3, found {first[:30]!r} and {last[:30]!r}"
        return self._misfit_of_region(contig, int(first), int(last), SEXES[sex])

    def _misfit_of_others(self, fields: list[str]) -> str | None:
        *place, sex, copies = fields
        if place != [OTHERS] * 3:
            return f"expected {OTHERS} in columns 1 to 3, which stands for all other positions, found {' '.join(place)}"
        if copies == "0":
            return "expected a ploidy of 1 or 2 of all other positions, found 0"
        if earlier := self._others.get(SEXES[sex]):
            return f"expected one line for all other positions of {sex}, found another in line {earlier}"
        self._others[SEXES[sex]] = self._number
        return None

    def _misfit_of_region(self, contig: str, first: int, last: int, sex: str) -> str | None:
        if contig not in self._contigs:
            self.foreign.setdefault(contig, self._number)
            return None
        self.known.add(contig)
        if not 1 <= first <= last <= self._contigs[contig]:
            limits = f"1 <= FROM <= TO <= {self._contigs[contig]}, the length of {contig}"
            return f"expected {limits}, found {first} and {last}"
        regions = self._regions.setdefault((contig, sex), [])
        place = bisect_left(regions, (first, last, 0))
        for one in regions[max(0, place - 1) : place + 1]:
            if one[0] <= last and first <= one[1]:
                return f"expected regions of {sex} that do not overlap, found one that overlaps line {one[2]}"
        regions.insert(place, (first, last, self._number))
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
