"""The sequence dictionary: it is refused when its digests are those of other bases."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pysam
import pytest

from genomics_pipeline.reference.dictionary import other_bases
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, find_mismatch, find_stale

KIND = INDEX_KINDS["dict"]
OTHER = "expected the MD5 (M5) of {} in x.fa, found that of other bases"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    rng = Random(1)
    fasta = tmp_path / "x.fa"
    lines = (f">{name}\n{''.join(rng.choices('ACGTacgtN', k=length))}\n" for name, length in (("b", 900), ("a", 90)))
    fasta.write_text("".join(lines))
    pysam.faidx(str(fasta))
    pysam.dict("-o", str(fasta.with_suffix(".dict")), str(fasta))
    return fasta


def change(fasta: Path, name: str) -> None:
    """Change the first base of a sequence."""
    text = fasta.read_text()
    place = text.index(f">{name}\n") + len(name) + 2
    fasta.write_text(f"{text[:place]}{'C' if text[place] in 'Aa' else 'A'}{text[place + 1 :]}")


def test_a_dictionary_that_was_built_fits(fasta: Path) -> None:
    assert find_mismatch(fasta, KIND) is find_stale(fasta, KIND) is None


@pytest.mark.parametrize("name", ["a", "b"])
def test_digests_of_other_bases(fasta: Path, name: str) -> None:
    change(fasta, name)
    assert find_mismatch(fasta, KIND) == find_stale(fasta, KIND) == OTHER.format(name)


def test_of_a_genome_the_shortest_sequences_are_compared(fasta: Path) -> None:
    change(fasta, "b")
    found = [other_bases(fasta, fasta.with_suffix(".dict"), most_bases) for most_bases in (89, 90, 989, 990, None)]
    assert found == [None, None, None, "b", "b"]


def test_a_dictionary_without_digests_is_used(fasta: Path) -> None:
    file = fasta.with_suffix(".dict")
    file.write_text("".join(line.partition("\tM5:")[0].rstrip() + "\n" for line in file.read_text().splitlines()))
    change(fasta, "a")
    assert find_mismatch(fasta, KIND) is find_stale(fasta, KIND) is None
