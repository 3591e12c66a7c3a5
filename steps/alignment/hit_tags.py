"""The tags of an alignment: NM, MD, AS, XS, and for a read with several hits SA and XA, in bwa mem's form."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import NamedTuple

from differences import Differences

# bwa's -h and XA_drop_ratio: other places are listed if there are at most five, of at least this share of the score.
MOST_PLACES, LEAST_SHARE = 5, 0.8
_SMALL = [b"C%c" % value for value in range(256)]
_INTEGERS = (("H", 0, 65_535), ("h", -32_768, -1))
_BAM_TYPES = {"H": b"S", "h": b"s", "i": b"i"}


class Place(NamedTuple):
    """A hit of a read with all that tags say about it.

    Attributes:
        contig: The name of the sequence.
        start: The leftmost position, from 0.
        reverse: The read is reversed.
        quality: The mapping quality.
        cigar: The CIGAR with its clips.
        read_start: The first base of the read that is aligned.
        read_end: The base behind the last.
        secondary: It is another place for the bases of a better hit.
        differences: The differences from the reference.
    """

    contig: str
    start: int
    reverse: bool
    quality: int
    cigar: str
    read_start: int
    read_end: int
    secondary: bool
    differences: Differences

    def overlap(self, other: Place) -> int:
        """Return how many bases of the read are aligned in both."""
        return min(self.read_end, other.read_end) - max(self.read_start, other.read_start)


def alignment_tags(differences: Differences, next_score: int) -> bytes:
    r"""Return NM, MD, AS and XS.

    Args:
        differences: The differences from the reference.
        next_score: The score of the best other place, 0 for none.

    >>> alignment_tags(Differences(1, b"4A5", 5), 0)
    b'NMC\x01MDZ4A5\x00ASC\x05XSC\x00'
    """
    edits, text, score = differences
    scores = _integer(b"AS", score) + _integer(b"XS", next_score)
    return _integer(b"NM", edits) + b"MDZ%b\0" % text + scores


def tags_of_places(places: Sequence[Place]) -> list[bytes]:
    """Return the tags of each hit that is not secondary, for a read with several hits."""
    shown = [place for place in places if not place.secondary]
    others: list[list[Place]] = [[] for _ in shown]
    for place in places:
        if place.secondary:
            nearest = max(range(len(shown)), key=lambda which: shown[which].overlap(place))
            others[nearest].append(place)
    tags = []
    for which, (place, rivals) in enumerate(zip(shown, others, strict=True)):
        next_score = max((rival.differences.score for rival in rivals), default=0)
        least = LEAST_SHARE * place.differences.score
        good = [rival for rival in rivals if rival.differences.score >= least]
        parts = [alignment_tags(place.differences, max(0, next_score))]
        parts += [_split_tag(shown[:which] + shown[which + 1 :])] if len(shown) > 1 else []
        parts += [_others_tag(good)] if 0 < len(good) <= MOST_PLACES else []
        tags.append(b"".join(parts))
    return tags


def _split_tag(places: Sequence[Place]) -> bytes:
    """Return SA, the other parts of a split alignment."""
    parts = [
        f"{one.contig},{one.start + 1},{'-' if one.reverse else '+'},{one.cigar},{one.quality},{one.differences.edits};"
        for one in places
    ]
    return b"SAZ%b\0" % "".join(parts).encode()


def _others_tag(places: Sequence[Place]) -> bytes:
    """Return XA, the other places of the same bases."""
    parts = [
        f"{one.contig},{'-' if one.reverse else '+'}{one.start + 1},{one.cigar},{one.differences.edits};"
        for one in places
    ]
    return b"XAZ%b\0" % "".join(parts).encode()


def _integer(tag: bytes, value: int) -> bytes:
    """Return an integer's tag, in the shortest type that holds it."""
    if 0 <= value < 256:
        return tag + _SMALL[value]
    kind = next((kind for kind, least, most in _INTEGERS if least <= value <= most), "i")
    return tag + _BAM_TYPES[kind] + pack(f"<{kind}", value)
