"""GFF3 files of genes against a reference: each that `bcftools csq` would refuse, or ignore in silence."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from genomics_pipeline.reference.gff3 import gff3_problems
from genomics_pipeline.stores.local import LocalStore

CONTIGS = {"chr1": 1000, "chrM": 100}
GENE = b"1\tensembl\tgene\t101\t124\t.\t+\t.\tID=gene:G1;biotype=protein_coding\n"
CDS = b"1\tensembl\tCDS\t101\t124\t.\t+\t0\tID=CDS:P1;Parent=transcript:T1\n"
GOOD = b"##gff-version 3\n#!genome-build x\n" + GENE + CDS


def problems(path: Path, data: bytes) -> list[str]:
    path.write_bytes(data)
    return [str(one).removeprefix(f"{path}:").strip() for one in gff3_problems(str(path), LocalStore(), CONTIGS)]


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        gzip.compress(GOOD),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"1\tens", b"chr1\tens"),
        GOOD.replace(b"1\tens", b"MT\tens").replace(b"101\t124", b"1\t99"),
        GOOD + b"KI270728.1\tensembl\tCDS\t1\t9000\t.\t+\t0\tParent=transcript:T2\n",  # not in the reference
        GOOD + b"##FASTA\n>1\nACGT\n",
    ],
)
def test_good_files(tmp_path: Path, data: bytes) -> None:
    assert problems(tmp_path / "a", data) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected the features of genes, found none"),
        (GOOD + b"garbage\n", "5: expected the nine columns of a feature between tabs, found 'garbage'"),
        (
            GOOD.replace(b"1\tens", b"NC_000001.11\tens"),
            "expected contigs of the reference, found 'NC_000001.11' and no other; known: chr1, chrM",
        ),
        (
            GOOD.replace(b"124", b"1240"),
            "3: expected 1 <= start <= end <= 1000, the length of chr1, found 101 and 1240; "
            "is the file of another assembly?",
        ),
        (
            b"##gff-version 3\n" + GENE,
            "expected CDS features on contigs of the reference, from which consequences follow, found none",
        ),
        (
            CDS.replace(b"ID=CDS:P1;Parent=transcript:T1", b'gene_id "G1"; transcript_id "T1";'),
            '1: expected attributes such as Parent=transcript:T1, found \'gene_id "G1"; transcript_id "T1";\'; '
            "is this a GTF file?",
        ),
        (gzip.compress(GOOD)[:-12], "1: expected a whole gzip file"),
    ],
)
def test_bad_files(tmp_path: Path, data: bytes, message: str) -> None:
    assert problems(tmp_path / "a", data)[0].startswith(message)


def test_a_file_of_errors_is_not_read_to_its_end(tmp_path: Path) -> None:
    shown = problems(tmp_path / "a", b"x\n" * 5000)
    assert (len(shown), shown[-1]) == (26, "25: found 25 errors up to here; the rest was not checked")
