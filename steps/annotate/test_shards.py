"""Shards of random variants in random overlapping genes: annotated one by one, they are what they are in one piece.

csq of bcftools names wrong variants where genes overlap, others in each piece: `common/compound_references.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pysam
import pysam.bcftools
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import annotate
from common import variant_annotation
from common.variant_annotation import annotation_commands, run_passes

LENGTHS = {"chr1": 5000, "chr2": 3000}
SAMPLES = 3
NOTHING = dict.fromkeys(("dbsnp", "clinvar", "gnomad"))
SEEDS = range(5)
HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=5000>
##contig=<ID=chr2,length=3000>
##INFO=<ID=END,Number=1,Type=Integer,Description="End">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	a	b	c
"""


class LocalBatch:
    """The parts of a call that the step uses, with files of this machine.

    Args:
        parameters: The parameters.
        scratch: A folder for temporary files and the output, which is made.
    """

    def __init__(self, parameters: dict[str, Any], scratch: Path) -> None:
        scratch.mkdir()
        self.parameters = parameters
        self.scratch = str(scratch)

    def file(self, path: str) -> Any:
        data = Path(path).read_bytes()
        return SimpleNamespace(version="1", size_bytes=len(data), read=lambda start, size: data[start : start + size])

    def excerpt(self, path: str, regions: list[str]) -> str:
        return path

    def output(self, name: str) -> str:
        return f"{self.scratch}/{name}.vcf.gz"


def genes(random: Random) -> Iterator[str]:
    """Yield genes of some transcripts, which share exons; genes overlap each other."""
    for contig, length in LENGTHS.items():
        for number in range(12):
            exons, start, strand = list[tuple[int, int]](), random.randrange(1, length - 800), random.choice("+-")
            for _ in range(random.randint(1, 5)):
                end = start + 3 * random.randint(5, 50) - 1
                if end < length:
                    exons.append((start, end))
                start = end + random.randint(3, random.choice([30, 1500]))
            line = f"{contig}\te\t{{}}\t{{}}\t{{}}\t.\t{strand}\t{{}}\t{{}};biotype=protein_coding\n"
            gene = f"{contig}G{number}"
            yield line.format("gene", exons[0][0], exons[-1][1], ".", f"ID=gene:{gene};Name={gene}")
            for copy in range(random.randint(1, 3)):
                some = [one for one in exons if not copy or random.random() < 0.7] or exons
                name = f"{gene}T{copy}"
                attributes = f"ID=transcript:{name};Parent=gene:{gene}"
                yield line.format("mRNA", some[0][0], some[-1][1], ".", attributes)
                for first, last in some:
                    yield line.format("CDS", first, last, "0", f"ID=CDS:{name};Parent=transcript:{name}")
                    yield line.format("exon", first, last, ".", f"Parent=transcript:{name}")


def records(random: Random, bases: dict[str, str]) -> Iterator[str]:
    """Yield substitutions, insertions and deletions, short and long, of which some share a position."""
    for contig, sequence in bases.items():
        pos = 1
        while pos < len(sequence) - 500:
            first = sequence[pos - 1]
            other = random.choice("ACGT".replace(first, ""))
            deleted = sequence[pos - 1 : pos + random.randint(1, 6)]
            kinds = [(first, other, ".")] * 6 + [(deleted, first, "."), (first, first + other, ".")]
            kinds.append((first, "<DEL>", f"END={pos + random.choice([5, 400])}"))
            genotypes = "\t".join(random.choices(["0|1", "1|1", "0|0", "1|0"], k=SAMPLES))
            ref, alt, info = random.choice(kinds)
            yield f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\t{info}\tGT\t{genotypes}\n"
            pos += random.choice([0, 1, 2, 3, 5, 9])


def write_files(folder: Path, random: Random) -> dict[str, Any]:
    """Write ``cohort.bcf`` with what it is annotated with, and return the parameters."""
    bases = {name: "".join(random.choices("ACGT", k=length)) for name, length in LENGTHS.items()}
    reference, gff3, text = folder / "reference.fa", folder / "genes.gff3", folder / "cohort.vcf"
    reference.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in bases.items()))
    pysam.faidx(str(reference))
    contigs = "".join(f"{name}\tr\tchromosome\t1\t{length}\t.\t.\t.\tID=c\n" for name, length in LENGTHS.items())
    gff3.write_text(f"##gff-version 3\n{contigs}{''.join(genes(random))}")
    text.write_text(HEADER + "".join(records(random, bases)))
    pysam.bcftools.view("-Ob", "-W", "-o", str(folder / "cohort.bcf"), str(text), catch_stdout=False)
    return {"reference": str(reference), "gff3": str(gff3), "phase": "a", **NOTHING}


def lines_of(path: str) -> list[str]:
    """Return the records of a file as text."""
    with pysam.VariantFile(path) as vcf:
        return list(map(str, vcf))


def annotated_shards(vcf: str, parameters: dict[str, Any], random: Random) -> Iterator[str]:
    """Yield the records of shards that are divided at random."""
    for contig, length in LENGTHS.items():
        cuts = sorted(random.sample(range(1, length), 2))
        for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, length + 9], strict=True):
            batch = LocalBatch(dict(parameters), Path(f"{vcf}-{contig}-{start}"))
            record = {"vcf": vcf, "version": "1", "regions": [f"{contig}:{start}-{end}"]}
            annotate.annotate(batch, {**record, "shard": 1, "shards": 1, "of_records": None})
            yield from lines_of(batch.output("vcf"))


def whole(vcf: str, parameters: dict[str, Any], folder: Path) -> str:
    """Annotate a file in one piece, and return the annotated one."""
    return run_passes(list(annotation_commands(parameters, parameters["reference"], parameters["gff3"])), vcf, folder)


@pytest.mark.parametrize("seed", SEEDS)
def test_shards_of_overlapping_genes_are_those_of_the_whole(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    parameters, vcf = write_files(tmp_path, random), str(tmp_path / "cohort.bcf")
    assert list(annotated_shards(vcf, parameters, random)) == lines_of(whole(vcf, parameters, tmp_path))


def test_telomeres_are_annotated(tmp_path: Path) -> None:
    """VCF has them at POS 0, which no region has."""
    random = Random(7)
    parameters, vcf = write_files(tmp_path, random), str(tmp_path / "telomeres.vcf.gz")
    with pysam.BGZFile(vcf, "wb", index=None) as out:
        out.write(HEADER.encode())
        for contig in LENGTHS:
            for pos in (0, 5, 2999):
                out.write(f"{contig}\t{pos}\t.\tN\t<DEL>\t.\tPASS\t.\tGT\t0|1\t0|0\t0|0\n".encode())
    pysam.tabix_index(vcf, preset="vcf")
    shards = list(annotated_shards(vcf, parameters, random))
    assert shards == lines_of(whole(vcf, parameters, tmp_path))
    assert len(shards) == 6


def test_what_depends_on_variants_before_is_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If csq of a later version writes the same in these genes, the correction is needed no more."""
    parameters, vcf = write_files(tmp_path, Random(SEEDS[0])), str(tmp_path / "cohort.bcf")
    right = lines_of(whole(vcf, parameters, tmp_path))
    monkeypatch.setattr(variant_annotation, "corrected", lambda annotated, *_: annotated)
    assert lines_of(whole(vcf, parameters, tmp_path)) != right


@pytest.mark.parametrize(("strand", "referring", "described"), [("+", 511, 510), ("-", 510, 511)])
def test_groups_before_the_first_that_refers(tmp_path: Path, strand: str, referring: int, described: int) -> None:
    """Of transcripts with the same end the order may depend on the group before, whether variants refer or not."""
    parameters, vcf = write_files(tmp_path, Random(SEEDS[0])), str(tmp_path / "codons.vcf.gz")
    bases = pysam.FastaFile(parameters["reference"]).fetch("chr1")
    genes, rows = ["##gff-version 3\n"], []
    for start in (101, 301, 501):
        line = f"chr1\te\t{{}}\t{start}\t{start + 59}\t.\t{strand}\t{{}}\t{{}};biotype=protein_coding\n"
        genes.append(line.format("gene", ".", f"ID=gene:G{start};Name=G{start}"))
        for name in (f"T{start}a", f"T{start}b"):
            genes.append(line.format("mRNA", ".", f"ID=transcript:{name};Parent=gene:G{start}"))
            genes.append(line.format("CDS", "0", f"ID=CDS:{name};Parent=transcript:{name}"))
            genes.append(line.format("exon", ".", f"Parent=transcript:{name}"))
    for pos in (110, 310, 510, 511):
        other = "A" if bases[pos - 1] != "A" else "C"
        rows.append(f"chr1\t{pos}\t.\t{bases[pos - 1]}\t{other}\t.\tPASS\t.\tGT\t0|1\t0|0\t0|0\n")
    Path(parameters["gff3"]).write_text("".join(genes))
    with pysam.BGZFile(vcf, "wb", index=None) as out:
        out.write(f"{HEADER}{''.join(rows)}".encode())
    pysam.tabix_index(vcf, preset="vcf")
    with pysam.VariantFile(whole(vcf, parameters, tmp_path)) as annotated:
        found = {record.pos: record.info["BCSQ"] for record in annotated}
    assert found[referring] == (f"@{described}",)
    assert [len(found[pos]) for pos in (110, 310, described)] == [2, 2, 2]
