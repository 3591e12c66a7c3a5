"""The genes of a GFF3 file under the names of the reference's contigs, as bcftools csq can use them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO

from common.program import BadInput

SEQUENCES = "##FASTA"  # sequences follow this line, which csq cannot read
GZIP = b"\x1f\x8b"
MITOCHONDRION = {"MT": "chrM", "chrM": "MT"}  # of Ensembl and of UCSC


def write_genes(path: str, contigs: Mapping[str, int], folder: Path) -> Path:
    """Write the features on contigs of the reference, and a line for each contig, and return the written file.

    A contig without genes needs a line: csq fails at variants on contigs that its file does not have
    (https://github.com/samtools/bcftools/issues/2584), and its ``--force`` would skip other checks, too.

    Args:
        path: The file, plain or gzip.
        contigs: The length of each contig of the reference, by name.
        folder: A new folder for a file of the same name, without compression.

    Raises:
        BadInput: for a damaged file, and one without features on these contigs.
    """
    folder.mkdir()
    target = folder / Path(path).name.removesuffix(".gz")
    count = 0
    with target.open("w") as out:
        out.write(contig_lines(contigs))
        for line in renamed_lines(path, contigs):
            out.write(line)
            count += 1
    if not count:
        raise BadInput(f"{path}: expected features on contigs of the reference, found none")
    return target


def contig_lines(contigs: Mapping[str, int]) -> str:
    """Return the first lines of a file of genes: a line for each contig, whether or not it has genes."""
    rows = (
        f"{name}\treference\tchromosome\t1\t{length}\t.\t.\t.\tID=chromosome:{name}\n"
        for name, length in contigs.items()
    )
    return f"##gff-version 3\n{''.join(rows)}"


def renamed_lines(path: str, contigs: Collection[str]) -> Iterator[str]:
    """Yield the lines of features on contigs of the reference, under its names.

    Raises:
        BadInput: for a damaged file.
    """
    names: dict[str, str | None] = {}
    try:
        with _open(path) as lines:
            for line in lines:
                if line.startswith(SEQUENCES):
                    return
                name, tab, rest = line.partition("\t")
                if not tab or line.startswith("#"):
                    continue
                if name not in names:
                    names[name] = own_name(name, contigs)
                if own := names[name]:
                    yield f"{own}\t{rest.rstrip()}\n"
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected a whole GFF3 file, found: {error}") from None


def _open(path: str) -> IO[str]:
    with Path(path).open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
    return gzip.open(path, "rt", encoding="utf-8") if is_gzip else Path(path).open(encoding="utf-8")


def own_name(name: str, contigs: Collection[str]) -> str | None:
    """Return the name that the reference has for a contig, with or without ``chr``; None if it does not have it.

    >>> own_name("1", ["chr1", "chrM"]), own_name("MT", ["chr1", "chrM"]), own_name("chr1", ["1"]), own_name("2", ["1"])
    ('chr1', 'chrM', '1', None)
    """
    candidates = (name, f"chr{name}", name.removeprefix("chr"), MITOCHONDRION.get(name, name))
    return next((one for one in candidates if one in contigs), None)
