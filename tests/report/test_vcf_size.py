"""VCF files of a user that htslib could not read in bounded memory."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.report.concordance import read_header, score
from genomics_pipeline.report.vcf_size import require_bounded_vcf

MIB = 1 << 20
START = b"##fileformat=VCFv4.2\n##contig=<ID=c,length=9>\n"
COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"
RECORD = b"c\t1\t.\tA\tC\t.\tPASS\t.\tGT\t0/1\n"
LONG = b"A" * (17 * MIB)


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["t.vcf", "t.vcf.gz"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (LONG, "lines of at most 16 MiB"),
        (START + b"##x=" + LONG + b"\n" + COLUMNS, "lines of at most 16 MiB"),
        (START + (b"##x=" + b"A" * MIB + b"\n") * 65, "a header of at most 64 MiB"),
        (b"BCF\x02\x02\xff\xff\xff\xff", "a header of at most 64 MiB"),
    ],
    ids=["no header", "long line", "long header", "BCF"],
)
def test_a_header_beyond_its_budget_is_refused(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    path = _write(tmp_path / name, content)
    with pytest.raises(DataError, match=f"expected a VCF with {found}, found a longer one") as failed:
        read_header(path)
    assert failed.value.problems[0].file == str(path)


def test_a_record_beyond_its_budget_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.vcf", START + COLUMNS + RECORD + b"c\t2\t.\t" + LONG)
    assert read_header(path).samples == ["s"]
    fasta = _write(tmp_path / "r.fa", b">c\nACGTACGTA\n")
    with pytest.raises(DataError, match="lines of at most 16 MiB"):
        score(_write(tmp_path / "c.vcf", START + COLUMNS + RECORD), path, fasta)


@pytest.mark.parametrize("content", [b"", RECORD, START + COLUMNS, START + COLUMNS + RECORD * 99_999])
def test_other_files_are_for_htslib_to_judge(tmp_path: Path, content: bytes) -> None:
    for name in ("t.vcf", "t.vcf.gz"):
        require_bounded_vcf(_write(tmp_path / name, content), is_whole=True)


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.vcf.gz"
    path.write_bytes(gzip.compress(START + COLUMNS)[:-9])
    with pytest.raises(DataError, match="expected a whole gzip file"):
        read_header(path)
