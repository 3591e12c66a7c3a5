"""Indexes of other files, and files that are no index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference import packed_bases
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.reference.size import reference_size
from genomics_pipeline.stores.local import LocalStore
from tests.reference.conftest import BASES, FASTA

OTHERS = {
    "other name": FASTA.replace("chr1", "chr01"),
    "other length": FASTA.replace("ACGT\n", "ACGTA\n"),
    "other order": "".join(f">{part}" for part in reversed(FASTA.split(">")[1:])),
    "fewer": FASTA[: FASTA.index(">chr2")],
    "more": FASTA + ">chr3\nACGT\n",
    "other description": FASTA.replace("the first", "the very first"),  # all offsets differ
    "other lines": FASTA.replace(f"{BASES}\n", f"{BASES[:30]}\n{BASES[30:]}\n"),
}
MISMATCHES = {
    ("other name", "fai"): "expected the index of tiny.fa, found 'chr01' where the file has no such sequence",
    ("other length", "fai"): "expected the index of tiny.fa, found 'chr2' where the file has no such sequence",
    ("other order", "fai"): "expected the index of tiny.fa, found 'chr2' where the file has no such sequence",
    ("fewer", "fai"): "expected the index of tiny.fa, found one of fewer sequences or bases",
    ("more", "fai"): "expected the index of tiny.fa, found 'chr3' where the file has no such sequence",
    ("other description", "fai"): "expected the index of tiny.fa, found 'chr1' where the file has no such sequence",
    ("other lines", "fai"): "expected the index of tiny.fa, found 'chr2' where the file has no such sequence",
    ("other name", "bwa"): "expected chr1 of 124 bp as in tiny.fa, found chr01 of 124 bp",
    ("other length", "bwa"): "expected chr1 of 124 bp as in tiny.fa, found chr1 of 125 bp",
    ("other order", "dict"): "expected chr1 of 124 bp as in tiny.fa, found chr2 of 60 bp",
    ("fewer", "bwa"): "expected 2 sequences as in tiny.fa, found 1",
    ("more", "dict"): "expected 2 sequences as in tiny.fa, found 3",
}
FILES = {"fai": ("fa.fai",), "bwa": ("fa.amb", "fa.ann", "fa.bwt", "fa.pac", "fa.sa"), "dict": ("dict",)}


@pytest.mark.parametrize(("other", "index"), MISMATCHES)
def test_another_files_index_is_refused(
    make: Callable[..., Path], fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str, index: str
) -> None:
    monkeypatch.chdir(fasta.parent)
    make(fasta)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/tiny.fa").write_text(OTHERS[other])
    make(tmp_path / "other/tiny.fa")
    for ending in FILES[index]:
        (tmp_path / f"other/tiny.{ending}").replace(fasta.with_name(f"tiny.{ending}"))
    with pytest.raises(DataError) as error:
        make("tiny.fa")
    file = Path(f"tiny.{FILES[index][0]}")
    files = "tiny.fa.{amb,ann,bwt,pac,sa}" if index == "bwa" else "it"
    assert str(error.value) == f"{file}: {MISMATCHES[other, index]}; remove {files}, and it is built anew"
    for ending in FILES[index]:  # as the message advises
        fasta.with_name(f"tiny.{ending}").unlink()
    assert make(fasta) == fasta


def other_bases(fasta: Path, make: Callable[..., Path], tmp_path: Path) -> Path:
    """Index a reference of the same names and lengths and of other bases, and return it."""
    other = tmp_path / "other/tiny.fa"
    other.parent.mkdir()
    other.write_text(FASTA.replace(BASES, BASES[::-1]))
    return make(other)


@pytest.mark.parametrize("ending", ["", *FILES["bwa"]])
def test_an_index_of_other_bases_is_refused_whenever_it_was_made(
    make: Callable[..., Path], fasta: Path, tmp_path: Path, ending: str
) -> None:
    """All files of bwa's index, or one of them, newer than the FASTA file: bwa would find no alignments, or crash."""
    make(fasta)
    other = other_bases(fasta, make, tmp_path)
    names = [f"tiny.{one}" for one in ([ending] if ending else FILES["bwa"])]
    if ending in ("fa.amb", "fa.ann"):  # they are the same for all bases
        fasta.with_name(names[0]).write_bytes(b"")
    else:
        for name in names:
            other.with_name(name).replace(fasta.with_name(name))
    with pytest.raises(DataError, match=r"remove tiny.fa.\{amb,ann,bwt,pac,sa\}, and it is built anew$"):
        make(fasta)
    for one in FILES["bwa"]:  # as the message advises
        fasta.with_name(f"tiny.{one}").unlink()
    assert make(fasta) == fasta


@pytest.mark.parametrize("length", [1, 31, 33, 64, 1000, 20_001])
def test_an_index_of_any_length_agrees_with_itself(make: Callable[..., Path], tmp_path: Path, length: int) -> None:
    bases = "".join(Random(length).choices("ACGTN", k=length))
    fasta = tmp_path / "any.fa"
    fasta.write_text(f">a\n{bases}\n>b\nACGTA\n")
    for _ in range(2):
        assert make(fasta) == fasta


def test_places_all_over_a_long_reference_are_compared(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_bases, "SAMPLES", 50)
    monkeypatch.setattr(packed_bases, "SAMPLE_BASES", 40)
    random = Random(1)
    parts = [(f"c{number}", "".join(random.choices("ACGTN", k=random.randrange(1, 300)))) for number in range(60)]
    fasta = tmp_path / "long.fa"
    fasta.write_text("".join(f">{name}\n{bases[:70]}\n{bases[70:]}\n" for name, bases in parts if len(bases) <= 140))
    make(fasta)
    pac = Path(f"{fasta}.pac")
    assert packed_bases.has_same_samples(fasta, pac)
    content = pac.read_bytes()
    pac.write_bytes(content[:-200] + bytes(byte ^ 255 for byte in content[-200:-2]) + content[-2:])
    assert not packed_bases.has_same_samples(fasta, pac)


def test_all_indexes_of_another_file_are_refused_at_once(
    make: Callable[..., Path], fasta: Path, tmp_path: Path
) -> None:
    make(fasta)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/tiny.fa").write_text(OTHERS["other length"])
    make(tmp_path / "other/tiny.fa")
    for ending in (*FILES["bwa"], *FILES["dict"]):
        (tmp_path / f"other/tiny.{ending}").replace(fasta.with_name(f"tiny.{ending}"))
    with pytest.raises(DataError) as error:
        make(fasta)
    assert [problem.file for problem in error.value.problems] == [f"{fasta}.amb", str(fasta.with_suffix(".dict"))]


@pytest.mark.parametrize(
    "text",
    [
        "chr1\n",
        "chr1\tx\t1\t1\t1\n",
        "\xff\xfe",
        "chr1\t-124\t16\t60\t61\n",
        f"chr1\t{10**20}\t16\t60\t61\n",
        "chr1\t1_24\t16\t60\t61\n",
    ],
)
def test_an_index_that_cannot_be_read_is_refused(make: Callable[..., Path], fasta: Path, text: str) -> None:
    fasta.with_name("tiny.fa.fai").write_text(text, "latin-1")
    reference_size(fasta, ["bwa"])  # which is asked before
    with pytest.raises(DataError) as error:
        make(fasta)
    message = "expected an index, found none that can be read; remove it, and it is built anew"
    assert str(error.value) == f"{fasta}.fai: {message}"


def test_another_files_index_in_a_bucket_is_refused_until_it_is_fixed(
    fasta: Path, make: Callable[..., Path], tmp_path: Path
) -> None:
    make(fasta, "fai")
    fai = fasta.with_name("tiny.fa.fai")
    good = fai.read_text()
    fai.write_text(good.replace("chr1", "chr01"))
    for _ in range(2):
        with pytest.raises(DataError) as error:
            prepare("s3://refs/tiny.fa", ["fai"], LocalStore({"refs": fasta.parent}), tmp_path / "cache")
        message = "expected the index of tiny.fa, found 'chr01' where the file has no such sequence"
        assert str(error.value) == f"s3://refs/tiny.fa.fai: {message}; remove it, and it is built anew"
    fai.write_text(good)
    prepared = prepare("s3://refs/tiny.fa", ["fai"], LocalStore({"refs": fasta.parent}), tmp_path / "cache")
    assert Path(f"{prepared}.fai").read_text() == good


SIZES = {"bwt": 260, "pac": 48, "sa": 144}  # for 184 bases


@pytest.mark.parametrize("ending", SIZES)
@pytest.mark.parametrize("change", [-8, 8])
def test_a_file_of_bwas_index_that_is_cut_off_is_refused(
    make: Callable[..., Path], fasta: Path, ending: str, change: int
) -> None:
    """A file that bwa would read as it is, and find no alignments, or crash."""
    make(fasta)
    file = fasta.with_name(f"tiny.fa.{ending}")
    content = file.read_bytes()
    file.write_bytes(content[:change] if change < 0 else content + bytes(change))
    with pytest.raises(DataError) as error:
        make(fasta)
    sizes = f"expected {SIZES[ending]} bytes of {file.name} for 184 bases, found {SIZES[ending] + change}"
    advice = "remove tiny.fa.{amb,ann,bwt,pac,sa}, and it is built anew"
    assert str(error.value) == f"{fasta}.amb: {sizes}; {advice}"
