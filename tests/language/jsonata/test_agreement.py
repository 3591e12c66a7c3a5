"""JSONata against its reference implementation, jsonata 2.0.6 of npm: the version that AWS's developer guide names.

A table of expressions (agreement/expressions.txt, over agreement/data.json) and generated ones must have equal values,
or equal codes and sentences. Where they differ, the reason stands in `DIFFERENCES`; a difference that is not listed
fails, and so does a listed one that is gone. AWS's own evaluator departs from the reference here and there: where that
was measured, ours follows AWS.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonata.expressions import evaluate
from tests.corpus.failure_causes import causes
from tests.language.host import HOST

GOLDEN = Path(__file__).parents[2] / "golden"
HERE = Path(__file__).parent / "agreement"
DATA = json.loads((HERE / "data.json").read_text())
TABLE = [line for line in (HERE / "expressions.txt").read_text().splitlines() if line and not line.startswith("# ")]

_15_DIGITS = "AWS drops digits after the fifteenth downwards (iwamot/sfnx, STRING_CASES)"
_UNCODED = "AWS's sentence has no code (floci-io/floci, JsonataEvaluatorTest.java)"
_CRASH = "the reference fails by itself; AWS answers D3086 (floci-io/floci, JsonataEvaluatorTest.java)"
DIFFERENCES = {
    "$string(2 / 3)": _15_DIGITS,
    "$string(123456789.123456789)": _15_DIGITS,
    "$replace('abcabc', 'b', 'X', -1)": _UNCODED,
    "$replace('abc', '', 'X')": _UNCODED,
    "$base64encode('é')": "AWS encodes UTF-8 (iwamot/sfnx, docs/design.md)",
    "$pad('a', 3.7)": "AWS cuts the width to a whole number (iwamot/sfnx, docs/design.md)",
    "$formatNumber(1, 'x')": _CRASH,
    "$formatNumber(1, '')": _CRASH,
    "$random(1, 2, 3)": "AWS's takes a seed",
    "$formatNumber(0.2, '#.0')": "the library writes the zero that XPath leaves out",
    "$formatNumber(-0.5, '0')": "the library has no negative zero",
    "function(x) { x }": "the library knows the parameter's name, not its place",
    "function($x)<n(:n> { $x }": "a bracket that never closes in a signature: the reference lets it pass",
}

pytestmark = pytest.mark.validators

Answer = dict[str, Any]
Reference = Callable[[str, dict[str, Any]], Answer]


@pytest.fixture(scope="session")
def reference(node: Callable[[Path], str]) -> Iterator[Reference]:
    """`reference(expression, bindings)`: what the reference answers, from one process of node."""
    command = [node(HERE), "evaluate.js"]
    with subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None
        assert answered is not None

        def call(expression: str, bindings: dict[str, Any]) -> Answer:
            print(json.dumps({"expression": expression, "bindings": bindings}), file=asked, flush=True)
            found: Answer = json.loads(answered.readline())
            return found

        for name in (*ONE, *TWO, *HIGHER):  # a function tells its name only once it was called by it
            call(f"${name}()", {})
        yield call
        asked.close()


def ours(expression: str, bindings: dict[str, Any]) -> Answer:
    """What this engine answers, in the same form."""
    try:
        return {"value": json.loads(json.dumps(evaluate("{%" + expression + "%}", bindings, "F", HOST)))}
    except StatesError as error:
        what = str(error.cause).removeprefix(
            f"The JSONata expression '{expression.strip()}' specified for the field 'F' "
        )
        if what == "returned nothing (undefined).":
            return {"nothing": True}
        if what == "returned an unsupported result type.":
            return {"function": True}
        told = re.fullmatch(r"threw an error during evaluation(?:\. ([A-Z]\d{4})|): (.*)", what, re.DOTALL)
        assert told, what
        return {"code": told[1] or "", "message": told[2]}


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, 2.0 is 2, the order of members counts; a sentence without a code does not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        if one.get("code") == other.get("code") == "":
            return True
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_the_table(reference: Reference) -> None:
    assert len(TABLE) > 1000
    bindings = {"d": DATA}
    found = [text for text in TABLE if not same(reference(text, bindings), ours(text, bindings))]
    assert sorted(found) == sorted(DIFFERENCES)


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


def quoted(text: str) -> str:
    return json.dumps(text)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    of = st.builds
    return st.one_of(
        of("({} {} {})".format, inner, st.sampled_from(BINARY), inner),
        of("{}.{}".format, inner, NAMES),
        of(
            "({}){}".format,
            inner,
            st.sampled_from([".*", ".**", "[0]", "[-1]", "[]", ".(a)", "^(a)", ".{'k': a}", "#$i.$i"]),
        ),
        of("({})[{}]".format, inner, inner),
        of("[{}, {}]".format, inner, inner),
        of("[{}]".format, inner),
        of("{{'a': {}, 'b': {}}}".format, inner, inner),
        of("({} ? {} : {})".format, inner, inner, inner),
        of("($v := {}; {})".format, inner, inner),
        of("-({})".format, inner),
        of("${}({})".format, st.sampled_from(ONE), inner),
        of("${}({}, {})".format, st.sampled_from(TWO), inner, inner),
        of("${}({}, function($v, $i) {{ {} }})".format, st.sampled_from(HIGHER), inner, inner),
        of("$reduce({}, function($v, $w) {{ {} }})".format, inner, inner),
        of("({} ~> ${})".format, inner, st.sampled_from(ONE)),
        of("{}{{$string(a): {}}}".format, inner, inner),
    )


EXPRESSIONS = st.recursive(LEAVES | NUMBERS.map(str) | st.text("ab 1", max_size=3).map(quoted), compound, max_leaves=6)


@settings(max_examples=300, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(text=EXPRESSIONS, data=JSON)
def test_generated_expressions(reference: Reference, text: str, data: Any) -> None:
    bindings = {"d": data}
    theirs, found = reference(text, bindings), ours(text, bindings)
    # The reference evaluates the members of a list or an object at the same time: any of them may fail first.
    several = ("[" in text or "{'" in text) and "code" in theirs and "code" in found
    assert several or same(theirs, found), text


def _expressions(found: Any) -> Iterator[str]:
    """The expressions in a part of a document."""
    if isinstance(found, str) and found.startswith("{%"):
        yield found[2:-2]
    elif isinstance(found, dict | list):
        for part in found.values() if isinstance(found, dict) else found:
            yield from _expressions(part)


@pytest.mark.parametrize("stage", ["alignment", "gather"])
def test_how_our_definitions_heal(reference: Reference, stage: str) -> None:
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
            assert same(reference(expression, bindings), ours(expression, bindings)), expression
    (catcher,), (rule,) = task["Catch"], choice["Choices"]
    (caught,) = _expressions(catcher["Assign"])
    for cause in causes():
        error = {"Error": cause.error, "Cause": cause.cause}
        for given_input in inputs:
            bindings = {"states": {"input": given_input, "errorOutput": error}}
            failure = ours(caught, bindings)
            assert same(reference(caught, bindings), failure), cause.name
            for expression in _expressions(rule):
                after = {"states": {"input": given_input}, "failure": failure["value"]}
                assert same(reference(expression, after), ours(expression, after)), cause.name
