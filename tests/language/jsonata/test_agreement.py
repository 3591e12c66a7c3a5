"""JSONata compared with its reference implementation, jsonata 2.0.6 of npm, which AWS's developer guide names.

The expressions of a table (agreement/expressions.txt, over agreement/data.json) and generated ones must have the same
values, or the same codes and sentences, in both. `DIFFERENCES` gives the reason for each exception; the test fails for
a difference that is missing there and for one that no longer exists. AWS's own evaluator differs from the reference in
a few points: where that was measured, the engine does as AWS does.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.asl.task_state import NOW
from genomics_pipeline.aws.template.report_definition import report_definition
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.model.resource_names import ResourceNames
from tests.corpus.failure_causes import causes
from tests.language.host import HOST

GOLDEN = Path(__file__).parents[2] / "golden"
HERE = Path(__file__).parent / "agreement"
DATA = json.loads((HERE / "data.json").read_text())
TABLE = [line for line in (HERE / "expressions.txt").read_text().splitlines() if line and not line.startswith("# ")]

_15_DIGITS = "AWS rounds down to 15 digits (iwamot/sfnx, STRING_CASES)"
_WITHOUT_CODE = "AWS's sentence has no code (floci-io/floci, JsonataEvaluatorTest.java)"
_CRASH = "the reference fails with an internal error; AWS reports D3086 (floci-io/floci, JsonataEvaluatorTest.java)"
DIFFERENCES = {
    "$string(2 / 3)": _15_DIGITS,
    "$string(123456789.123456789)": _15_DIGITS,
    "$replace('abcabc', 'b', 'X', -1)": _WITHOUT_CODE,
    "$replace('abc', '', 'X')": _WITHOUT_CODE,
    "$base64encode('é')": "AWS encodes UTF-8 (iwamot/sfnx, docs/design.md)",
    "$pad('a', 3.7)": "AWS truncates the width to an integer (iwamot/sfnx, docs/design.md)",
    "$formatNumber(1, 'x')": _CRASH,
    "$formatNumber(1, '')": _CRASH,
    "$random(1, 2, 3)": "AWS's function takes a seed",
    "$formatNumber(0.2, '#.0')": "the library writes the zero that XPath leaves out",
    "$formatNumber(-0.5, '0')": "the library has no negative zero",
    "function(x) { x }": "the library reports the parameter's name, not its position",
    "function($x)<n(:n> { $x }": "the reference ignores an unclosed bracket in a signature",
}

pytestmark = pytest.mark.validators

Answer = dict[str, Any]
Reference = Callable[[str, dict[str, Any]], Answer]


@pytest.fixture(scope="session")
def reference(node: Callable[[Path], str]) -> Iterator[Reference]:
    """Return a function that evaluates an expression in the reference implementation, all in one process of Node.js."""
    command = [node(HERE), "evaluate.js"]
    with subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        requests, answers = process.stdin, process.stdout
        assert requests is not None
        assert answers is not None

        def call(expression: str, bindings: dict[str, Any]) -> Answer:
            print(json.dumps({"expression": expression, "bindings": bindings}), file=requests, flush=True)
            answer: Answer = json.loads(answers.readline())
            return answer

        for name in (*ONE, *TWO, *HIGHER):  # functions report their names in errors only after a call by name
            call(f"${name}()", {})
        yield call
        requests.close()


def engine_answer(expression: str, bindings: dict[str, Any]) -> Answer:
    """Return the engine's answer, in the form of the reference's."""
    try:
        return {"value": json.loads(json.dumps(evaluate("{%" + expression + "%}", bindings, "F", HOST)))}
    except StatesError as error:
        problem = str(error.cause).removeprefix(
            f"The JSONata expression '{expression.strip()}' specified for the field 'F' "
        )
        if problem == "returned nothing (undefined).":
            return {"nothing": True}
        if problem == "returned an unsupported result type.":
            return {"function": True}
        match = re.fullmatch(r"threw an error during evaluation(?:\. ([A-Z]\d{4})|): (.*)", problem, re.DOTALL)
        assert match, problem
        return {"code": match[1] or "", "message": match[2]}


def is_same(left: Any, right: Any) -> bool:
    """Return whether answers are equal: 2.0 equals 2 but true not 1, members are ordered, sentences need a code."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        if left.get("code") == right.get("code") == "":
            return True
        return list(left) == list(right) and all(is_same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    return bool(left == right)


def test_the_table_of_expressions(reference: Reference) -> None:
    assert len(TABLE) > 1000
    bindings = {"d": DATA}
    different = [text for text in TABLE if not is_same(reference(text, bindings), engine_answer(text, bindings))]
    assert sorted(different) == sorted(DIFFERENCES)


NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(-3, 12) | st.sampled_from([0.5, 1.25, -2.5, 100])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text("ab 1", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
ONE = (
    *(
        "sum",
        "count",
        "max",
        "min",
        "average",
        "string",
        "length",
        "uppercase",
        "trim",
        "number",
        "abs",
        "floor",
        "ceil",
    ),
    *("round", "boolean", "not", "exists", "reverse", "distinct", "keys", "spread", "merge", "type", "sort", "zip"),
)
TWO = ["append", "lookup", "join", "contains", "split", "substring", "zip", "formatBase"]
HIGHER = ["map", "filter", "each", "sift", "single", "sort"]
BINARY = ["+", "-", "*", "/", "%", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in", ".", ".."]
LEAVES = st.sampled_from(
    ["$d", "$d.a", "$d.b", "$d.a.b", "$d.c[0]", "$v", "$", "true", "false", "null", "[]", "{}", "a"]
)


def quote(text: str) -> str:
    return json.dumps(text)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    build = st.builds
    return st.one_of(
        build("({} {} {})".format, inner, st.sampled_from(BINARY), inner),
        build("{}.{}".format, inner, NAMES),
        build(
            "({}){}".format,
            inner,
            st.sampled_from([".*", ".**", "[0]", "[-1]", "[]", ".(a)", "^(a)", ".{'k': a}", "#$i.$i"]),
        ),
        build("({})[{}]".format, inner, inner),
        build("[{}, {}]".format, inner, inner),
        build("[{}]".format, inner),
        build("{{'a': {}, 'b': {}}}".format, inner, inner),
        build("({} ? {} : {})".format, inner, inner, inner),
        build("($v := {}; {})".format, inner, inner),
        build("-({})".format, inner),
        build("${}({})".format, st.sampled_from(ONE), inner),
        build("${}({}, {})".format, st.sampled_from(TWO), inner, inner),
        build("${}({}, function($v, $i) {{ {} }})".format, st.sampled_from(HIGHER), inner, inner),
        build("$reduce({}, function($v, $w) {{ {} }})".format, inner, inner),
        build("({} ~> ${})".format, inner, st.sampled_from(ONE)),
        build("{}{{$string(a): {}}}".format, inner, inner),
    )


EXPRESSIONS = st.recursive(LEAVES | NUMBERS.map(str) | st.text("ab 1", max_size=3).map(quote), compound, max_leaves=6)


@settings(max_examples=300)
@given(text=EXPRESSIONS, data=JSON)
def test_generated_expressions(reference: Reference, text: str, data: Any) -> None:
    bindings = {"d": data}
    reference_answer, our_answer = reference(text, bindings), engine_answer(text, bindings)
    # The reference evaluates the members of a list or an object at the same time: any of them may fail first.
    is_ambiguous = ("[" in text or "{'" in text) and "code" in reference_answer and "code" in our_answer
    assert is_ambiguous or is_same(reference_answer, our_answer), text


def _expressions(node: Any) -> Iterator[str]:
    """Yield the expressions in a part of a document."""
    if isinstance(node, str) and node.startswith("{%"):
        yield node[2:-2]
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _expressions(part)


@pytest.mark.parametrize("stage", ["alignment", "gather"])
def test_retries_of_generated_definitions(reference: Reference, stage: str) -> None:
    states = json.loads((GOLDEN / "germline.json").read_text())["States"]
    states |= states["Sample"]["ItemProcessor"]["States"]
    task, choice = states[stage], states[f"{stage}Failed"]
    tried = [{"class": "out_of_memory", "memory_mib": 2048}, {"class": "host_lost"}, {"class": "timeout"}]
    shared = {"run": {"name": "r"}, "reference": "x", "parameters": {}, "item": {"sample": "a"}, "earlier": {}}
    inputs = [
        {**shared, "memory_mib": memory, **healing}
        for memory in ({}, {stage: 20_000})
        for healing in ({}, *({"healing": {"stage": name, "tried": tried}} for name in (stage, "another")))
    ]
    for given_input in inputs:
        bindings: dict[str, Any] = {"states": {"input": given_input}, "intervalResults": {"Key": "k"}}
        for expression in _expressions(task["Arguments"]):
            if expression.strip() == NOW:
                continue
            assert is_same(reference(expression, bindings), engine_answer(expression, bindings)), expression
    (catcher,), (rule,) = task["Catch"], choice["Choices"]
    (caught,) = _expressions(catcher["Assign"])
    for cause in causes():
        error = {"Error": cause.error, "Cause": cause.cause}
        for given_input in inputs:
            bindings = {"states": {"input": given_input, "errorOutput": error}}
            failure = engine_answer(caught, bindings)
            assert is_same(reference(caught, bindings), failure), cause.name
            for expression in _expressions(rule):
                after = {"states": {"input": given_input}, "failure": failure["value"]}
                assert is_same(reference(expression, after), engine_answer(expression, after)), cause.name


def test_the_report_of_runs(reference: Reference) -> None:
    arns = [f"arn:aws:states:r:1:mapRun:m/{name}" for name in ("Sample:0", "Interval:1", "Sample:2")]
    listed = [{"MapRunArn": arn, "StartDate": f"2026-01-0{number}"} for number, arn in enumerate(arns, 1)]
    counts = {"Succeeded": 7, "Total": 9, "Failed": 1, "Pending": 1}
    event: dict[str, Any] = {
        "name": "r-r1",
        "status": "FAILED",
        "executionArn": "arn:aws:states:r:1:execution:m:r-r1",
        "error": "E",
    }
    ends: list[dict[str, Any]] = [
        *({"error": case.error, "cause": case.cause} for case in causes()),
        {"error": None, "cause": None},
        {},
    ]
    results = [
        *({"MapRuns": listed[:many][::-1]} for many in range(4)),
        *({"MapRunArn": arns[0], "ItemCounts": one} for one in (counts, {**counts, "Failed": 0, "Pending": 0})),
    ]
    compared = 0
    for end, result in [*((end, results[-1]) for end in ends), *((ends[0], result) for result in results)]:
        context = {"Execution": {"Input": {"time": "t", "region": "r", "detail": {**event, **end}}}}
        for sentences in ([], ["7 of 9 samples succeeded"], ["a", "b"]):
            bindings: dict[str, Any] = {"states": {"input": sentences, "result": result, "context": context}}
            for expression in _expressions(report_definition(ResourceNames(), "arn:aws:sns:r:1:topic")):
                answer = engine_answer(expression, bindings)
                assert is_same(reference(expression, bindings), answer), expression
                compared += "value" in answer
    assert compared > 200
