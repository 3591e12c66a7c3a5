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
VALUES = {quota.value for quota in QUOTAS.values()} | {quota.burst for quota in QUOTAS.values()}
BUFFERS = {1 << 20, 8 << 20, 16 << 20}  # sizes of many a buffer too, there written as here
# Numbers that mean nothing but the limit, wherever they stand.
TELLING = {value for value in VALUES if value > 20_000 and value % 86_400} - {quotas.MAP_RUN_ITEMS.value}
LIMIT = re.compile(r"(?:^|_)(?:MAX|MOST|LIMIT|PER_S|PER_SECOND)(?:_|$)")
OTHERS = {"MAX_DEPTH", "MAX_SECONDS", "MOST_JOBS"}  # named like a limit of AWS, with the number of one by chance


def number(node: ast.AST | None) -> float:
    """Return the value of a literal, or of literals joined by operators; NaN for anything else."""
    literals = (ast.Constant, ast.BinOp, ast.operator)
    if not isinstance(node, ast.Constant | ast.BinOp) or not all(isinstance(one, literals) for one in ast.walk(node)):
        return nan
    value = eval(ast.unparse(node), {"__builtins__": {}})  # literals only
    return nan if type(value) not in (int, float) or (isinstance(node, ast.BinOp) and value in BUFFERS) else value


def spelled(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of what spells a limit: a telling number, a constant, a length compared, a repetition."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)):
                found = _repeats(text)
            case ast.Constant() | ast.BinOp():
                found = number(node) in TELLING
            case ast.Assign() | ast.AnnAssign():
                found = _is_limit(node)
            case ast.Compare():
                found = _compares_a_length(node)
            case _:
                continue
        if found:
            yield node.lineno, ast.unparse(node)


def _repeats(text: str) -> bool:
    """Tell whether a regular expression repeats as often as a limit allows."""
    return any(int(most) in VALUES for most in re.findall(r"\{\d+,(\d{2,})\}", text))


def _is_limit(node: ast.Assign | ast.AnnAssign) -> bool:
    """Tell whether a constant named like a limit is assigned the number of one."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if not (isinstance(target, ast.Name) and target.id.isupper() and target.id not in OTHERS):
        return False
    return bool(LIMIT.search(target.id)) and number(node.value) in VALUES


def _compares_a_length(node: ast.Compare) -> bool:
    """Tell whether a length is compared with the number of a limit."""
    sides = [node.left, *node.comparators]
    lengths = [side for side in sides if isinstance(side, ast.Call) and ast.unparse(side.func) == "len"]
    return bool(lengths) and any(number(side) > 2 and number(side) in VALUES for side in sides)


def test_no_limit_of_aws_is_spelled_elsewhere() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path != Path(quotas.__file__)]
    found = {str(path.relative_to(PACKAGE)): limits for path in sources if (limits := [*spelled(path.read_text())])}
    assert found == {}


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
    ],
)
def test_a_planted_limit_is_seen(planted: str) -> None:
    assert list(spelled(planted))


@pytest.mark.parametrize(
    "harmless",
    ["BLOCK_BYTES = 1 << 20", "x = 1024**2", "x = round(seconds * 1000)", "COMPARED = 10_000", "if len(x) > 2: pass"],
)
def test_what_is_no_limit_is_not_refused(harmless: str) -> None:
    assert list(spelled(harmless)) == []


def test_each_quota_says_where_it_comes_from() -> None:
    for name, quota in QUOTAS.items():
        assert quota.value > 0, name
        assert all((quota.unit, quota.operation, quota.source)), name
        assert re.fullmatch(r"20\d\d-\d\d", quota.date_read), name
        assert max(quota.burst, quota.value) == (quota.burst or quota.value), name


def test_the_schema_of_the_language_has_the_same_limits() -> None:
    schema = json.loads((PACKAGE / "schemas" / "asl.schema.json").read_text())
    allowed = {quotas.SECONDS.value, quotas.MAX_ATTEMPTS.value, quotas.MAX_DELAY.value, quotas.PAYLOAD.value}
    assert set(_maxima(schema)) == allowed | {quotas.MAP_RUN_ITEMS.value, 100}


def _maxima(schema: Any) -> Iterator[float]:
    if isinstance(schema, dict):
        if isinstance(schema.get("maximum"), int | float):
            yield schema["maximum"]
        for value in schema.values():
            yield from _maxima(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _maxima(value)
