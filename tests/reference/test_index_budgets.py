"""Index files of any size beside a small FASTA file, as users get them from elsewhere."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore
from tests.reference.conftest import FASTA, INDEXES

TEXTS = ["fa.fai", "dict", "fa.amb", "fa.ann", "fa.alt"]
BUILT_ANEW = "remove it, and it is built anew"
OTHER_ALT = "remove it, or take the one of this reference"
BWA = "remove tiny.fa.{amb,ann,bwt,pac,sa}, and it is built anew"


def advice(ending: str) -> str:
    return BWA if ending in ("fa.amb", "fa.ann") else OTHER_ALT if ending == "fa.alt" else BUILT_ANEW


def named(fasta: Path, ending: str) -> str:
    """Return the file that a message names: bwa's index by its first file."""
    return str(fasta.with_name("tiny.fa.amb" if ending == "fa.ann" else f"tiny.{ending}"))


@pytest.mark.parametrize("ending", TEXTS)
def test_a_sparse_file_is_refused_unread(make: Callable[..., Path], fasta: Path, ending: str) -> None:
    make(fasta)
    file = fasta.with_name(f"tiny.{ending}")
    with file.open("ab") as out:
        out.truncate(1 << 40)
    with pytest.raises(DataError) as error:
        make(fasta)
    expected = f"expected at most 16.8 MB of {file.name}, since its FASTA file has 210 B, found 1.1 TB"
    assert str(error.value) == f"{named(fasta, ending)}: {expected}; {advice(ending)}"


@pytest.mark.parametrize("ending", TEXTS)
def test_a_long_line_is_refused(make: Callable[..., Path], fasta: Path, ending: str) -> None:
    make(fasta)
    file = fasta.with_name(f"tiny.{ending}")
    content = file.read_bytes() if file.exists() else b""
    file.write_bytes(content + b"x" * (budgets.INDEX_LINE.value + 1))
    with pytest.raises(DataError) as error:
        make(fasta)
    expected = f"expected lines of at most 2 MiB in {file.name}, found a longer one"
    assert str(error.value) == f"{named(fasta, ending)}: {expected}; {advice(ending)}"


@pytest.mark.parametrize("ending", TEXTS)
def test_a_large_file_is_not_copied_into_the_cache(
    make: Callable[..., Path], fasta: Path, tmp_path: Path, ending: str
) -> None:
    make(fasta)
    with fasta.with_name(f"tiny.{ending}").open("ab") as out:
        out.truncate(1 << 40)  # more than any disk has, if it were copied
    with pytest.raises(DataError) as error:
        prepare("s3://refs/tiny.fa", INDEXES, LocalStore({"refs": fasta.parent}), tmp_path / "other")
    assert str(error.value).startswith(f"s3://refs/tiny.{ending}: expected at most 16.8 MB of tiny.{ending}, ")
    assert f"; {OTHER_ALT if ending == 'fa.alt' else BUILT_ANEW}" in str(error.value)


@pytest.mark.parametrize("ending", ["fa.fai", "dict"])
def test_a_folder_or_a_pipe_is_no_index(make: Callable[..., Path], fasta: Path, ending: str) -> None:
    make(fasta)
    file = fasta.with_name(f"tiny.{ending}")
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(DataError) as error:
        make(fasta)
    expected = f"expected a file, found that {file.name} is a folder, a named pipe, a socket or a device"
    assert str(error.value) == f"{file}: {expected}; {BUILT_ANEW}"


def test_a_dictionary_may_have_more_text_than_its_reference(make: Callable[..., Path], fasta: Path) -> None:
    make(fasta)
    with fasta.with_name("tiny.dict").open("a") as out:
        out.write(f"@CO\t{'x' * 1_000_000}\n" * 4)
    assert make(fasta) == fasta


@pytest.mark.parametrize("name", ["tiny.fa.gz.fai", "tiny.fa.fai"])
def test_the_users_own_file_is_named(make: Callable[..., Path], fasta: Path, name: str) -> None:
    make(fasta, "fai")
    packed, index = fasta.with_name("tiny.fa.gz"), fasta.with_name("tiny.fa.fai")
    packed.write_bytes(gzip.compress(FASTA.encode()))
    index.write_text(index.read_text().replace("chr1", "chr01"))
    index.rename(fasta.with_name(name))
    for _ in range(2):
        with pytest.raises(DataError) as error:
            make(packed, "fai")
        found = "expected the index of tiny.fa, found 'chr01' where the file has no such sequence"
        assert str(error.value) == f"{fasta.with_name(name)}: {found}; {BUILT_ANEW}"
    fasta.with_name(name).unlink()  # as the message advises
    assert make(packed, "fai").is_file()


def test_the_users_own_alternate_contigs_are_named(make: Callable[..., Path], fasta: Path) -> None:
    packed = fasta.with_name("tiny.fa.gz")
    packed.write_bytes(gzip.compress(FASTA.encode()))
    alt = fasta.with_name("tiny.fa.gz.alt")
    alt.write_text("other\t0\n")
    with pytest.raises(DataError) as error:
        make(packed, "fai")
    assert str(error.value).startswith(f"{alt}: expected alternate contigs of tiny.fa, found no name")


def test_a_damaged_index_that_only_the_cache_has(make: Callable[..., Path], fasta: Path) -> None:
    packed = fasta.with_name("tiny.fa.gz")
    packed.write_bytes(gzip.compress(FASTA.encode()))
    index = Path(f"{make(packed, 'fai')}.fai")
    good = index.read_text()
    index.write_text("x\n")
    with pytest.raises(DataError) as error:
        make(packed, "fai")
    assert str(error.value).endswith("it was removed from the cache; run again, and it is built anew")
    make(packed, "fai")  # as the message advises
    assert index.read_text() == good
