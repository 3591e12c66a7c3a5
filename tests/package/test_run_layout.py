"""The paths inside a run are spelled in `model/run_layout.py` only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline
from genomics_pipeline.model import run_layout

PACKAGE = Path(genomics_pipeline.__file__).parent
LAYOUT = Path(run_layout.__file__)

_VALUES = [value for name, value in vars(run_layout).items() if name.isupper() and isinstance(value, str)]
FILES = {value.rpartition("/")[2] for value in _VALUES if "." in value.rpartition("/")[2]}
FOLDERS = ("map-runs", "results", "steps", "reruns", "items")
PREFIXES = ("runs", "references", "definitions", "templates")
# A file's name counts unless a word precedes it, a folder's name beside a slash: sentences may contain them.
PATH = re.compile(
    rf"(?<![\w.-])(?<![a-z] )(?:{'|'.join(map(re.escape, sorted(FILES)))})(?!\w)"
    rf"|(?<!--)map-runs|pipeline_info|Redrive-|(?:^|/)(?:{'|'.join((*FOLDERS, *PREFIXES))})/|/(?:{'|'.join(FOLDERS)})$"
)
JOINS = {"join", "joinpath", "glob", "rglob", "with_name", "Path", "PurePath", "PurePosixPath", "RunFolder"}


def spelled(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each literal that spells a path of a run, except docstrings."""
    tree = ast.parse(source)
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in sentences:
            if PATH.search(node.value):
                yield node.lineno, node.value
        elif isinstance(node, ast.BinOp | ast.Call):
            yield from ((node.lineno, part) for part in joined_literals(node) if part in FOLDERS)


def joined_literals(node: ast.BinOp | ast.Call) -> Iterator[str]:
    """Yield the literals that an expression joins to a path: by ``/``, ``joinpath`` and the like, or ``join``."""
    match node:
        case ast.BinOp(op=ast.Div()):
            parts = [node.left, node.right]
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=parts) if name in JOINS:
            parts = [part for each in parts for part in getattr(each, "elts", [each])]
        case _:
            parts = []
    for part in parts:
        values = part.values if isinstance(part, ast.JoinedStr) else [part]
        if len(values) == 1 and isinstance(values[0], ast.Constant):
            yield str(values[0].value).strip("/")


def test_no_path_of_a_run_is_spelled_elsewhere() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path != LAYOUT]
    literals_by_file = {
        str(path.relative_to(PACKAGE)): literals for path in sources if (literals := [*spelled(path.read_text())])
    }
    assert literals_by_file == {}


@pytest.mark.parametrize(
    "planted",
    [
        'x = "run.json"',
        'x = f"{prefix}manifest.jsonl"',
        'x = f"reruns/{number}/{name}"',
        'x = folder / "steps" / stage',
        'x = f"s3://{bucket}/runs/{name}/"',
        'x = f"{base}/log.txt"',
        "x = f\"$states.input.run.prefix & 'map-runs/{label}'\"",
        'x = root / ".engine"',
        'x = f"{folder}/steps"',
        'x = "steps" / stage',
        'x = folder / f"results"',
        'x = folder / "results/"',
        'x = folder.joinpath("reruns", str(number))',
        'x = os.path.join(folder, "items")',
        'x = "/".join(("steps", stage, item))',
        'x = "/".join(["steps", stage, item])',
        'x = Path(folder, "results")',
        'x = folder.glob("steps")',
        'x = {"Resource": "arn:aws:s3:::bucket/runs/*"}',
        'x = sub("${Bucket.Arn}/steps/*")',
        'x = "results/" "pipeline_info"',
        'x = folder / "pipeline_info"',
    ],
)
def test_a_planted_literal_is_found(planted: str) -> None:
    assert list(spelled(planted))


@pytest.mark.parametrize(
    "harmless",
    [
        '"""What `run.json` says."""',
        'x = "expected a folder below results/, found none"',
        'x = resources / "asl.schema.json"',
        'x = shipped_folder("steps")',
        'x = ", found no step.json"',
        'x = cache / "references"',
    ],
)
def test_other_literals_are_accepted(harmless: str) -> None:
    assert list(spelled(harmless)) == []


def test_the_documentation_names_every_path() -> None:
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text("utf-8")
    names = ("RECORD", "MANIFEST", "INTERVALS", "DEFINITION", "INPUT", "FAILURES", "RESULTS", "LOG")
    records = (run_layout.completion_record, run_layout.failure_record, run_layout.job_record)
    paths = [
        *(getattr(run_layout, name) for name in names),
        *(record("", "").rpartition("/")[2] for record in records),
        f"{run_layout.step_folder('<stage>', '<item>')}/",
        f"{run_layout.map_runs('<Label>')}/<uuid>/",
        f"{run_layout.ENGINE}/",
        f"{run_layout.item_file('sample', '').partition('/')[0]}/",
    ]
    assert [path for path in paths if f"`{path}`" not in text] == []
    assert re.search(rf"`{re.escape(run_layout.rerun_file(0, '')).replace('0', '<n>')}`", text)
