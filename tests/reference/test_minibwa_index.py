"""minibwa's index: it is built, used, and refused when it belongs to another file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, find_mismatch, find_stale
from genomics_pipeline.reference.minibwa_index import l2b_contigs

KIND = INDEX_KINDS["minibwa"]
Make = Callable[..., Path]


def write(folder: Path, seed: int, length: int = 5003, names: tuple[str, ...] = ("chr1", "chr2")) -> Path:
    rng = Random(seed)
    folder.mkdir()
    fasta = folder / "x.fa"
    bases = "NNNN" + "".join(rng.choices("ACGTacgt", k=length - 4))
    fasta.write_text("".join(f">{name} text\n{bases}\n" for name in names))
    return fasta


@pytest.fixture
def fasta(tmp_path: Path, make: Make) -> Path:
    return make(write(tmp_path / "one", 1), "minibwa")


def test_an_index_that_was_built_fits(fasta: Path) -> None:
    assert [file.name for file in KIND.files(fasta) if file.is_file()] == ["x.fa.l2b", "x.fa.mbw"]
    assert [(contig.name, contig.length_bp) for contig in l2b_contigs(KIND.files(fasta))] == [
        ("chr1", 5003),
        ("chr2", 5003),
    ]
    assert find_mismatch(fasta, KIND) is find_stale(fasta, KIND) is None


@pytest.mark.parametrize(
    ("other", "endings", "message"),
    [
        ({"seed": 2}, ("l2b", "mbw"), "expected the bases of x.fa, found others"),
        ({"seed": 2}, ("mbw",), "expected files of one index, found x.fa.mbw damaged or of another one"),
        (
            {"seed": 1, "length": 5004},
            ("l2b", "mbw"),
            "expected chr1 of 5003 bp as in x.fa, found chr1 of 5004 bp",
        ),
        ({"seed": 1, "names": ("chr1",)}, ("l2b", "mbw"), "expected 2 sequences as in x.fa, found 1"),
    ],
)
def test_an_index_of_another_file(
    fasta: Path, make: Make, tmp_path: Path, other: dict[str, int], endings: tuple[str, ...], message: str
) -> None:
    second = make(write(tmp_path / "two", **other), "minibwa")  # type: ignore[arg-type]
    for ending in endings:
        shutil.copy(f"{second}.{ending}", f"{fasta}.{ending}")
    assert find_mismatch(fasta, KIND) == message


@pytest.mark.parametrize(("ending", "bytes_left"), [("mbw", 1000), ("l2b", 500)])
def test_a_truncated_index(fasta: Path, ending: str, bytes_left: int) -> None:
    file = Path(f"{fasta}.{ending}")
    file.write_bytes(file.read_bytes()[:bytes_left])
    message = find_mismatch(fasta, KIND)
    assert message is not None
    assert message.startswith("expected")


def test_another_file_by_that_name(fasta: Path) -> None:
    Path(f"{fasta}.l2b").write_bytes(b"BAM\1" * 4000)
    assert find_mismatch(fasta, KIND) == "expected an index, found none that can be read"
    with pytest.raises(DataError, match="expected minibwa's index"):
        list(l2b_contigs(KIND.files(fasta)))
