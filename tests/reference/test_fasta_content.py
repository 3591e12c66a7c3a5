"""The content of FASTA files: letters, lines, encodings, compression, sizes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pysam
import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference import names
from genomics_pipeline.reference.bwa_index import ann_contigs
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.fasta import FastaCheck, FastaChecker
from genomics_pipeline.reference.fasta_parts import FastaSplitter
from genomics_pipeline.reference.index_kinds import INDEX_KINDS

BASES = "expected bases of the sequence 'chr1' (A, C, G, T, N or another IUPAC code), found {}; {}"
PROTEIN = "a reference consists of DNA; this looks like protein"
GAPS = "a reference has no gaps: remove them with `seqkit seq --remove-gaps`"
BEGINNING = "expected FASTA, beginning with '>', found "
LETTERS = {
    "MEEPQ": ("2:2", "'E'", PROTEIN),
    "ACGU": ("2:4", "'U'", "write RNA as DNA: `seqkit seq --rna2dna`"),
    "ACXG": ("2:3", "'X'", "write unknown bases as N"),
    "AC-G": ("2:3", "'-'", GAPS),
    "ACG*": ("2:4", "'*'", GAPS),
    "ACGT\n..AC": ("3:1", "'.'", GAPS),
    "ACGT\n; a comment": ("3:1", "';'", "remove comment lines, which begin with ';'"),
    "ACGT\nAC>chr2\nACGT": ("3:3", "'>'", "begin each sequence on a new line"),
    "AC\x00G": ("2:3", "the byte 0x00", "remove it"),
    "AC\x1bG": ("2:3", "the byte 0x1b", "remove it"),
    "AC1": ("2:3", "'1'", "remove it"),
    "ACGé": ("2:4", "the byte 0xc3", "remove it"),
}
WHOLE = {
    "utf16": (">chr1\nACGT\n".encode("utf-16"), "found text in UTF-16; write it anew as plain text: iconv"),
    "utf16le": (">chr1\nACGT\n".encode("utf-16-le"), "found text in UTF-16; write it anew as plain text: iconv"),
    "bom": (b"\xef\xbb\xbf>chr1\nACGT\n", f"{BEGINNING}b'\\xef'; remove the byte order mark"),
    "comment": (b"; by hand\n>chr1\nACGT\n", f"{BEGINNING}b';'; remove comment lines, which begin with ';'"),
    "leading text": (b"Title\n>chr1\nACGT\n", f"{BEGINNING}b'T'"),
    "leading blank line": (b"\n>chr1\nACGT\n", f"{BEGINNING}b'\\n'; remove the blanks before the first '>'"),
    "old Macintosh": (b">chr1\rACGT\r", "expected line feeds at the ends of lines, found carriage returns only"),
    "old Macintosh, long": (b">chr1\r" + b"ACGT\r" * (1 << 18), "found carriage returns only, as old Macintosh"),
    "bzip2": (bz2.compress(b">chr1\nACGT\n"), "expected FASTA, plain or gzip, found bzip2; decompress it"),
    "xz": (lzma.compress(b">chr1\nACGT\n"), "expected FASTA, plain or gzip, found xz; decompress it"),
    "compress": (b"\x1f\x9d\x90", "expected FASTA, plain or gzip, found compress; decompress it"),
    "not bzip2": (b"BZ\n", f"{BEGINNING}b'B'"),
    "zip": (b"PK\x03\x04", "expected FASTA, plain or gzip, found zip; decompress it"),
    "zstd": (b"\x28\xb5\x2f\xfd", "expected FASTA, plain or gzip, found zstd; decompress it"),
    "parallel zstd": (b"\x5f\x2a\x4d\x18\x04", "expected FASTA, plain or gzip, found zstd; decompress it"),
    "cut-off gzip": (gzip.compress(b">chr1\nACGT\n")[:-9], "expected a whole gzip file: "),
    "zeros": (bytes(5000), f"{BEGINNING}b'\\x00'"),
}


def refusal(make: Callable[..., Path], file: Path, content: bytes) -> list[str]:
    """Return the problems of a file, each without the file's path."""
    file.write_bytes(content)
    with pytest.raises(DataError) as error:
        make(file)
    assert {path.name for path in file.parent.iterdir()} <= {file.name, "cache"}
    return [str(problem).removeprefix(f"{file}:").strip() for problem in error.value.problems]


@pytest.mark.parametrize("bases", LETTERS)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_letter_that_is_no_base(make: Callable[..., Path], tmp_path: Path, bases: str, compressed: bool) -> None:
    place, found, advice = LETTERS[bases]
    content = f">chr1 first\n{bases}\n>chr2\nACGT\n".encode()
    problems = refusal(make, tmp_path / "ref.fa", gzip.compress(content) if compressed else content)
    assert problems == [f"{place}: {BASES.format(found, advice)}"]


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_of_another_kind(make: Callable[..., Path], tmp_path: Path, name: str) -> None:
    content, expected = WHOLE[name]
    (problem,) = refusal(make, tmp_path / "ref.fa", content)
    assert expected in problem


def test_all_problems_are_reported_at_once(make: Callable[..., Path], tmp_path: Path) -> None:
    content = b">a,b\nACGT\n>c\nAC.GT\nACG.\n>d\n>e\nACGT\n>e x\nAC-\n"
    problems = refusal(make, tmp_path / "ref.fa", content)
    assert [problem.partition(": ")[0] for problem in problems] == ["1", "4:3", "6", "9", "10:3"]


DESCRIPTIONS = {
    "latin-1": "Souche isolée".encode("latin-1"),
    "utf-8": "Souche isolée 株".encode(),
    "shift-jis": "株の配列".encode("shift-jis"),
    "controls": b"a\x1b[31m\x07\x85\x1c\x0c",
    "tabs": b"\ta\tb",
    "long": b"x" * 500_000,
    "blanks": b"   ",
    "greater": b"a > b >",
    "carriage return": b"a\rb",
    "every byte": bytes(sorted({*range(256)} - {ord("\n")})),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_in_any_encoding(make: Callable[..., Path], tmp_path: Path, name: str) -> None:
    file = tmp_path / "ref.fa"
    file.write_bytes(b">chr1 " + DESCRIPTIONS[name] + b"\nACGTACGT\n>chr2\nACGT\n")
    for _ in range(2):
        assert make(file) == file
    contigs = [("chr1", 8), ("chr2", 4)]
    assert [tuple(contig) for contig in read_contigs(file)] == contigs
    assert [tuple(contig) for contig in ann_contigs(INDEX_KINDS["bwa"].files(file))] == contigs


UNUSUAL = {
    "trailing blanks": b">chr1 \nACGTACGT  \nACGT\t\n>chr2\nACGTAC \n",
    "blanks in all lines": b">chr1\nACGTACGT \nACGT    \n>chr2\nACGTAC\n",
    "blanks in the middle": b">chr1\nACGT ACGT\nACGT\n>chr2\nACG TAC\n",
    "blank lines": b">chr1\nACGT\n\nACGT\n\nACGT\n\n>chr2\n\nACGTAC\n\n\n",
    "ragged lines": b">chr1\nACGTA\nCGTACGT\n>chr2\nA\nCG\nTAC\n",
    "mixed line breaks": b">chr1\nACGT\r\nACGT\nACGT\r\n>chr2\nACGTAC\n",
    "returns alone": b">chr1\nACGT\rACGT\rACGT\n>chr2\nACGTAC",
    "the last line is longer": b">chr1\nACGT\nACGTACGT\n>chr2\nACGTAC\n",
    "a line with blanks only": b">chr1\nACGTACGT\n    \nACGT\n>chr2\nACGTAC\n",
}


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("compressed", [False, True])
def test_unusual_lines_are_written_anew_in_the_cache(
    make: Callable[..., Path], tmp_path: Path, name: str, compressed: bool
) -> None:
    file, notes = tmp_path / "ref.fa", list[str]()
    file.write_bytes(gzip.compress(UNUSUAL[name]) if compressed else UNUSUAL[name])
    prepared = make(file, note=notes.append)
    assert prepared.is_relative_to(tmp_path / "cache")
    assert "reference: writing ref.fa anew in the cache, with lines of one length and without blanks" in notes
    assert make(file) == prepared
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["ref.fa"]
    with pysam.FastaFile(str(prepared)) as sequences:
        assert [sequences.fetch(contig) for contig in sequences.references] == ["ACGTACGTACGT", "ACGTAC"]
    assert list(ann_contigs(INDEX_KINDS["bwa"].files(prepared))) == read_contigs(prepared)


USUAL = {
    "no line break at the end": b">chr1\nACGT\nACGT\nACGT\n>chr2\nACGT\nAC",
    "blank lines at the end of a sequence": b">chr1\nACGT\nACGT\nACGT\n\n\n>chr2\nACGT\nAC\n\n",
    "Windows": b">chr1 x\r\nACGT\r\nACGT\r\nACGT\r\n>chr2\r\nACGT\r\nAC\r\n",
    "one line": b">chr1\nACGTACGTACGT\n>chr2\nACGTAC",
    "lower case": b">chr1\nacgt\nACgt\nACGT\n>chr2\nacgt\nac\n",
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_lines_are_used_in_place(make: Callable[..., Path], tmp_path: Path, name: str) -> None:
    file = tmp_path / "ref.fa"
    file.write_bytes(USUAL[name])
    assert make(file) == file
    with pysam.FastaFile(str(file)) as sequences:
        assert [sequences.fetch(contig).upper() for contig in sequences.references] == ["ACGTACGTACGT", "ACGTAC"]
    assert list(ann_contigs(INDEX_KINDS["bwa"].files(file))) == read_contigs(file)


@pytest.mark.parametrize("name", ["ref.fa", "ref.fa.gz", "ref", "ref.txt", "ref.fna.bgz"])
@pytest.mark.parametrize("compressed", [False, True])
def test_compression_is_found_by_content(
    make: Callable[..., Path], tmp_path: Path, name: str, compressed: bool
) -> None:
    content = b">chr1\nACGT\n"
    file = tmp_path / name
    file.write_bytes(gzip.compress(content) if compressed else content)
    prepared = make(file)
    assert prepared.read_bytes() == content
    assert (prepared == file) != compressed


def test_gzip_files_of_several_members(make: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "ref.fa.gz"
    file.write_bytes(gzip.compress(b">chr1\nAC") + gzip.compress(b"GT\n") + gzip.compress(b""))
    assert make(file).read_bytes() == b">chr1\nACGT\n"


def test_a_decompression_bomb_is_refused_early(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "FASTA_FIRST_BYTES", replace(budgets.FASTA_FIRST_BYTES, value=1 << 20))
    content = gzip.compress(b">chr1\n" + b"A" * (1 << 23))  # a thousandth
    (problem,) = refusal(make, tmp_path / "ref.fa.gz", content)
    expected = "expected a file that expands to at most 100 times its size, found 8.19 kB that expand to more than"
    assert problem.startswith(expected)


LINE = b"ACGTACGT" * (1 << 16)
BOMBS: dict[str, tuple[list[bytes], str]] = {
    "a name line": ([b">chr1", *[LINE] * 200], "1: expected a name line of at most 1 MiB, found a longer one"),
    "line breaks": ([b">chr1\nA", *[b"\n" * len(LINE)] * 200], "expected bases of the sequence 'chr1', found 1 and"),
    "blanks": ([b">chr1\nA", *[b" " * len(LINE)] * 200], "expected bases of the sequence 'chr1', found 1 and"),
    "zeros": ([b">chr1\nA", *[bytes(len(LINE))] * 200], BASES.format("the byte 0x00", "remove it")),
}


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fail a test that allocates more than a few chunks at once."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(LINE)


def check(chunks: Iterable[bytes]) -> FastaCheck:
    checker = FastaChecker("ref.fa")
    for chunk in chunks:
        checker.feed(chunk)
    return checker.finish()


@pytest.mark.usefixtures("little_memory")
def test_a_line_of_a_hundred_megabytes() -> None:
    assert check([b">chr1\n", *[LINE] * 200]).bases == 200 * len(LINE)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("name", BOMBS)
def test_a_hundred_megabytes_that_are_no_sequence(name: str) -> None:
    chunks, message = BOMBS[name]
    with pytest.raises(DataError, match=re.escape(message)):
        check(chunks)


def test_too_many_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "FASTA_SEQUENCES", replace(budgets.FASTA_SEQUENCES, value=3))
    with pytest.raises(DataError) as error:
        check([b">%d\nA\n" % number for number in range(10)])
    assert str(error.value) == "ref.fa:7: expected at most 3 sequences, found more; join the short ones"


def test_a_sequence_longer_than_bam_and_vcf_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names.MAX_LENGTH_BP == 2**31 - 2
    monkeypatch.setattr(names, "MAX_LENGTH_BP", 100)
    assert check([b">chr1\n", b"A" * 100]).bases == 100
    with pytest.raises(DataError) as error:
        check([b">a\nACGT\n>chr1\n", b"A" * 60, b"A" * 41])
    expected = "expected a sequence of at most 100 bases, as BAM and VCF can hold, found more in 'chr1'; divide it"
    assert str(error.value) == f"ref.fa:3: {expected}"


def test_pieces_of_any_size_give_the_same() -> None:
    content = b">a x\nACGT\nAC\n>b\r\nAC\r\n>\nA"
    whole = joined(content, len(content))
    assert all(joined(content, size) == whole for size in range(1, len(content)))


def joined(content: bytes, size: int) -> list[tuple[bool, bytes]]:
    """Split a file in chunks of a size, and join the pieces that follow each other."""
    splitter = FastaSplitter()
    lines: list[tuple[bool, bytes]] = []
    for start in range(0, len(content), size):
        for part, piece in splitter.split(content[start : start + size]):
            is_name = part.name != "BASES"
            if lines and part.name != "NAME" and lines[-1][0] == is_name:
                lines[-1] = is_name, lines[-1][1] + piece
            else:
                lines.append((is_name, piece))
    return lines
