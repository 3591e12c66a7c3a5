"""AWS's limits are spelled in `model/quotas.py` only."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

import pytest

import genomics_pipeline
from genomics_pipeline.model import quotas
from genomics_pipeline.model.quotas import Quota

PACKAGE = Path(genomics_pipeline.__file__).parent
QUOTAS = {name: value for name, value in vars(quotas).items() if isinstance(value, Quota)}
VALUES = {quota.value for quota in QUOTAS.values()} | {quota.burst for quota in QUOTAS.values() if quota.burst}
BUFFERS = {1 << 20, 8 << 20, 16 << 20}  # also sizes of buffers, which are written like this
# Numbers that can only mean the limit, wherever they occur.
ROUND = {quotas.MAP_RUN_ITEMS.value, quotas.OPEN_EXECUTIONS.value}
DISTINCTIVE = {value for value in VALUES if value > 20_000 and value % 86_400} - ROUND
LIMIT = re.compile(r"(?:^|_)(?:max|maximum|most|longest|largest|limit|per_s|per_second)(?:_|$)")
# Names like that of a limit of AWS, with the same number by chance.
OTHERS = {
    ("MAX_DEPTH", 200),
    ("MAX_SECONDS", 30),
    ("MOST_JOBS", 10),
    ("LONGEST_PAUSE_S", 20),
    ("MAX_EXECUTIONS", 1_000_000),
    ("MaxAttempts", 2),
    ("MaxAttempts", 20),
    ("MaxDelaySeconds", 300),
    ("max_concurrency", 1_000),
    ("HttpPutResponseHopLimit", 1),
    ("MaxValue", 99),
    ("MAX_BATCH_BYTES", 5_000),
    ("max_repeats", 2),
    ("MOST_OBSERVATIONS", 1_000),
    ("MOST_VCPUS", 64),
}


def number(node: ast.AST | None) -> float:
    """Return the value of a literal, or of literals joined by operators; NaN for anything else."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("int", "float") and len(node.args) == 1:
        return number(node.args[0])
    literals = (ast.Constant, ast.BinOp, ast.operator)
    if not isinstance(node, ast.Constant | ast.BinOp) or not all(isinstance(part, literals) for part in ast.walk(node)):
        return nan
    value = eval(ast.unparse(node), {"__builtins__": {}})  # literals only
    return nan if type(value) not in (int, float) or (isinstance(node, ast.BinOp) and value in BUFFERS) else value


def spelled(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each spelled limit: a distinctive number, a constant, a compared length, a repetition."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)):
                spells_limit = _repeats(text)
            case ast.Constant() | ast.BinOp():
                spells_limit = number(node) in DISTINCTIVE
            case ast.Compare():
                spells_limit = _compares_a_length(node)
            case (
                ast.Call(func=ast.Name(id="range"), args=[_, _, size])
                | ast.Call(func=ast.Name(id="batched"), args=[_, size])
            ):
                spells_limit = number(size) in VALUES
            case _:
                spells_limit = False
        if spells_limit:
            yield getattr(node, "lineno", 0), ast.unparse(node)
        for name, value in named_values(node):
            if LIMIT.search(snake_case(name)) and number(value) in VALUES and (name, number(value)) not in OTHERS:
                yield value.lineno, f"{name}: {ast.unparse(value)}"


def named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names and values of a node's assignments, keywords, defaults or members."""
    match node:
        case ast.Assign(value=value):
            yield from ((ast.unparse(target), value) for target in node.targets)
        case ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
            yield ast.unparse(node.target), value
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            yield from ((str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant))
        case ast.arguments():
            positional = [*node.posonlyargs, *node.args]
            names = [*positional[len(positional) - len(node.defaults) :], *node.kwonlyargs]
            defaults = zip(names, [*node.defaults, *node.kw_defaults], strict=True)
            yield from ((name.arg, value) for name, value in defaults if value)


def snake_case(name: str) -> str:
    """Return a name such as ``self.MaxDelaySeconds`` or ``_MAX_LABEL`` in snake case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace(".", "_").lower()


def _repeats(text: str) -> bool:
    """Return whether a regular expression repeats as often as a limit allows."""
    allowed = {quotas.FUNCTION_NAME.value}  # a number of many texts
    return any(int(most) in VALUES - allowed for most in re.findall(r"\{\d+,(\d{2,})\}", text))


def _compares_a_length(node: ast.Compare) -> bool:
    """Return whether a length is compared with the number of a limit."""
    sides = [node.left, *node.comparators]
    lengths = [side for side in sides if isinstance(side, ast.Call) and ast.unparse(side.func) == "len"]
    return bool(lengths) and any(number(side) > 2 and number(side) in VALUES for side in sides)


def test_no_limit_of_aws_is_spelled_elsewhere() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path != Path(quotas.__file__)]
    limits_by_file = {
        str(path.relative_to(PACKAGE)): limits for path in sources if (limits := [*spelled(path.read_text())])
    }
    assert limits_by_file == {}


@pytest.mark.parametrize(
    "planted",
    [
        "if size > 262144: pass",
        "x = 256 * 1024",
        "x = 1 << 18",
        "x = 32768",
        "x = 30 * 1024",
        "MAX_DEFINITION = 1_048_576",
        "MAX_ITEMS = 100_000_000",
        "x = 25_000",
        "MAX_NAME = 80",
        "_MAX_LABEL = 40",
        "MAX_CONCURRENCY: int = 10_000",
        "MOST_KEYS = 1000",
        "STARTS_PER_SECOND = 100",
        "if len(name) > 80: pass",
        "if not 1 <= len(name) <= 128: pass",
        'NAME = re.compile("[a-z]{1,80}")',
        "x = 99_999_999",
        "most = 40",
        "self._longest_label = 40",
        "maximum: int = int(1e4)",
        "def page(most: int = 1000): pass",
        "def page(*, max_results=1_000): pass",
        "page(max_results=100)",
        'x = {"maxLength": 80}',
        'x = {"MaxConcurrency": 10_000}',
        "for start in range(0, len(ids), 100): pass",
        "for some in batched(ids, 100): pass",
    ],
)
def test_a_planted_limit_is_found(planted: str) -> None:
    assert list(spelled(planted))


@pytest.mark.parametrize(
    "harmless",
    [
        "BLOCK_BYTES = 1 << 20",
        "x = 1024**2",
        "x = round(seconds * 1000)",
        "COMPARED = 10_000",
        "if len(x) > 2: pass",
        "range(1, 10)",
        "max_concurrency: int = 1000",
    ],
)
def test_other_numbers_are_accepted(harmless: str) -> None:
    assert list(spelled(harmless)) == []


def test_each_quota_has_its_source() -> None:
    for name, quota in QUOTAS.items():
        assert quota.value > 0, name
        assert all((quota.unit, quota.operation, quota.source)), name
        assert re.fullmatch(r"20\d\d-\d\d", quota.date_read), name
        assert max(quota.burst, quota.value) == (quota.burst or quota.value), name


# By schema: the limits of AWS that it repeats, and maxima of our own.
SCHEMAS: dict[str, tuple[set[Quota], set[float]]] = {
    "asl": ({quotas.SECONDS, quotas.MAX_ATTEMPTS, quotas.MAX_DELAY, quotas.PAYLOAD, quotas.MAP_RUN_ITEMS}, {100}),
    "pipeline": (
        {quotas.MAP_RUN_CONCURRENCY, quotas.MAP_RUN_ITEMS, quotas.INLINE_CONCURRENCY, quotas.PAYLOAD},
        {100},
    ),
    "step": ({quotas.STANDARD_SECONDS}, {10, 256}),
    "faults": (set(), {1}),
    "parameters": (set(), set()),
    "genomes": (set(), set()),
    "profile": (set(), {120}),
    "calibration": (set(), {1, 100}),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_have_the_same_limits(name: str) -> None:
    schema = json.loads((PACKAGE / "schemas" / f"{name}.schema.json").read_text())
    limits, own = SCHEMAS[name]
    assert set(_maxima(schema)) == {quota.value for quota in limits} | own


def test_every_schema_is_compared() -> None:
    assert {path.name.partition(".")[0] for path in (PACKAGE / "schemas").glob("*.json")} == set(SCHEMAS)


def _maxima(schema: Any) -> Iterator[float]:
    if isinstance(schema, dict):
        for name in ("maximum", "maxLength", "maxItems", "maxProperties"):
            if isinstance(schema.get(name), int | float):
                yield schema[name]
        for value in schema.values():
            yield from _maxima(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _maxima(value)
