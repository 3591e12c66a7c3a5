"""VCFs that `run --pipeline annotate` refuses before anything runs, each with its message."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest

from tests.cli.conftest import Ended
from tests.small_annotation import SmallAnnotation, small_pipeline

Cli = Callable[..., Ended]
OTHER = "the index is of another file, or of this one before it was changed; make it again with `bcftools index`"
COMPRESSION = "expected the compression of bgzip, of which parts can be read, found"


def _plain(small: SmallAnnotation) -> None:
    small.vcf.write_bytes(gzip.decompress(small.vcf.read_bytes()))


def _gzip(small: SmallAnnotation) -> None:
    small.vcf.write_bytes(gzip.compress(gzip.decompress(small.vcf.read_bytes()), mtime=0))


def _no_index(small: SmallAnnotation) -> None:
    Path(f"{small.vcf}.tbi").unlink()


def _cut_off(small: SmallAnnotation) -> None:
    small.vcf.write_bytes(small.vcf.read_bytes()[:-1000])


def _without_end(small: SmallAnnotation) -> None:
    small.vcf.write_bytes(small.vcf.read_bytes()[:-28])


def _index_of_fewer(small: SmallAnnotation) -> None:
    """Add records after the index was made."""
    index = Path(f"{small.vcf}.tbi").read_bytes()
    text = gzip.decompress(small.vcf.read_bytes())
    with pysam.BGZFile(str(small.vcf), "wb", index=None) as out:
        out.write(text + text[-2000:].partition(b"\n")[2] * 200)
    Path(f"{small.vcf}.tbi").write_bytes(index)


def _index_of_a_beginning(small: SmallAnnotation) -> None:
    """Add a block with a record behind those that the index knows."""
    last = gzip.decompress(small.vcf.read_bytes()).splitlines(keepends=True)[-1]
    with pysam.BGZFile("block.gz", "wb", index=None) as out:
        out.write(last)
    small.vcf.write_bytes(small.vcf.read_bytes()[:-28] + Path("block.gz").read_bytes())


def _index_of_another(small: SmallAnnotation) -> None:
    shutil.copy(f"{small.known}.tbi", f"{small.vcf}.tbi")


def _index_of_more(small: SmallAnnotation) -> None:
    shutil.copy(f"{small.vcf}.tbi", f"{small.known}.tbi")
    shutil.copy(small.known, small.vcf)
    shutil.copy(f"{small.known}.tbi", f"{small.vcf}.tbi")


def _damaged_index(small: SmallAnnotation) -> None:
    Path(f"{small.vcf}.tbi").write_bytes(b"TBI\1 and more")


def _empty(small: SmallAnnotation) -> None:
    small.vcf.write_bytes(b"")


def _missing(small: SmallAnnotation) -> None:
    small.vcf.unlink()


def _no_vcf(small: SmallAnnotation) -> None:
    with pysam.BGZFile(str(small.vcf), "wb", index=None) as out:
        out.write(b"chr1\t1\t2\n")


def _reference_lacks(small: SmallAnnotation) -> None:
    index = Path(f"{small.reference}.fai")
    index.write_text(index.read_text().splitlines(keepends=True)[1])


def _reference_gzip(small: SmallAnnotation) -> None:
    small.reference.write_bytes(gzip.compress(small.reference.read_bytes(), mtime=0))


def _reference_without_index(small: SmallAnnotation) -> None:
    Path(f"{small.reference}.fai").unlink()


def _known_lacks(small: SmallAnnotation) -> None:
    with pysam.BGZFile(str(small.known), "wb", index=None) as out:
        out.write(b"##fileformat=VCFv4.2\n##contig=<ID=X>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        out.write(b"X\t5\trs5\tA\tC\t.\t.\t.\n")
    pysam.tabix_index(str(small.known), preset="vcf", force=True)


def _genes_lack(small: SmallAnnotation) -> None:
    small.genes.write_text("##gff-version 3\nX\te\tgene\t1\t9\t.\t+\t.\tID=gene:X\n")


BAD: dict[str, tuple[Callable[[SmallAnnotation], None], str]] = {
    "plain": (
        _plain,
        f"cohort.vcf.gz: {COMPRESSION} another, or none; compress it with `bgzip cohort.vcf.gz`, then "
        "`bcftools index -t`",
    ),
    "gzip": (
        _gzip,
        f"cohort.vcf.gz: {COMPRESSION} gzip of another kind; compress it with "
        "`gunzip -c cohort.vcf.gz | bgzip > cohort.vcf.bgz`, then `bcftools index -t`",
    ),
    "no_index": (
        _no_index,
        "cohort.vcf.gz: expected its index beside it (cohort.vcf.gz.tbi or cohort.vcf.gz.csi), found none; "
        "make it with `bcftools index -t cohort.vcf.gz`",
    ),
    "cut_off": (
        _cut_off,
        "cohort.vcf.gz: expected the empty block with which bgzip ends a file, found none: the file is cut off",
    ),
    "without_end": (
        _without_end,
        "cohort.vcf.gz: expected the empty block with which bgzip ends a file, found none: the file is cut off",
    ),
    "index_of_fewer": (_index_of_fewer, OTHER),
    "index_of_a_beginning": (_index_of_a_beginning, f"found more behind it; {OTHER}"),
    "index_of_another": (_index_of_another, f"found none; {OTHER}"),
    "index_of_more": (_index_of_more, OTHER),
    "damaged_index": (
        _damaged_index,
        "cohort.vcf.gz: cohort.vcf.gz.tbi: expected a block of bgzip at byte 0, found other bytes",
    ),
    "empty": (_empty, "cohort.vcf.gz: expected a VCF or BCF file, found an empty file"),
    "missing": (_missing, "cohort.vcf.gz: expected a file, found none"),
    "no_vcf": (_no_vcf, "expected a VCF (##fileformat=VCF) or a BCF file, found b'chr1\\t1\\t2\\n'"),
    "reference_lacks": (
        _reference_lacks,
        "cohort.vcf.gz: expected contigs of the reference, found records on chr1, which reference.fa.fai does not "
        "have; give the reference of the VCF",
    ),
    "reference_gzip": (
        _reference_gzip,
        "parameter annotate.reference: reference.fa: expected a FASTA file that is not compressed, of which parts are "
        "read; found gzip; decompress it, then run `samtools faidx`",
    ),
    "reference_without_index": (
        _reference_without_index,
        "parameter annotate.reference: reference.fa: expected its index beside it (reference.fa.fai), found none",
    ),
    "known_lacks": (_known_lacks, "parameter annotate.dbsnp: "),
    "genes_lack": (_genes_lack, "parameter annotate.gff3: "),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_have_their_message(name: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small_pipeline(tmp_path)
    small = SmallAnnotation(tmp_path)
    damage, message = BAD[name]
    damage(small)
    ended = cli("run", "cohort.vcf.gz", "--pipeline", "small.toml", "--out", "out", *small.parameters)
    assert ended.code == 1
    assert message in ended.err.replace(f"{tmp_path}/", "")
    assert "Traceback" not in ended.err
    assert not Path("out").exists()


def test_nothing_to_annotate_with_is_said_at_once(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SmallAnnotation(tmp_path)
    ended = cli("run", "cohort.vcf.gz", "--pipeline", "annotate", "--out", "out")
    assert ended.code == 2
    assert "annotate.reference" in ended.err
    ended = cli("run", "--pipeline", "annotate", "--out", "out", "--param", "annotate.reference=reference.fa")
    assert ended.code == 2
    assert "RECORDS: expected a VCF or BCF file that bgzip compressed, with its index; found none" in ended.err
