"""The pure packages call nothing impure, besides importing nothing impure, which lint-imports checks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline

PACKAGE = Path(genomics_pipeline.__file__).parent
PURE = ("model", "language", "asl", "planning/advice")
# The modules that they may import, which only compute, except `importlib`, which reads our own schemas.
# fmt: off
ALLOWED = frozenset({
    "__future__", "base64", "collections", "concurrent", "contextlib", "copy", "csv", "dataclasses", "datetime",
    "decimal", "difflib", "enum", "fractions", "functools", "genomics_pipeline", "hashlib", "heapq", "importlib",
    "io", "itertools", "json", "jsonata", "jsonpath", "jsonschema", "math", "numpy", "operator", "orjson",
    "posixpath", "pyarrow", "re", "threading", "tomllib", "typing", "urllib",
})
# fmt: on
REFUSED = {"urllib.request", "pyarrow.fs", "pyarrow.dataset", "pyarrow.parquet"}
CLOCK = {"now", "utcnow", "today"}
FUNCTIONS = {"open", "print", "input", "breakpoint", "__import__", "import_module", "urlopen"}
METHODS = {"import_module", "urlopen", "open", "read_text", "read_bytes", "write_text", "write_bytes"}
READ_SCHEMAS = {"model/declared_file.py", "language/validation/shapes.py"}


def impurities(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each import of another module, use of the clock, and read or write."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names if alias.name.partition(".")[0] not in ALLOWED)
            case ast.ImportFrom(module=str(module), level=0):
                if module.partition(".")[0] not in ALLOWED or module in REFUSED:
                    yield node.lineno, module
            case ast.Attribute(value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date")):
                if node.attr in CLOCK:
                    yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS:
                yield node.lineno, name


def test_pure_packages_only_compute() -> None:
    paths = {path.relative_to(PACKAGE).as_posix(): path for folder in PURE for path in (PACKAGE / folder).rglob("*.py")}
    impure_names = {name: [impurity for _, impurity in impurities(path.read_text())] for name, path in paths.items()}
    assert {name: names for name, names in impure_names.items() if names} == {
        name: ["read_text"] for name in READ_SCHEMAS
    }


@pytest.mark.parametrize(
    "planted",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.now(datetime.UTC)",
        "x = datetime.utcnow()",
        "x = date.today()",
        "clock = datetime.now",
        "import sys",
        "import os.path",
        "from zoneinfo import ZoneInfo",
        "import logging",
        "from urllib.request import urlopen",
        "text = open('file').read()",
        "text = path.read_text()",
        "print('x')",
        "time = __import__('time')",
        "time = importlib.import_module('time')",
    ],
)
def test_a_planted_impurity_is_found(planted: str) -> None:
    assert list(impurities(planted))


@pytest.mark.parametrize("harmless", ["x = host.now()", "x = datetime.fromisoformat(text)", "x = self.input(scope)"])
def test_pure_code_is_accepted(harmless: str) -> None:
    assert list(impurities(harmless)) == []
