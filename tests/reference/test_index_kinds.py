"""Kinds of index: their records, and the addition of a kind."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import genomics_pipeline
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.fai import Contig, parse_fai
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, IndexKind, required_kinds
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore


@pytest.mark.parametrize(
    ("names", "required"),
    [([], ["fai"]), (["bwa"], ["fai", "bwa", "dict"]), (["dict", "bwa", "fai"], ["fai", "dict", "bwa"])],
)
def test_an_index_brings_the_indexes_that_it_needs(names: list[str], required: list[str]) -> None:
    assert [kind.name for kind in required_kinds(names)] == required


def test_an_unknown_kind() -> None:
    with pytest.raises(DataError, match=r"^expected an index of a reference \(fai, bwa, minibwa, dict\), found 'csi'$"):
        required_kinds(["csi"])


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> IndexKind:
    """Add a kind of index, which holds the length of the file, and return it."""

    def build(fasta: Path, uri: str) -> None:
        fasta.with_name(f"{fasta.name}.length").write_text(str(fasta.stat().st_size))

    kind = IndexKind("length", (".length",), "wc -c {fasta}", build, needs=("dict",))
    monkeypatch.setitem(INDEX_KINDS, kind.name, kind)
    return kind


def test_one_record_adds_a_kind(lengths: IndexKind, tmp_path: Path) -> None:
    fasta = tmp_path / "tiny.fa"
    fasta.write_text(">chr1\nACGT\n")
    assert prepare(str(fasta), ["length"], LocalStore(), tmp_path / "cache") == fasta
    assert fasta.with_suffix(".fa.length").read_text() == "11"
    assert fasta.with_suffix(".dict").is_file()
    assert lengths.advice(f"s3://refs/{fasta.name}") == "wc -c tiny.fa"


def test_records_of_a_fasta_index() -> None:
    first, second = parse_fai("chr1\t130\t6\t60\t61\n\nchr2\t0\t150\t0\t0\n", file="a.fa.fai")
    assert (first.contig, first.end()) == (Contig("chr1", 130), 6 + 2 * 61 + 10)
    assert (second.contig, second.end()) == (Contig("chr2", 0), 150)


@pytest.mark.parametrize("line", ["chr1", "chr1\t640", "chr1\tx\t6\t60\t61", "chr1 640 6 60 61"])
def test_an_invalid_line(line: str) -> None:
    with pytest.raises(DataError) as error:
        parse_fai(f"{line}\n", file="a.fa.fai")
    assert str(error.value) == f"a.fa.fai: expected a FASTA index (name, length, …), found {line!r}"


def test_suffixes_of_indexes_are_spelled_in_one_package() -> None:
    package = Path(genomics_pipeline.__file__).parent
    suffixes = {suffix for kind in INDEX_KINDS.values() for suffix in kind.suffixes if suffix.startswith(".")}
    literals = [
        f"{file.relative_to(package)}:{node.lineno}: {node.value}"
        for file in sorted(package.rglob("*.py"))
        if not file.is_relative_to(package / "reference")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in suffixes
    ]
    assert literals == []
