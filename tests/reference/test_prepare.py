"""The preparation of a reference: its location, and the indexes that are built."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import pysam
import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.cache import cache_folder
from genomics_pipeline.reference.packed_bases import has_same_bases
from genomics_pipeline.reference.prepare import find_prepared, prepare
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import MissingObject
from tests.patience import PATIENCE_S
from tests.reference.conftest import BASES, FASTA, INDEX_FILES, INDEXES, visible


def test_a_plain_file_is_indexed_in_place(make: Callable[..., Path], fasta: Path, tmp_path: Path) -> None:
    assert make(fasta) == fasta
    assert visible(fasta.parent) == INDEX_FILES
    assert not (tmp_path / "cache" / "references").exists()
    assert sorted(path.name for path in fasta.parent.iterdir()) == INDEX_FILES, "nothing is left behind"
    with pysam.FastaFile(str(fasta)) as prepared:
        assert dict(zip(prepared.references, prepared.lengths, strict=True)) == {"chr1": 124, "chr2": 60}


def test_a_relative_path_becomes_absolute(
    make: Callable[..., Path], fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fasta.parent)
    assert make("tiny.fa", "fai") == make("tiny.fa", "fai") == fasta


def test_only_the_requested_indexes_are_built(make: Callable[..., Path], fasta: Path) -> None:
    make(fasta, "fai")
    assert visible(fasta.parent) == ["tiny.fa", "tiny.fa.fai"]
    before = (fasta.parent / "tiny.fa.fai").stat()
    make(fasta)
    assert visible(fasta.parent) == INDEX_FILES
    assert (fasta.parent / "tiny.fa.fai").stat().st_mtime_ns == before.st_mtime_ns, (
        "an existing index is not built again"
    )


def test_a_compressed_file_is_decompressed_into_the_cache_once(
    make: Callable[..., Path], fasta: Path, tmp_path: Path
) -> None:
    compressed = fasta.with_name("tiny.fa.gz")
    compressed.write_bytes(gzip.compress(FASTA.encode()))
    fasta.unlink()
    prepared = make(compressed)
    assert prepared.is_relative_to(tmp_path / "cache" / "references")
    assert prepared.read_text() == FASTA
    assert visible(prepared.parent) == INDEX_FILES
    assert visible(compressed.parent) == ["tiny.fa.gz"]
    prepared.with_name("mark").touch()
    assert make(compressed) == prepared
    assert prepared.with_name("mark").exists()


def test_another_content_of_the_same_name_has_its_own_folder(make: Callable[..., Path], fasta: Path) -> None:
    compressed = fasta.with_name("tiny.fa.gz")
    compressed.write_bytes(gzip.compress(FASTA.encode()))
    first = make(compressed, "fai")
    compressed.write_bytes(gzip.compress(FASTA.encode() + b">chr3\nACGT\n"))
    second = make(compressed, "fai")
    assert first != second
    assert (first.read_text(), second.read_text()) == (FASTA, FASTA + ">chr3\nACGT\n")


def test_in_a_read_only_folder_a_copy_is_indexed(
    make: Callable[..., Path], fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = os.access
    # Tests in containers run as root, to whom permissions do not apply.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != fasta.parent and plain(path, mode))
    prepared = make(fasta)
    assert prepared.is_relative_to(tmp_path / "cache")
    assert prepared.read_text() == FASTA
    assert [path.name for path in fasta.parent.iterdir()] == ["tiny.fa"]


def test_existing_indexes_need_no_write_access(
    make: Callable[..., Path], fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(fasta)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert make(fasta) == fasta
    assert not (tmp_path / "cache" / "references").exists()


def test_the_environment_decides_the_cache_folder(fasta: Path, tmp_path: Path) -> None:
    cache = cache_folder({"XDG_CACHE_HOME": str(tmp_path / "xdg")}, None, gettempdir)
    prepared = prepare(f"file://{fasta}", ["fai"], LocalStore(), cache)
    assert prepared.is_relative_to(tmp_path / "xdg" / "genomics-pipeline" / "references")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def make_older(fasta: Path) -> None:
    """Make the indexes older than the file."""
    for path in fasta.parent.glob("tiny.*"):
        os.utime(path, (2000, 2000) if path == fasta else (1000, 1000))


CHANGES = {
    "another sequence": (FASTA + ">chr3\nACGTACGT\n", "fai", "found one of fewer sequences or bases"),
    "another base": (FASTA.replace("ACGT\n", "ACGA\n"), "amb", "expected the bases of tiny.fa, found others"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_indexes_of_an_older_content_stay_as_they_are(
    make: Callable[..., Path], fasta: Path, tmp_path: Path, change: str
) -> None:
    make(fasta)
    text, index, reason = CHANGES[change]
    fasta.write_text(text)
    make_older(fasta)
    before, notes = contents(fasta.parent), list[str]()
    prepared = make(fasta, note=notes.append)
    assert contents(fasta.parent) == before
    assert prepared.is_relative_to(tmp_path / "cache")
    assert prepared.read_text() == text
    assert find_prepared(str(prepared), INDEXES, LocalStore(), tmp_path / "cache") == prepared
    assert has_same_bases(prepared, Path(f"{prepared}.pac"))
    assert notes[0].startswith(f"reference: {fasta}.{index}: ")
    assert reason in notes[0]
    assert "it stays as it is, and a copy of tiny.fa is indexed in the cache" in notes[0]


def test_older_indexes_of_the_same_content_are_used(make: Callable[..., Path], fasta: Path, tmp_path: Path) -> None:
    make(fasta)
    make_older(fasta)
    before, notes = contents(fasta.parent), list[str]()
    assert make(fasta, note=notes.append) == fasta
    assert (contents(fasta.parent), notes) == (before, [])
    assert not (tmp_path / "cache" / "references").exists()


def test_an_incomplete_index_stays_as_it_is(make: Callable[..., Path], fasta: Path, tmp_path: Path) -> None:
    make(fasta)
    (fasta.parent / "tiny.fa.pac").unlink()
    before, notes = contents(fasta.parent), list[str]()
    prepared = make(fasta, note=notes.append)
    assert contents(fasta.parent) == before
    assert prepared.is_relative_to(tmp_path / "cache")
    assert notes[0].startswith(f"reference: {fasta}.amb: expected tiny.fa.pac beside it, found none; it stays as it is")


def prepare_at_once(uri: str, cache: str, gate: threading.Barrier) -> tuple[str, list[int]]:
    gate.wait(PATIENCE_S)
    prepared = prepare(uri, INDEXES, LocalStore(), Path(cache))
    return str(prepared), [file.stat().st_ino for file in sorted(prepared.parent.glob("tiny.*"))]


def test_of_several_processes_at_once_one_builds(fasta: Path, tmp_path: Path) -> None:
    compressed = fasta.with_name("tiny.fa.gz")
    compressed.write_bytes(gzip.compress(FASTA.encode()))
    fasta.unlink()
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(3) as pool:
        gate = manager.Barrier(3)
        arguments = [(str(compressed), str(tmp_path / "cache"), gate)] * 3
        results = pool.starmap(prepare_at_once, arguments, chunksize=1)
    # Each got all files, and the same ones: none was built a second time.
    assert results[0] == results[1] == results[2]
    assert len(results[0][1]) == len(INDEX_FILES)
    assert visible(Path(results[0][0]).parent) == INDEX_FILES


BAD: dict[str, tuple[bytes, str]] = {
    "empty.fa": (b"", ": expected FASTA, beginning with '>', found an empty file"),
    "empty.fa.gz": (gzip.compress(b""), ": expected FASTA, beginning with '>', found an empty file"),
    "text.fa": (b"chr1 ACGT\n", ": expected FASTA, beginning with '>', found b'c'"),
    "fastq.fa": (b"@r1\nACGT\n+\nIIII\n", ": expected FASTA, beginning with '>', found b'@'"),
    "truncated.fa.gz": (
        gzip.compress(FASTA.encode() * 20)[:-20],
        ": expected a whole gzip file: Compressed file ended before the end-of-stream marker was reached",
    ),
    "twice.fa": (
        b">chr1 a\nACGT\n>chr2\nACGT\n>chr1 b\nAC\n",
        ":5: expected each sequence once, found 'chr1' again (first on line 1)",
    ),
    "no_name.fa": (b">chr1\nACGT\n>\nACGT\n", ":3: expected '>' and a name, found no name"),
    "no_bases.fa": (b">chr1\nACGT\n>chr2\n", ":3: expected bases of the sequence 'chr2', found none"),
    "no_bases_between.fa": (b">chr1\n>chr2\nACGT\n", ":1: expected bases of the sequence 'chr1', found none"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_invalid_reference_is_refused(
    make: Callable[..., Path], tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(BAD[name][0])
    for _ in range(2):  # leftovers of the first do not hide the problem
        with pytest.raises(DataError) as error:
            make(file)
        assert str(error.value) == f"{file}{BAD[name][1]}"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == [name]
    assert capfd.readouterr().err == "", "samtools is silent"


def test_a_missing_reference(make: Callable[..., Path], tmp_path: Path) -> None:
    for missing in (tmp_path / "none.fa", tmp_path / "none.fa.gz"):
        with pytest.raises(MissingObject) as error:
            make(missing)
        assert str(error.value) == f"{missing}: expected a file, found none"


def test_line_breaks_of_windows_are_accepted(make: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "crlf.fa"
    file.write_bytes(FASTA.replace("\n", "\r\n").encode())
    with pysam.FastaFile(str(make(file, "fai"))) as prepared:
        assert prepared.fetch("chr1") == BASES * 2 + "ACGT"


def test_leftovers_of_a_killed_process_are_removed(make: Callable[..., Path], fasta: Path) -> None:
    compressed = fasta.with_name("tiny.fa.gz")
    compressed.write_bytes(gzip.compress(FASTA.encode()))
    prepared = make(compressed, "fai")
    for name in (".copy-killed", ".index-killed"):
        (prepared.parent / name).mkdir()
        (prepared.parent / name / "tiny.fa.bwt").write_text("much")
    make(compressed)
    assert [path.name for path in prepared.parent.iterdir() if path.is_dir()] == []
