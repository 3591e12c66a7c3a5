"""Indexes beside a reference in a bucket."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.reference.packed_bases import has_same_bases
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore
from tests.reference.conftest import FASTA, INDEX_FILES, INDEXES, visible

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PrepareFromBucket = Callable[[str], tuple[Path, list[str]]]
MARK = b"\n\n"  # blank lines have no meaning in an index that is text
TEXTS = [f"tiny.{ending}" for ending in ("dict", "fa.amb", "fa.ann", "fa.fai")]


@pytest.fixture
def bucket(tmp_path: Path, make: Callable[..., Path], fasta: Path) -> Path:
    """Make a reference with its indexes, all of the same time, each index that is text with a mark at its end."""
    make(fasta)
    bucket = tmp_path / "bucket"
    fasta.parent.rename(bucket)
    for file in bucket.glob("tiny.*"):
        if file.name in TEXTS:
            file.write_bytes(file.read_bytes() + MARK)
        os.utime(file, (1000, 1000))
    return bucket


@pytest.fixture
def prepare_from_bucket(bucket: Path, tmp_path: Path) -> PrepareFromBucket:
    """Return `prepare_from_bucket(name)`, which returns a reference's path and the indexes that were copied."""

    def call(name: str) -> tuple[Path, list[str]]:
        prepared = prepare(f"s3://refs/{name}", INDEXES, LocalStore({"refs": bucket}), tmp_path / "cache")
        files = sorted(file for file in prepared.parent.iterdir() if not file.name.startswith("."))
        return prepared, [file.name for file in files if file.read_bytes().endswith(MARK)]

    return call


def test_indexes_beside_are_copied(prepare_from_bucket: PrepareFromBucket, tmp_path: Path) -> None:
    prepared, copied = prepare_from_bucket("tiny.fa")
    assert prepared.is_relative_to(tmp_path / "cache")
    assert prepared.read_text() == FASTA
    assert copied == TEXTS
    assert visible(prepared.parent) == INDEX_FILES
    assert prepare_from_bucket("tiny.fa") == (prepared, copied)


def test_indexes_beside_a_compressed_reference_are_copied(prepare_from_bucket: PrepareFromBucket, bucket: Path) -> None:
    (bucket / "tiny.fa.gz").write_bytes(gzip.compress(FASTA.encode()))
    os.utime(bucket / "tiny.fa.gz", (1000, 1000))
    (bucket / "tiny.fa.fai").rename(bucket / "tiny.fa.gz.fai")
    prepared, copied = prepare_from_bucket("tiny.fa.gz")
    assert prepared.read_text() == FASTA
    assert copied == TEXTS


def test_missing_indexes_are_built(prepare_from_bucket: PrepareFromBucket, bucket: Path) -> None:
    (bucket / "tiny.fa.pac").unlink()
    (bucket / "tiny.dict").unlink()
    prepared, copied = prepare_from_bucket("tiny.fa")
    assert copied == ["tiny.fa.fai"], "an incomplete index is not copied"
    assert visible(prepared.parent) == INDEX_FILES
    assert "SN:chr1\tLN:124" in (prepared.parent / "tiny.dict").read_text()


def test_the_dictionary_alone_is_built(prepare_from_bucket: PrepareFromBucket, bucket: Path) -> None:
    (bucket / "tiny.dict").unlink()
    prepared, copied = prepare_from_bucket("tiny.fa")
    assert copied == [name for name in TEXTS if name != "tiny.dict"]
    assert "SN:chr2\tLN:60" in (prepared.parent / "tiny.dict").read_text()


def test_older_indexes_of_the_same_bases_are_copied(prepare_from_bucket: PrepareFromBucket, bucket: Path) -> None:
    os.utime(bucket / "tiny.fa", (1001, 1001))
    assert prepare_from_bucket("tiny.fa")[1] == TEXTS


def test_older_indexes_of_other_bases_are_not_copied(prepare_from_bucket: PrepareFromBucket, bucket: Path) -> None:
    text = (bucket / "tiny.fa").read_text()
    (bucket / "tiny.fa").write_text(text.replace("ACGT\n", "ACGA\n"))  # of the same length
    os.utime(bucket / "tiny.fa", (1001, 1001))
    prepared = prepare("s3://refs/tiny.fa", INDEXES, LocalStore({"refs": bucket}), bucket.parent / "cache")
    # The dictionary has MD5s of the bases, unlike the other index that is text.
    assert [name for name in TEXTS if (prepared.parent / name).read_bytes().endswith(MARK)] == ["tiny.fa.fai"]
    assert has_same_bases(prepared, Path(f"{prepared}.pac"))


def test_a_reference_in_s3_comes_with_its_indexes(
    s3: S3Client, make: Callable[..., Path], fasta: Path, tmp_path: Path
) -> None:
    make(fasta)
    for file in fasta.parent.glob("tiny.*"):
        s3.upload_file(str(file), "reads", f"refs/{file.name}")
    prepared = prepare("s3://reads/refs/tiny.fa", INDEXES, object_store(), tmp_path / "cache")
    assert visible(prepared.parent) == INDEX_FILES
    for file in fasta.parent.glob("tiny.*"):
        assert (prepared.parent / file.name).read_bytes() == file.read_bytes(), file.name
