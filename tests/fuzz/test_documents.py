"""Damaged state machine documents and inputs: each is refused, or its execution ends as one of AWS would."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.fuzz.harness import Ended, batches, for_each_input, run_command, tree
from tests.fuzz.mutations import HOSTILE, HOSTILE_VALUES, damage_bytes, damage_value

pytestmark = pytest.mark.fuzz
CASES = Path(__file__).parents[1] / "conformance" / "cases"
STATUSES = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
WORDS = (
    *HOSTILE,
    b"$",
    b"$.",
    b"$$",
    b"{%",
    b"%}",
    b"States.",
    b"[*]",
    b"..",
    b'"Type":"Map",',
    b"null",
    b"[?(@.n>1)]",
)
VALUES = (
    *HOSTILE_VALUES,
    "$",
    "$.n",
    "$..*",
    "$[?(@.n == 1)]",
    "$states.input",
    "{% $ %}",
    "{% ( %}",
    "{% $states.input.n[0] %}",
    "{% [1..10] %}",
    "{% $map([1..9], function($v) { $v * 2 }) %}",
    "{% $error('x') %}",
    "States.Format('{}', $.n)",
    "States.ArrayRange(1, 9, 2)",
    "States.ALL",
    "JSONata",
    "JSONPath",
    "DISTRIBUTED",
)


@pytest.fixture(scope="module")
def cases() -> list[tuple[dict[str, Any], Any]]:
    """Return the documents and inputs of the conformance cases that need no tasks, buckets or mocks."""
    read = [json.loads(file.read_bytes()) for file in sorted(CASES.rglob("*.json"))]
    plain = [case for case in read if not case.keys() & {"tasks", "mock", "objects", "machines", "arguments"}]
    assert len(plain) > 100
    return [(case["definition"], case.get("input", {})) for case in plain]


@pytest.mark.parametrize("numbers", batches(2500, 500))
def test_documents(numbers: range, cases: list[tuple[dict[str, Any], Any]], tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "buckets").mkdir(parents=True)
    ends = Counter[int]()
    document_file, input_file = inside / "machine.json", inside / "input.json"

    def check(random: Random) -> None:
        document, given = random.choice(cases)
        text, input_text = json.dumps(document).encode(), json.dumps(given).encode()
        what = random.random()
        if what < 0.6:
            text = json.dumps(damage_value(document, random, VALUES)).encode()
        elif what < 0.8:
            text = damage_bytes(text, random, WORDS)
        elif what < 0.9 and isinstance(given, (dict, list)):
            input_text = json.dumps(damage_value(given, random, VALUES)).encode()
        else:
            input_text = damage_bytes(input_text, random, WORDS)
        document_file.write_bytes(text)
        input_file.write_bytes(input_text)
        before = tree(tmp_path)
        try:
            ended = execute(document_file, input_file, inside)
            check_end(ended)
            ends[ended.code] += 1
        except Exception as error:
            raise AssertionError(f"{text!r} {input_text!r}: {error}") from error
        assert tree(tmp_path) == before

    for_each_input("documents", numbers, check)
    assert min(ends[code] for code in (0, 1, 2)) > 0  # succeeded, failed, refused


def execute(document: Path, given: Path, root: Path) -> Ended:
    return run_command("execute", document, "--input", given, "--root", root / "buckets", "--fast-forward", "--json")


def check_end(ended: Ended) -> None:
    """Check that the document or the input was refused, or that the execution's end is a whole description of it."""
    if ended.code == 2 or not ended.out:
        assert ended.err.strip()
        return
    outcome = json.loads(ended.out)
    assert outcome["status"] in STATUSES
    assert (outcome["status"] == "SUCCEEDED") == (ended.code == 0)
