"""The sets of real reads beside the checkout, whole and downsampled by a seeded hash of the reads' names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FULL = "full"


@dataclass(frozen=True, slots=True)
class RealSet:
    """A set of samples with one reference.

    Attributes:
        name: The name of its folder.
        ploidy: Copies of each chromosome.
        mark_duplicates: Duplicates can be told from their positions: not so for amplicons.
        truth: The file of its true variants; None if they are not known.
        regions: The BED file of the regions where truth is known; None for everywhere.
        root: The folder that holds its folder.
    """

    name: str
    ploidy: int = 2
    mark_duplicates: bool = True
    truth: str | None = None
    regions: str | None = None
    root: Path = DATA

    @property
    def folder(self) -> Path:
        """Return the folder of the set."""
        return self.root / self.name

    @property
    def reads(self) -> dict[str, tuple[Path, Path]]:
        """Return the two FASTQ files of each sample."""
        firsts = sorted(self.folder.glob("*_R1.fastq.gz"))
        samples = [file.name.removesuffix("_R1.fastq.gz") for file in firsts]
        return {one: (file, self.folder / f"{one}_R2.fastq.gz") for one, file in zip(samples, firsts, strict=True)}

    @property
    def parameters(self) -> list[str]:
        """Return the parameters of a run of the set, as ``STAGE.NAME=VALUE``."""
        return [
            f"variant_calling.ploidy={self.ploidy}",
            f"alignment.mark_duplicates={str(self.mark_duplicates).lower()}",
        ]


SETS = {
    one.name: one
    for one in (
        RealSet("1000g-3sample-chr21-chr22", truth="truth.vcf.gz", regions="regions.bed"),
        RealSet("na12878-chr20-hg19-100kb", truth="truth.vcf.gz", regions="confident.bed"),
        RealSet("sarscov2-twist-controls", ploidy=1, mark_duplicates=False, truth="truth.vcf"),
        RealSet("sarscov2-8sample-cohort", ploidy=1),
    )
}


@dataclass(frozen=True, slots=True)
class Reads:
    """The reads of a set at one depth.

    Attributes:
        set: The set.
        depth: `FULL`, or the mean depth that samples are reduced to.
        seed: The seed of the choice of reads; 0 at full depth.
        files: The two FASTQ files of each sample.
    """

    set: RealSet
    depth: str
    seed: int
    files: Mapping[str, tuple[Path, Path]]

    @property
    def title(self) -> str:
        """Return the words that name it in messages."""
        return f"{self.set.name}, {self.depth}" + (f", seed {self.seed}" if self.seed else "")


def downsampled(real: RealSet, depths: Sequence[str], seeds: int, cache: Path, measure: Depths) -> Iterator[Reads]:
    """Yield the set at each depth; a depth below the full one with each seed.

    A sample that is not deeper stays whole. Downsampled files are kept in the cache; those of one seed contain each
    other.

    Args:
        real: The set.
        depths: `FULL` or numbers.
        seeds: The number of seeds, from 1.
        cache: The folder of the cache.
        measure: Returns the mean depth of each sample of a set.
    """
    if FULL in depths:
        yield Reads(real, FULL, 0, real.reads)
    lower = [depth for depth in depths if depth != FULL]
    if not lower:
        return
    folder = cache / real.name
    folder.mkdir(parents=True, exist_ok=True)
    full = _full_depths(real, folder / "depths.json", measure)
    for seed in range(1, seeds + 1):
        for depth in lower:
            parts = {name: float(depth) / full[name] for name in real.reads}
            files = {
                name: tuple(_part(file, parts[name], seed, folder / f"{depth}x-{seed}") for file in pair)
                for name, pair in real.reads.items()
            }
            yield Reads(real, depth, seed, {name: (pair[0], pair[1]) for name, pair in files.items()})


Depths = Callable[[RealSet], dict[str, float]]


def _full_depths(real: RealSet, file: Path, measure: Depths) -> dict[str, float]:
    if not file.exists():
        file.write_text(json.dumps(measure(real)))
    depths: dict[str, float] = json.loads(file.read_text())
    return depths


def _part(source: Path, part: float, seed: int, folder: Path) -> Path:
    """Return a file with about a part of the reads of another; the same reads of both mates."""
    if part >= 1:
        return source
    target = folder / f"{part:.6f}-{source.name}"
    if not target.exists():
        folder.mkdir(exist_ok=True)
        temporary = target.with_suffix(".part")
        with gzip.open(source) as reads, gzip.open(temporary, "wb", compresslevel=1) as out:
            while record := list(islice(reads, 4)):
                if chance(record[0], seed) < part:
                    out.writelines(record)
        temporary.rename(target)
    return target


def chance(header: bytes, seed: int) -> float:
    """Return a number in [0, 1) for a read and a seed, the same for its mate.

    >>> chance(b"@r7/1", 1) == chance(b"@r7/2 length=9", 1) != chance(b"@r7", 2)
    True
    """
    name = header.split()[0].removesuffix(b"/1").removesuffix(b"/2")
    return int.from_bytes(blake2b(name, digest_size=8, salt=str(seed).encode()).digest(), "big") / (1 << 64)
