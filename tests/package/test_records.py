"""The records of a run, which are parsed in `records/` only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline

PACKAGE = Path(genomics_pipeline.__file__).parent
FILES = re.compile(
    r"\b(?:RECORD|INPUT|HOLDER|RESULT_MANIFEST|completion_record|failure_record|job_record|job_uri)\b"
    r"|\.(?:input|record|holder)\.(?:read|open)"
)
# The engine writes ResultWriter's files and continues them in a redrive.
ALLOWED = {"engine/distributed_map/result_writer.py": ["self.store.read(uri)"]}


def parsed_files(source: str) -> Iterator[str]:
    """Yield the expressions for texts of records that a module parses, as JSON or as a record's fields."""
    tree = ast.parse(source)
    values: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            values |= {ast.unparse(target): ast.unparse(node.value) for target in node.targets}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.search(r"\b(?:loads\w*|load|read_fields|decode)$", ast.unparse(node.func)):
            for text in map(ast.unparse, node.args):
                if FILES.search(_with_values(text, values)):
                    yield text


def _with_values(text: str, values: dict[str, str]) -> str:
    """Return an expression, followed by the values of its names and of the names in these."""
    for _ in range(2):
        names = dict.fromkeys(re.findall(r"[\w.]+", text))
        text = " ".join([text, *(values[name] for name in names if name in values)])
    return text


def test_records_are_parsed_nowhere_else() -> None:
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    texts_by_file = {
        name: [*parsed_files(path.read_text())] for name, path in paths.items() if not name.startswith("records/")
    }
    assert {name: texts for name, texts in texts_by_file.items() if texts} == ALLOWED


@pytest.mark.parametrize(
    "planted",
    [
        "x = json.loads(store.read(place.uri(run_layout.RECORD)))",
        "x = json.loads((folder / run_layout.INPUT).read_bytes())",
        "x = orjson.loads(store.read(run.uri(run_layout.completion_record(stage, item))))",
        "uri = run.uri(run_layout.failure_record(stage, item))\nx = json.loads(store.read(uri))",
        "key = run_layout.HOLDER\ntext = (folder / key).read_text()\nx = loads(text)",
        "x = json.load(folder.input.open())",
        "x = read_fields(store, place.uri(run_layout.RECORD), KIND)",
    ],
)
def test_a_planted_reader_is_found(planted: str) -> None:
    assert list(parsed_files(planted))


@pytest.mark.parametrize(
    "harmless", ["x = json.loads(line)", "x = json.loads(store.read(place.uri(run_layout.DEFINITION)))"]
)
def test_other_readers_are_accepted(harmless: str) -> None:
    assert list(parsed_files(harmless)) == []
