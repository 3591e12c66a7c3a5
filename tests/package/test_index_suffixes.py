"""The suffixes of index files, which only `reference/` spells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline
from genomics_pipeline.reference.index_kinds import INDEX_KINDS

PACKAGE = Path(genomics_pipeline.__file__).parent
SUFFIXES = {suffix.strip(".") for kind in INDEX_KINDS.values() for suffix in kind.suffixes}
SPELLED = re.compile(rf"\.(?:{'|'.join(sorted(SUFFIXES))})$")


def suffixes(source: str) -> Iterator[str]:
    """Yield the literals of a module that end like the name of an index file, except docstrings."""
    tree = ast.parse(source)
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in sentences and SPELLED.search(text):
                yield text


def test_no_other_package_spells_a_suffix() -> None:
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    spelled = {name: [*suffixes(path.read_text())] for name, path in paths.items()}
    outside = {name: texts for name, texts in spelled.items() if texts and not name.startswith("reference/")}
    assert outside == {}
    assert spelled["reference/fai.py"] == [".fai"]


@pytest.mark.parametrize(
    "planted", ['x = f"{fasta}.fai"', 'x = file.with_suffix(".dict")', 'TABLE = {"bwa": (".amb", ".pac")}']
)
def test_a_planted_suffix_is_found(planted: str) -> None:
    assert list(suffixes(planted))
