"""Names of FASTQ files: the tokens by which files are mates, and the sample and lane that remain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# The numbers of mates may stand behind the extension, too: a.fq.1.gz.
FASTQ_NAME = re.compile(
    r"(?P<stem>.+)\.(?:fastq|fq)(?P<mate>[._][12])?(?:\.(?:gz|bgz))?", re.DOTALL | re.IGNORECASE | re.ASCII
)
# What some other tools read, or what a download has left, but no file about a FASTQ file.
OTHER_FASTQ_NAME = re.compile(
    r"(?!.*(?:\.(?:md5|md5sums?|sha\d+|sha\d+sums?|txt|log|json|html?|[ct]sv|xml|ya?ml|gzi|fai|idx)|fastqc\.zip)$)"
    r".+\.(?:fastq|fq)(?:[._-].+)?|.+_sequence\.txt(?:\.gz)?",
    re.DOTALL | re.IGNORECASE,
)

_SEPARATORS = re.compile(r"([._-])")
_TRIM_GALORE = re.compile(r"[._-]val[._-]?[123]$")
_BARCODES = re.compile(r"I[1-4]")
_WORDS = {"forward": 1, "reverse": 2, "fwd": 1, "rev": 2, "fw": 1, "rv": 2}
_STRONG = re.compile(
    r"(?:R|r|READ|[Rr]ead|MATE|[Mm]ate|PAIR|[Pp]air|PE|[Pp]e|END|[Ee]nd)(?P<mate>[1-9])|(?P<trimmed>[12])P"
)
_NUMBER = re.compile(r"[1-9]\d{0,3}")
_JOINED = re.compile(r"(?P<before>\w+)R(?P<mate>[12])")  # without a separator: CR1 may be a sample
_DOUBTFUL_WORDS = {"f": 1, "r": 2, "left": 1, "right": 2, "first": 1, "second": 2}
# Of no sample of the flow cell, as Illumina, Element and PacBio, ONT, MGI and demultiplexers write it.
_NO_SAMPLE = frozenset({"undetermined", "unassigned", "unclassified", "undecoded", "unmatched"})
_UNPAIRED = re.compile(r"[12]U|unpaired|singletons?|orphans?|unmated", re.IGNORECASE)
_BEFORE_NUMBERS = frozenset({"read", "reads", "mate", "mates", "pair", "pairs", "end", "pe"})
_SURE_LANE = re.compile(r"L0\d{1,2}|lane\d+", re.IGNORECASE)
_DOUBTFUL_LANE = re.compile(r"L(\d)")
_ILLUMINA_NUMBER = re.compile(r"S\d+")  # of a sample in its sheet
_NOTHING = re.compile("")
_PART = re.compile(r"\d{3}")
_TREATMENTS = re.compile(
    "adapters?|atria|bbduk|clean(ed)?|clipped|cutadapt|dedup|dehost|fastp|filt(ered)?|paired|pass|pe|qc|raw|reads|"
    "skewer|trim(med)?|trimmomatic|val",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MateToken:
    """A part of a file's name that may say which mates the file holds.

    Attributes:
        mate: The number of the mates, from 1.
        pattern: The name with a placeholder for this part: files of equal patterns differ in this part only.
        index: The index of this part among the parts of the name.
        is_strong: Whether hardly anything but mates is numbered like this: ``R1``, unlike ``1``.
        is_last: Whether only what sequencers and trimmers add comes after it.
        stands_alone: Whether a file without a partner is one of two mates, and no other kind of file.
        before: The beginning of its word, which is a part of the sample's name: ``a`` of ``aR1``.
    """

    mate: int
    pattern: str
    index: int
    is_strong: bool
    is_last: bool
    stands_alone: bool
    before: str = ""


@dataclass(frozen=True, slots=True)
class FastqName:
    """The parts of a FASTQ file's name without its extension.

    Attributes:
        parts: The words of the name, each followed by its separator except the last one.
    """

    parts: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The words, without separators."""
        return self.parts[::2]

    @property
    def no_sample(self) -> str | None:
        """The word by which a file holds the reads that belong to no sample of a flow cell, if there is one."""
        return next((word for word in self.words if word.lower() in _NO_SAMPLE), None)

    @property
    def is_unpaired(self) -> bool:
        """True for the reads that a trimmer left without their mates."""
        return any(_UNPAIRED.fullmatch(word) for word in self.words[1:])

    @property
    def is_barcodes(self) -> bool:
        """True for index reads."""
        place = len(self.words) - 1
        while place > 0 and _is_added(self.words, place):
            place -= 1
        return place > 0 and _BARCODES.fullmatch(self.words[place]) is not None

    def mate_tokens(self) -> list[MateToken]:
        """Return the parts that may say which mates the file holds, the likeliest first.

        >>> [(token.mate, token.pattern) for token in parse_fastq_name("WT_R1_2").mate_tokens()]
        [(1, 'WT_{R}_2'), (2, 'WT_R1_{1}')]
        """
        tokens = [token for place in range(len(self.words)) for token in self._tokens_at(place)]
        return sorted(tokens, key=lambda token: (not token.is_strong, -token.index))

    def _tokens_at(self, place: int) -> Iterator[MateToken]:
        word = self.words[place]
        style, mate, strong = _mate(word)
        if mate and (strong or place):
            last = all(_is_added(self.words, after) for after in range(place + 1, len(self.words)))
            separator = self.parts[2 * place - 1] if place else ""
            alone = strong or (last and separator in ("_", ".") and word in ("1", "2"))
            parts = [*self.parts]
            parts[2 * place] = f"{{{style}}}"
            yield MateToken(mate, "".join(parts), place, strong, last, alone)
        elif match := _JOINED.fullmatch(word):
            before, parts = match["before"], [*self.parts]
            parts[2 * place] = f"{before}{{R}}"
            yield MateToken(int(match["mate"]), "".join(parts), place, False, False, False, before)

    def sample_and_lane(self, token: MateToken | None, lane_of_reads: str | None) -> tuple[str, str | None]:
        """Return the name of the sample, and of the lane where there is one.

        Args:
            token: The part that says which mates the file holds, if any.
            lane_of_reads: The number of the lane in the name of the first read, where it has one.

        >>> name = parse_fastq_name("NA1_S1_L002_R1_001")
        >>> name.sample_and_lane(name.mate_tokens()[0], None)
        ('NA1', 'L002')
        """
        words = [*self.words]
        dropped: set[int] = set()
        if token is not None:
            dropped |= _around(words, token.index)
            if token.before:
                words[token.index] = token.before
                dropped.remove(token.index)
        lanes = [place for place in range(1, len(words)) if _is_lane(words[place], lane_of_reads)]
        lane = words[lanes[0]] if len(lanes) == 1 else None
        if lane is not None:
            dropped.add(lanes[0])
        if dropped:
            first = min(dropped)
            if first > 1 and _ILLUMINA_NUMBER.fullmatch(words[first - 1]):
                dropped.add(first - 1)
        kept = [place for place in range(len(words)) if place not in dropped]
        name = "".join(
            (self.parts[2 * place - 1] if number else "") + words[place] for number, place in enumerate(kept)
        )
        return name, lane


def parse_fastq_name(stem: str) -> FastqName:
    """Return the parts of a file's name, given without its extension.

    >>> parse_fastq_name("A1-R1.trim").words
    ('A1', 'R1', 'trim')
    """
    return FastqName(tuple(_SEPARATORS.split(_TRIM_GALORE.sub("", stem))))


def _mate(word: str) -> tuple[str, int, bool]:
    """Return a word's way to name mates, their number (0 for none), and whether it hardly means anything else."""
    if mate := _WORDS.get(word.lower()):
        return "forward" if len(word) > 3 else "fwd", mate, True
    if match := _STRONG.fullmatch(word):
        number = match["mate"] or match["trimmed"]
        return word.replace(number, ""), int(number), True
    if _NUMBER.fullmatch(word):
        return "1", int(word), False
    if mate := _DOUBTFUL_WORDS.get(word.lower()):
        return ("f" if word.islower() else "F") if len(word) == 1 else "left", mate, False
    return "", 0, False


def _is_added(words: Sequence[str], place: int) -> bool:
    """Return whether sequencers or trimmers add a word behind the mates' number."""
    word = words[place]
    return any(pattern.fullmatch(word) for pattern in (_NOTHING, _TREATMENTS, _PART))


def _around(words: Sequence[str], index: int) -> set[int]:
    """Return the indexes of a mate token and of the words about it that are no part of a sample's name."""
    places = {index}
    if index > 1 and words[index].isdecimal() and words[index - 1].lower() in _BEFORE_NUMBERS:
        places.add(index - 1)
    return places | {place for place in range(index + 1, len(words)) if _is_added(words, place)}


def _is_lane(word: str, lane_of_reads: str | None) -> bool:
    if _SURE_LANE.fullmatch(word):
        return True
    match = _DOUBTFUL_LANE.fullmatch(word)
    return match is not None and match[1] == lane_of_reads
