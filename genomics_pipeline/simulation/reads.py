"""Paired reads of a diploid sample: fragments of both haplotypes, from both strands, some of them twice."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedWriter
from itertools import accumulate
from pathlib import Path
from random import Random

from genomics_pipeline.simulation.qualities import READ_BP, Profile, misread, profiles

INSERT_BP, INSERT_SD_BP, LONGEST_INSERT_BP = 350, 50, 600
DUPLICATE_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Template:
    """A haplotype that fragments are cut from, and its reverse complement."""

    forward: bytes
    reverse: bytes


# Index of the template, start of the fragment on the forward strand, its length, True if mate 1 is on the reverse one.
Fragment = tuple[int, int, int, bool]


def templates(haplotypes: Sequence[str]) -> list[Template]:
    """Return each haplotype with its reverse complement."""
    from Bio.Seq import reverse_complement

    return [Template(sequence.encode(), reverse_complement(sequence).encode()) for sequence in haplotypes]  # type: ignore[no-untyped-call,unused-ignore]


def fragments(lengths: Sequence[int], number: int, rng: Random) -> list[Fragment]:
    """Return fragments of random haplotypes, and PCR copies of some, in random order.

    Args:
        lengths: The length of each haplotype, in bp; fragments are distributed evenly over them.
        number: The number of fragments before PCR.
        rng: The source of randomness.
    """
    weights = list(accumulate(lengths))
    drawn = []
    for index in rng.choices(range(len(lengths)), cum_weights=weights, k=number):
        size = min(max(round(rng.gauss(INSERT_BP, INSERT_SD_BP)), READ_BP), LONGEST_INSERT_BP)
        drawn.append((index, int(rng.random() * (lengths[index] - size + 1)), size, rng.random() < 0.5))
    drawn += rng.sample(drawn, round(number * DUPLICATE_SHARE))
    rng.shuffle(drawn)
    return drawn


def mates(fragment: Fragment, sources: Sequence[Template]) -> tuple[bytes, bytes]:
    """Return the error-free bases of mate 1 and mate 2: both ends of the fragment, read inwards."""
    index, start, size, reverse = fragment
    template = sources[index]
    mirrored = len(template.forward) - start - size
    left = template.forward[start : start + READ_BP]
    right = template.reverse[mirrored : mirrored + READ_BP]
    return (right, left) if reverse else (left, right)


def write_reads(
    paths: Sequence[tuple[Path, Path]], haplotypes: Sequence[str], number: int, rng: Random, run: int
) -> int:
    """Sequence one sample into gzip-compressed FASTQ files.

    Args:
        paths: For each lane, the files of mate 1 and mate 2; pairs are assigned to lanes at random.
        haplotypes: The sample's sequences.
        number: The number of read pairs before PCR copies.
        rng: The source of randomness, the sample's own.
        run: The run number in the reads' names.

    Returns:
        The number of read pairs that were written.
    """
    sources = templates(haplotypes)
    pools = profiles(rng, 1), profiles(rng, 2)
    drawn = fragments([len(sequence) for sequence in haplotypes], number, rng)
    with ExitStack() as stack:
        files = [[stack.enter_context(_gzip(path, stack)) for path in pair] for pair in paths]
        for index, fragment in enumerate(drawn):
            lane = int(rng.random() * len(files))
            name = _name(run, lane + 1, index)
            for mate, text in enumerate(_records(name, mates(fragment, sources), pools, rng)):
                files[lane][mate].write(text)
    return len(drawn)


def _records(name: str, pair: tuple[bytes, bytes], pools: Sequence[Sequence[Profile]], rng: Random) -> Iterator[bytes]:
    for mate, (bases, pool) in enumerate(zip(pair, pools, strict=True), start=1):
        profile = pool[int(rng.random() * len(pool))]
        yield b"@%s %d:N:0:ACGTACGT\n%s\n+\n%s\n" % (name.encode(), mate, misread(bases, profile, rng), profile.text)


def _name(run: int, lane: int, index: int) -> str:
    """Return an Illumina read name, whose tile and coordinates are unique in the sample."""
    tile, spot = divmod(index, 1_000_000)
    return f"SIM01:{run}:FCSIM:{lane}:{1101 + tile}:{1000 + spot % 1000}:{1000 + spot // 1000}"


def _gzip(path: Path, stack: ExitStack) -> BufferedWriter:
    """Open a gzip file that stores no name or time, so that the same reads give the same bytes."""
    raw = stack.enter_context(path.open("wb"))
    compressed = stack.enter_context(gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0))
    return BufferedWriter(compressed, buffer_size=1 << 20)
