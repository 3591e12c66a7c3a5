"""A small reference, and a function that prepares it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore

INDEXES = ("fai", "bwa")
BASES = "".join(Random(1).choices("ACGT", k=60))
FASTA = f">chr1 the first\n{BASES}\n{BASES}\nACGT\n>chr2\n{BASES}\n"
INDEX_FILES = [f"tiny.{ending}" for ending in ("dict", "fa", "fa.amb", "fa.ann", "fa.bwt", "fa.fai", "fa.pac", "fa.sa")]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    file = tmp_path / "data" / "tiny.fa"
    file.parent.mkdir()
    file.write_text(FASTA)
    return file


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def call(uri: Path | str, *indexes: str, note: Callable[[str], None] = lambda text: None) -> Path:
        return prepare(str(uri), indexes or INDEXES, LocalStore(), tmp_path / "cache", note)

    return call


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
