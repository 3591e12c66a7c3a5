"""gVCFs with an index: blocks of reference of all lengths, SNPs and deletions, and stretches without records."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pysam

CONTIGS = {"chr1": 40_000_000, "chr2": 3_000_000, "chr_empty": 1000, "HLA:1*01": 5000}
HEADER = (
    "##fileformat=VCFv4.2\n"
    + "".join(f"##contig=<ID={name},length={length}>\n" for name, length in CONTIGS.items())
    + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n"
)


def gvcf_lines(seed: int) -> Iterator[str]:
    """Yield the records."""
    rng = random.Random(seed)
    for contig, length in CONTIGS.items():
        pos = 1 if contig != "chr_empty" else length + 1
        while pos <= length:
            kind = rng.random()
            if kind < 0.7:
                end = min(length, pos + int(10 ** rng.uniform(0, 5.5 if kind < 0.01 else 3.8)))
                yield f"{contig}\t{pos}\t.\tA\t<*>\t.\t.\tEND={end}\tDP\t{rng.randrange(99)}"
                pos = end + (1 if rng.random() < 0.99 else int(10 ** rng.uniform(0, 6)))
            else:
                ref = "A" * (1 if kind < 0.9 else rng.randrange(1, 300))
                yield f"{contig}\t{pos}\t.\t{ref}\tC\t.\t.\t{rng.getrandbits(200):x}\tDP\t9"
                pos += rng.choice((0, 1, 3))


def write_gvcf(
    path: Path, seed: int = 1, *, csi: bool = False, min_shift: int = 14, lines: Iterable[str] | None = None
) -> None:
    """Write a gVCF and its index.

    Args:
        path: The file.
        seed: The seed of its records.
        csi: The index is a `.csi`, not a `.tbi`.
        min_shift: The smallest bin of a `.csi`, as a power of 2.
        lines: Other records.
    """
    fast: Any = "wb1"  # the mode of the quickest compression, which the types of pysam do not know
    with pysam.BGZFile(str(path), fast, index=None) as out:
        out.write(HEADER.encode())
        for line in gvcf_lines(seed) if lines is None else lines:
            out.write(f"{line}\n".encode())
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi, min_shift=min_shift if csi else -1)
