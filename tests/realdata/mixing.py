"""Reads of two people in one sample, chosen by a seeded hash of their names, which are kept."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path

Pair = tuple[str, str]


def mix(folder: Path, own: str, other: str, share: float, kept: float, to: Path) -> None:
    """Write FASTQ files of a sample with a share of the pairs of another person.

    Args:
        folder: The folder of the FASTQ files of both people.
        own: The name of the sample.
        other: The name of the other person's.
        share: The share of the other's pairs among those written.
        kept: The number of pairs written, of those of the sample.
        to: The path of the files to write, without ``_R1.fastq.gz``.
    """
    mine, others = list(pairs(folder, own)), list(pairs(folder, other))
    chosen = [pair for pair in mine if place(pair, other) < kept * (1 - share)]
    chosen += [pair for pair in others if place(pair, own) < kept * share * len(mine) / len(others)]
    for mate in (0, 1):
        with gzip.open(f"{to}_R{mate + 1}.fastq.gz", "wt", 1) as file:
            file.writelines(pair[mate] for pair in chosen)


def pairs(folder: Path, sample: str) -> Iterator[Pair]:
    """Yield the records of both mates of each pair."""
    first, second = (records(folder / f"{sample}_R{mate}.fastq.gz") for mate in (1, 2))
    return zip(first, second, strict=True)


def records(path: Path) -> Iterator[str]:
    """Yield the records of a FASTQ file."""
    with gzip.open(path, "rt") as file:
        while lines := list(islice(file, 4)):
            yield "".join(lines)


def place(pair: Pair, seed: str) -> float:
    """Return a number from 0 to 1 that the name of a pair and a seed decide."""
    name = pair[0].split()[0].removesuffix("/1")
    return int.from_bytes(blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()) / 2**64
