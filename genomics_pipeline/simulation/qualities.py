"""Base qualities and sequencing errors: a base of quality Q is wrong with probability 10^(-Q/10)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import exp
from random import Random

READ_BP = 150
PROFILES = 256
GOOD, FAIR, POOR = 37, 25, 11  # the quality bins of recent Illumina instruments
OTHERS = {base: bytes(other for other in b"ACGT" if other != base) for base in b"ACGT"}


@dataclass(frozen=True, slots=True)
class Profile:
    """The qualities of one read.

    Attributes:
        text: The qualities in Phred+33, as in FASTQ.
        expected: The cumulative expected number of errors, base by base.
        clean: The probability that no base is wrong.
    """

    text: bytes
    expected: list[float]
    clean: float

    def errors(self, rng: Random) -> Iterator[int]:
        """Yield the indexes of wrong bases: a Poisson number of them, mostly none, mostly at poor bases."""
        left, chance, number = rng.random(), self.clean, 0
        while left > chance and number < READ_BP:
            left -= chance
            number += 1
            chance *= self.expected[-1] / number
            yield min(bisect_right(self.expected, rng.random() * self.expected[-1]), READ_BP - 1)


def profiles(rng: Random, mate: int) -> list[Profile]:
    """Return a pool of profiles for reads; qualities decrease along the read, and more so in mate 2."""
    return [_profile(rng, 1.0 if mate == 1 else 1.6) for _ in range(PROFILES)]


def _profile(rng: Random, wear: float) -> Profile:
    scores = [_score(rng, wear * (0.02 + 0.1 * (cycle / READ_BP) ** 2)) for cycle in range(READ_BP)]
    expected = list(accumulate(10 ** (-score / 10) for score in scores))
    return Profile(bytes(score + 33 for score in scores), expected, exp(-expected[-1]))


def _score(rng: Random, below_good: float) -> int:
    if rng.random() >= below_good:
        return GOOD
    return FAIR if rng.random() < 0.7 else POOR


def misread(bases: bytes, profile: Profile, rng: Random) -> bytes:
    """Return bases as the instrument reads them, some of them wrong."""
    wrong = None
    for index in profile.errors(rng):
        wrong = wrong or bytearray(bases)
        wrong[index] = rng.choice(OTHERS[bases[index]])
    return bytes(wrong) if wrong else bases
