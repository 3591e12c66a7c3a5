"""Damaged reference sequences: each is refused with its line, or its indexes say what is in the file."""

from __future__ import annotations

import gzip
import re
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.fai import read_contigs
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore
from tests.fuzz.harness import batches, for_each_input, tree
from tests.fuzz.mutations import HOSTILE, damage_bytes

pytestmark = pytest.mark.fuzz
FASTA = (
    b">chr1 the first\nACGTACGTAC\nACGTNNRYAC\nacgt\n"
    b">HLA-A*01:01:01:01\nACGTACGTACGTAC\n"
    b">chrM|x\tmitochondrion\nACGT\nAC\n"
)
WORDS = (
    *HOSTILE,
    b">",
    b"\n>",
    b">chr1\n",
    b">a\n>b\n",
    b";",
    b" ",
    b"\r\n",
    b"\n\n",
    b"*",
    b"-",
    b"acgt",
    b">x,y\nAC\n",
)


@pytest.mark.parametrize("numbers", batches(2000, 250))
def test_fasta(numbers: range, tmp_path: Path) -> None:
    folder, cache, ends = tmp_path / "inside", tmp_path / "cache", Counter[bool]()

    def check(random: Random) -> None:
        for one in (folder, cache):
            shutil.rmtree(one, ignore_errors=True)
        folder.mkdir()
        text = damage_bytes(FASTA, random, WORDS)
        compressed = random.random() < 0.3
        fasta = folder / ("ref.fa.gz" if compressed else "ref.fa")
        fasta.write_bytes(gzip.compress(text, 1, mtime=0) if compressed else text)
        prepared, problems = prepare_or_problems(fasta, cache)
        ends[prepared is not None] += 1
        if prepared:
            assert [tuple(contig) for contig in read_contigs(prepared)] == sequences(text), text
        else:
            assert all("ref.fa" in problem for problem in problems), problems
            assert set(tree(folder)) == {fasta.name}

    for_each_input("fasta", numbers, check)
    assert min(ends[True], ends[False]) > 0


def prepare_or_problems(fasta: Path, cache: Path) -> tuple[Path | None, list[str]]:
    try:
        return prepare(str(fasta), ["fai", "dict"], LocalStore(), cache), []
    except DataError as error:
        return None, list(map(str, error.problems))


def sequences(text: bytes) -> list[tuple[str, int]]:
    """Return the names and lengths of the sequences of valid FASTA, and fail for anything that is not.

    Blanks between bases have no meaning; names are those that SAM allows.
    """
    assert text.startswith(b">")
    found = []
    for part in re.split(rb"(?:\A|\n)>", text)[1:]:
        header, _, body = part.partition(b"\n")
        bases = b"".join(body.split())
        assert re.fullmatch(rb"[ACGTNRYSWKMBDHV]+", bases.upper()), bases
        name = header.split()[0]
        assert re.fullmatch(rb"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*", name), name
        found.append((name.decode(), len(bases)))
    assert len(dict(found)) == len(found)
    return found
