"""The number of copies of the reference that a sample has, by sex, contig and region.

Which regions differ is known for some assemblies (``ploidy.tsv``), or said by a file in the format of ``bcftools call
--ploidy-file``: CHROM FROM TO SEX PLOIDY, positions from 1, ``* * * SEX PLOIDY`` for all other positions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from common.bed import open_bed
from common.program import BadInput

DIPLOID = 2
TABLE = Path(__file__).with_name("ploidy.tsv")
XX, XY = "XX", "XY"
EVERYONE = frozenset({XX, XY})
SEXES = {"M": {XY}, XY: {XY}, "F": {XX}, XX: {XX}, "*": EVERYONE}  # as files name them


class Stretch(NamedTuple):
    """Bases [start, end) of a contig, counted from 0, of which there is a number of copies."""

    contig: str
    start: int
    end: int
    copies: int


class Rules(NamedTuple):
    """The stretches of each sex, and the copies of all other positions."""

    stretches: Mapping[str, set[Stretch]]
    others: Mapping[str, int]

    def of(self, sex: str) -> Ploidy:
        """Return the ploidy of a sample; of one of unknown sex, what both sexes have in common, and else two copies."""
        if sex in EVERYONE:
            return Ploidy(self.others[sex], self.stretches[sex])
        first, second = (self.others[one] for one in (XX, XY))
        return Ploidy(first if first == second else DIPLOID, self.stretches[XX] & self.stretches[XY])

    @property
    def depend_on_sex(self) -> bool:
        """True if XX and XY differ."""
        return self.stretches[XX] != self.stretches[XY] or self.others[XX] != self.others[XY]


class Ploidy:
    """The copies of each position of the reference.

    Args:
        others: The copies of all positions but those of the stretches.
        stretches: The stretches with other numbers of copies.
    """

    def __init__(self, others: int, stretches: Iterable[Stretch] = ()) -> None:
        self.others = others
        self.stretches = tuple(sorted(one for one in stretches if one.copies != others))
        self._of: dict[str, list[Stretch]] = {}
        for one in self.stretches:
            self._of.setdefault(one.contig, []).append(one)

    def varies(self, contig: str) -> bool:
        """Return whether positions of a contig may have other numbers of copies than most have."""
        return contig in self._of

    def at(self, contig: str, position: int) -> int:
        """Return the copies of a position, counted from 0."""
        stretches = self._of.get(contig)
        if stretches is None:
            return self.others
        place = bisect_right(stretches, position, key=lambda one: one.start) - 1
        return stretches[place].copies if place >= 0 and position < stretches[place].end else self.others

    def parts(self, contig: str, start: int, end: int) -> Iterator[Stretch]:
        """Yield [start, end) of a contig in parts of one number of copies.

        >>> list(Ploidy(2, [Stretch("X", 5, 9, 1)]).parts("X", 3, 7))
        [Stretch(contig='X', start=3, end=5, copies=2), Stretch(contig='X', start=5, end=7, copies=1)]
        """
        for one in self._of.get(contig, ()):
            if one.end <= start or one.start >= end:
                continue
            if start < one.start:
                yield Stretch(contig, start, one.start, self.others)
            yield Stretch(contig, max(start, one.start), min(end, one.end), one.copies)
            start = one.end
        if start < end:
            yield Stretch(contig, start, end, self.others)

    def text(self) -> str:
        """Return the ploidy as a header line of a gVCF has it.

        >>> Ploidy(2, [Stretch("X", 5, 9, 1)]).text()
        '2,X:6-9=1'
        """
        return ",".join([str(self.others), *(f"{_region(one)}={one.copies}" for one in self.stretches)])

    def absent(self) -> str:
        """Return the stretches without a copy, as regions."""
        return ",".join(_region(one) for one in self.stretches if one.copies == 0)

    def table(self, name: str) -> str:
        """Return the lines of ``bcftools call --ploidy-file`` for samples of a name in the column SEX."""
        lines = [f"{one.contig} {one.start + 1} {one.end} {name} {one.copies}\n" for one in self.stretches]
        return "".join([*lines, f"* * * {name} {self.others}\n"])


def _region(one: Stretch) -> str:
    return f"{one.contig}:{one.start + 1}-{one.end}"


def parse_ploidy(text: str) -> Ploidy:
    """Return the ploidy of a header line.

    Raises:
        ValueError: for any other text.

    >>> parse_ploidy("2,X:6-9=1").text(), parse_ploidy("1").others
    ('2,X:6-9=1', 1)
    """
    others, *stretches = text.split(",")
    return Ploidy(int(others), map(_stretch, stretches))


def _stretch(text: str) -> Stretch:
    region, _, copies = text.rpartition("=")
    contig, start, end = parse_region(region)
    return Stretch(contig, start, end, int(copies))


def parse_region(text: str) -> tuple[str, int, int]:
    """Return the contig, start and end, counted from 0, of a region, whose contig may have a colon in its name.

    Raises:
        ValueError: for any other text.

    >>> parse_region("HLA-A*01:01:6-9")
    ('HLA-A*01:01', 5, 9)
    """
    contig, _, positions = text.rpartition(":")
    first, _, last = positions.partition("-")
    return contig, int(first) - 1, int(last)


def known_rules(contigs: Mapping[str, int]) -> Rules:
    """Return the rules of the contigs that an assembly is known by; of all others, there are two copies.

    Args:
        contigs: The length of each contig in bp, by name.
    """
    names = {(bare_name(name), length): name for name, length in contigs.items()}
    stretches: dict[str, set[Stretch]] = {XX: set(), XY: set()}
    for line in TABLE.read_text().splitlines():
        if line.startswith("#"):
            continue
        _, contig, length, first, last, sex, copies = line.split("\t")
        if name := names.get((contig, int(length))):
            for one in SEXES[sex]:
                stretches[one].add(Stretch(name, int(first) - 1, int(last), int(copies)))
    return Rules(stretches, {XX: DIPLOID, XY: DIPLOID})


def bare_name(contig: str) -> str:
    """Return the name of a contig without ``chr``.

    >>> bare_name("chrX"), bare_name("chrM"), bare_name("Y")
    ('X', 'MT', 'Y')
    """
    name = contig.removeprefix("chr")
    return "MT" if name == "M" else name


def read_rules(path: str, contigs: Mapping[str, int]) -> Rules:
    """Return the rules of a ploidy file, which has been checked; lines of other contigs are left out.

    Raises:
        BadInput: for a file that is none.
    """
    stretches: dict[str, set[Stretch]] = {XX: set(), XY: set()}
    others = {XX: DIPLOID, XY: DIPLOID}
    try:
        with open_bed(path) as lines:
            for fields in (line.split() for line in lines if line.strip() and not line.startswith("#")):
                contig, first, last, sex, copies = fields
                for one in SEXES[sex]:
                    if contig == "*":
                        others[one] = int(copies)
                    elif contig in contigs:
                        stretches[one].add(Stretch(contig, int(first) - 1, int(last), int(copies)))
    except (OSError, EOFError, ValueError, KeyError):
        raise BadInput(f"{path}: expected lines CHROM FROM TO SEX PLOIDY of bcftools, found others") from None
    return Rules(stretches, others)
