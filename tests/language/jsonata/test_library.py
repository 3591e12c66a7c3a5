"""The library whose internals the evaluator relies on: one version, imported in one place, checked on import."""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonata
import pytest

import genomics_pipeline
from genomics_pipeline.language.jsonata import library

CHECKOUT = Path(genomics_pipeline.__file__).parents[1]
# Of version 0.7.1. For another version, check every assumption in `library` and run test_agreement, the comparison with
# the reference implementation.
SOURCE = "1f5b14b1115cf286abf6fea6c08761940affc63e5e888203381c0317b952d871"


def test_the_version_is_pinned() -> None:
    dependencies = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = re.findall(r"^jsonata-python==(\S+)", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE)
    assert f"jsonata-python=={library.VERSION}" in dependencies
    assert [*locked, version("jsonata-python")] == [library.VERSION] * 2


def test_the_source_is_the_one_that_was_read() -> None:
    digest = hashlib.sha256()
    for path in sorted(Path(jsonata.__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    assert digest.hexdigest() == SOURCE


def test_all_assumptions_hold() -> None:
    assert list(library.broken_assumptions()) == []


def another_signature(self: Any, expr: Any) -> None: ...


@pytest.mark.parametrize(
    ("owner", "name", "value", "problem"),
    [
        (library.Jsonata, "evaluate_path", another_signature, "Jsonata.evaluate_path: expected 4 parameters, found 2"),
        (library.Utils, "is_numeric", None, "Utils.is_numeric: expected 1 parameters, found none"),
        (library.Parser, "Symbol", type("Symbol", (), {"__init__": lambda self, *_: None}), "a node: expected the"),
    ],
)
def test_a_broken_assumption_is_reported(monkeypatch: Any, owner: Any, name: str, value: Any, problem: str) -> None:
    monkeypatch.setattr(owner, name, value)
    assert any(broken.startswith(problem) for broken in library.broken_assumptions())


def test_one_module_imports_the_library() -> None:
    importing = set()
    for path in (CHECKOUT / "genomics_pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(module.partition(".")[0] == "jsonata" for module in modules):
                importing.add(str(path.relative_to(CHECKOUT)))
    assert importing == {"genomics_pipeline/language/jsonata/library.py"}
