"""A small VCF with genes and known variants over a random reference, for tests of its annotation in shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pysam

LENGTHS = {"chr1": 60_000, "chr2": 40_000, "chr3": 20_000}
ORDER = ("chr2", "chr1")  # of the VCF, which has no records on chr3
STEP_BP = 13
SAMPLES = 40
_HEADER = """##fileformat=VCFv4.2
##INFO=<ID=END,Number=1,Type=Integer,Description="End">
##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Kind">
{contigs}##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	{samples}
"""
_KNOWN = """##fileformat=VCFv4.2
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
{contigs}#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO
"""


class SmallAnnotation:
    """The files, in a folder: ``reference.fa``, ``genes.gff3``, ``known.vcf.gz`` and ``cohort.vcf.gz``, with indexes.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        random = Random(5)
        self.bases = {name: "".join(random.choices("ACGT", k=length)) for name, length in LENGTHS.items()}
        self.reference = folder / "reference.fa"
        self.reference.write_text("".join(f">{name}\n{_lines(bases)}" for name, bases in self.bases.items()))
        pysam.faidx(str(self.reference))
        self.genes = folder / "genes.gff3"
        self.genes.write_text("##gff-version 3\n" + "".join(_genes(random)))
        self.vcf = write_vcf(folder / "cohort.vcf.gz", _HEADER, self._records(random))
        known = (f"{name}\t{pos}\trs{pos}\t{ref}\t{_other(ref)}\t.\t.\tAF=0.5\n" for name, pos, ref in self._sites(7))
        self.known = write_vcf(folder / "known.vcf.gz", _KNOWN, known)

    @property
    def parameters(self) -> list[str]:
        """The options of the files."""
        named = {"reference": self.reference, "gff3": self.genes, "dbsnp": self.known}
        return [word for name, file in named.items() for word in ("--param", f"annotate.{name}={file}")]

    def _sites(self, step: int) -> Iterator[tuple[str, int, str]]:
        """Yield the positions of records, one of some, with the base of the reference."""
        for name in ORDER:
            for pos in range(10, LENGTHS[name] - 5000, STEP_BP * step):
                yield name, pos, self.bases[name][pos - 1]

    def _records(self, random: Random) -> Iterator[str]:
        """Yield records: substitutions, short deletions, and symbolic ones of some kb."""
        for number, (name, pos, first) in enumerate(self._sites(1)):
            bases, genotypes = self.bases[name], "\t".join(random.choices(["0/1", "1/1", "0/0", "1|0"], k=SAMPLES))
            alleles = [(first, _other(first), ".")]
            if number % 9 == 0:
                alleles.append((bases[pos - 1 : pos + random.choice([2, 5, 12])], first, "."))
            if number % 499 == 0:
                alleles.append((first, "<DEL>", f"END={pos + 3000};SVTYPE=DEL"))
            if number % 5 == 0:  # often in the same codon
                alleles.append((bases[pos], _other(bases[pos]), "."))
            for place, (ref, alt, info) in enumerate(alleles):
                at = pos + (number % 5 == 0 and place + 1 == len(alleles))
                yield f"{name}\t{at}\t.\t{ref}\t{alt}\t50\tPASS\t{info}\tGT\t{genotypes}\n"


def write_vcf(path: Path, header: str, records: Iterable[str]) -> Path:
    """Write a VCF with a `.tbi`.

    Args:
        path: The file.
        header: Its header, with the places of the lines of contigs and of the samples.
        records: Its records.
    """
    contigs = "".join(f"##contig=<ID={name},length={LENGTHS[name]}>\n" for name in (*ORDER, "chr3"))
    samples = "\t".join(f"s{one}" for one in range(SAMPLES))
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(header.format(contigs=contigs, samples=samples).encode())
        for number, record in enumerate(records):
            out.write(record.encode())
            if number % 100 == 0:
                out.flush()  # shards end between blocks
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def empty_vcf(path: Path) -> Path:
    """Write a VCF without records."""
    return write_vcf(path, _HEADER, [])


def _other(base: str) -> str:
    return "A" if base != "A" else "G"


def _lines(bases: str) -> str:
    return "".join(f"{bases[start : start + 60]}\n" for start in range(0, len(bases), 60))


def _genes(random: Random) -> Iterator[str]:
    """Yield genes of several exons that overlap each other, with introns longer than a shard."""
    for name, length in LENGTHS.items():
        for number in range(12):
            strand, start = random.choice("+-"), random.randrange(1, length - 15_000)
            gene, exons = f"{name}G{number}", []
            for _ in range(random.randint(1, 4)):
                end = start + 3 * random.randint(20, 120) - 1
                exons.append((start, end))
                start = end + random.randint(60, 4000)
            line = f"{name}\te\t{{}}\t{{}}\t{{}}\t.\t{strand}\t{{}}\t{{}}\n"
            extent = (exons[0][0], exons[-1][1])
            yield line.format("gene", *extent, ".", f"ID=gene:{gene};Name={gene};biotype=protein_coding")
            attributes = f"ID=transcript:{gene}T;Parent=gene:{gene};biotype=protein_coding"
            yield line.format("mRNA", *extent, ".", attributes)
            for exon in exons:
                yield line.format("CDS", *exon, "0", f"ID=CDS:{gene}P;Parent=transcript:{gene}T")


def small_pipeline(folder: Path, shard_bytes: int = 2048) -> Path:
    """Write the shipped pipeline with shards of some kilobytes, and return its file."""
    root = Path(__file__).parents[1]
    text = (root / "pipelines/annotate.toml").read_text().replace("33_554_432", str(shard_bytes))
    for step in ("annotate", "join_vcf"):
        text = text.replace(f'step = "{step}"', f'step = "{root / "steps" / step}"')
    file = folder / "small.toml"
    file.write_text(text)
    return file
