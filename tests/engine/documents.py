"""Generators of random state machine documents: valid ones, whose executions always end.

Transitions lead forward, except in loops that count to three, so that an execution ends regardless of its data.
Expressions and paths may fail at run time, which ends the execution too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hypothesis import strategies as st

from tests.engine.document_data import (
    BUCKET,
    HANDLERS,
    JSONATA,
    JSONPATH,
    KEY,
    calls,
    conditions,
    errors,
    expressions,
    paths,
    reference_paths,
    values,
)

Draw = st.DrawFn
State = dict[str, Any]


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of a machine, on which its possible states depend.

    Attributes:
        language: The document's query language.
        depth: The number of levels of machines that may still be nested.
        express: Whether the machine is in EXPRESS children, where no Map may be distributed.
        names: Numbers in the names of states, variables and labels, which are unique in the document.
    """

    language: str
    depth: int
    express: bool = False
    names: Iterator[int] = field(default_factory=lambda: count(1))

    def inner(self, express: bool = False) -> Surroundings:
        """Return the surroundings of a machine inside one of the states."""
        return replace(self, depth=self.depth - 1, express=self.express or express)

    def name(self, prefix: str) -> str:
        """Return a name that is unique in the document."""
        return f"{prefix}{next(self.names)}"


@st.composite
def documents(draw: Draw) -> State:
    """Draw a document."""
    language = draw(st.sampled_from([JSONATA, JSONPATH]))
    top: State = {"QueryLanguage": language} if language == JSONATA or draw(st.booleans()) else {}
    if draw(st.integers(0, 3)) == 0:
        top["TimeoutSeconds"] = draw(st.integers(1, 10**6))
    return {**top, **draw(_machines(Surroundings(language, depth=2)))}


@st.composite
def _machines(draw: Draw, around: Surroundings) -> State:
    """Draw a machine of one to four states, each of which may lead to any later one; the last one ends it."""
    names = [around.name("S") for _ in range(draw(st.integers(1, 4)))]
    states: State = {}
    for number, name in enumerate(names):
        later = names[number + 1 :]
        loops = later and draw(st.integers(0, 5)) == 0
        states |= _loop(around, name, later[0]) if loops else draw(_states(around, name, later))
    return {"StartAt": names[0], "States": _reachable(states, names[0])}


def _reachable(states: State, start: str) -> State:
    """Return the reachable states, because AWS refuses documents with others."""
    reached, pending = {start}, [start]
    while pending:
        state = states[pending.pop()]
        edges = [state, *state.get("Choices", ()), *state.get("Catch", ())]
        targets = {node[name] for node in edges for name in ("Next", "Default") if name in node}
        pending += targets - reached
        reached |= targets
    return {name: state for name, state in states.items() if name in reached}


def _loop(around: Surroundings, name: str, after: str) -> State:
    """Return the states of a loop in which a variable counts to three."""
    variable, add, test = around.name("v"), around.name("Add"), around.name("Test")
    if around.language == JSONATA:
        increment = {variable: f"{{% ${variable} + 1 %}}"}
        rule: State = {"Condition": f"{{% ${variable} < 3 %}}"}
    else:
        increment = {f"{variable}.$": f"States.MathAdd(${variable}, 1)"}
        rule = {"Variable": f"${variable}", "NumericLessThan": 3}
    return {
        name: {"Type": "Pass", "Assign": {variable: 0}, "Next": add},
        add: {"Type": "Pass", "Assign": increment, "Next": test},
        test: {"Type": "Choice", "Choices": [{**rule, "Next": add}], "Default": after},
    }


@st.composite
def _states(draw: Draw, around: Surroundings, name: str, later: list[str]) -> State:
    kinds = ["Pass", "Pass", "Wait", "Task", "Task"]
    kinds += ["Choice", "Choice"] if later else ["Succeed", "Fail"]
    kinds += ["Parallel", "Map", "Map"] if around.depth else []
    kind = draw(st.sampled_from(kinds))
    language = JSONATA if draw(st.integers(0, 3)) == 0 else around.language
    state: State = {"Type": kind, **draw(_BODIES[kind](around, language, later))}
    if language != around.language:
        state["QueryLanguage"] = language
    if kind not in ("Choice", "Succeed", "Fail"):
        state |= {"Next": draw(st.sampled_from(later))} if later else {"End": True}
    return {name: state}


def _optional_fields(draw: Draw, **fields: st.SearchStrategy[Any]) -> State:
    """Draw fields, each of them in one of three cases."""
    return {name: draw(strategy) for name, strategy in fields.items() if draw(st.integers(0, 2)) == 0}


def _data(draw: Draw, around: Surroundings, language: str, *, result: bool) -> State:
    """Draw the fields of input and output."""
    if language == JSONATA:
        fields = _optional_fields(draw, Output=expressions | values_of_jsonata)
        if draw(st.integers(0, 3)) == 0:
            fields["Assign"] = {around.name("v"): draw(expressions)}
        return fields
    fields = _optional_fields(draw, InputPath=paths | st.none(), OutputPath=st.sampled_from(["$", "$", "$.r", None]))
    if result:
        fields |= _optional_fields(draw, ResultPath=reference_paths)
    if draw(st.integers(0, 3)) == 0:
        fields["Assign"] = {around.name("v"): draw(values_of_jsonpath), f"{around.name('v')}.$": "$"}
    return fields


values_of_jsonata = st.fixed_dictionaries({"value": expressions, "plain": st.integers(0, 9)})
values_of_jsonpath = st.integers(0, 9) | st.fixed_dictionaries({"plain": st.integers(), "n.$": paths, "made.$": calls})
templates = st.fixed_dictionaries({"plain": st.integers(0, 9)}, optional={"n.$": paths, "made.$": calls})


@st.composite
def _pass(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    fields = _data(draw, around, language, result=True)
    return fields if language == JSONATA else fields | _optional_fields(draw, Parameters=templates, Result=values)


@st.composite
def _wait(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    seconds: st.SearchStrategy[State] = st.fixed_dictionaries({"Seconds": st.integers(0, 10**6)})
    literal = seconds | st.just({"Timestamp": "2016-08-18T17:33:00Z"})
    by_data = st.fixed_dictionaries({"Seconds": expressions} if language == JSONATA else {"SecondsPath": paths_of_data})
    return _data(draw, around, language, result=False) | draw(literal | by_data)


paths_of_data = st.sampled_from(["$.n", "$.text", "$.missing"])


@st.composite
def _choice(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    conditioned: st.SearchStrategy[State] = conditions.map(lambda text: {"Condition": f"{{% {text} %}}"})
    test = conditioned if language == JSONATA else tests
    rules = [{**draw(test), "Next": draw(st.sampled_from(later))} for _ in range(draw(st.integers(1, 3)))]
    fields = _data(draw, around, language, result=False) | {"Choices": rules}
    return fields | _optional_fields(draw, Default=st.sampled_from(later))


_leaves: st.SearchStrategy[State] = st.sampled_from(
    [
        {"Variable": "$.n", "NumericGreaterThan": 2},
        {"Variable": "$.n", "NumericEqualsPath": "$.items[0]"},
        {"Variable": "$.text", "StringMatches": "a*"},
        {"Variable": "$.flag", "BooleanEquals": True},
        {"Variable": "$.missing", "IsPresent": False},
        {"Variable": "$.a", "IsNull": True},
        {"Variable": "$.at", "TimestampLessThan": "2026-01-01T00:00:00Z"},
        {"Variable": "$$.State.Name", "StringGreaterThan": "S"},
    ]
)
tests: st.SearchStrategy[State] = st.recursive(
    _leaves,
    lambda inner: (
        inner.map(lambda rule: {"Not": rule})
        | st.lists(inner, min_size=1, max_size=2).map(lambda rules: {"And": rules})
        | st.lists(inner, min_size=1, max_size=2).map(lambda rules: {"Or": rules})
    ),
    max_leaves=3,
)


@st.composite
def _succeed(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    fields = _data(draw, around, language, result=False)
    return {name: value for name, value in fields.items() if name != "Assign"}


@st.composite
def _fail(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    fields = _optional_fields(draw, Error=errors, Cause=st.text(max_size=5))
    if language == JSONATA:
        return fields | _optional_fields(draw, Cause=expressions)
    return fields | ({"CausePath": "$.text"} if "Cause" not in fields and draw(st.booleans()) else {})


@st.composite
def _task(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    fields = _data(draw, around, language, result=True) | {"Resource": draw(st.sampled_from(sorted(HANDLERS)))}
    fields |= _optional_fields(draw, TimeoutSeconds=st.integers(2, 1000))
    if "TimeoutSeconds" in fields:
        fields |= _optional_fields(draw, HeartbeatSeconds=st.integers(1, fields["TimeoutSeconds"] - 1))
    if language == JSONATA:
        fields |= _optional_fields(draw, Arguments=expressions | values_of_jsonata)
    else:
        fields |= _optional_fields(draw, Parameters=templates, ResultSelector=templates)
    return fields | _error_handlers(draw, language, later, attempts=3)


def _error_handlers(draw: Draw, language: str, later: list[str], attempts: int) -> State:
    """Draw Retry and Catch, with States.ALL alone and last."""
    fields: State = {}
    if draw(st.booleans()):
        fields["Retry"] = [draw(_retriers(names, attempts)) for names in draw(_error_lists)]
    if bool(later) and draw(st.booleans()):
        fields["Catch"] = [
            {"ErrorEquals": names, "Next": draw(st.sampled_from(later)), **_catcher_output(draw, language)}
            for names in draw(_error_lists)
        ]
    return fields


def _catcher_output(draw: Draw, language: str) -> State:
    if language == JSONATA:
        return _optional_fields(draw, Output=st.just("{% $states.errorOutput %}"))
    return _optional_fields(draw, ResultPath=reference_paths)


_error_lists: st.SearchStrategy[list[list[str]]] = st.builds(
    lambda named, all_: [*named, *all_],
    st.lists(st.lists(errors, min_size=1, max_size=2, unique=True), max_size=2),
    st.sampled_from([[["States.ALL"]]]),
)


@st.composite
def _retriers(draw: Draw, names: list[str], attempts: int) -> State:
    fields = {"ErrorEquals": names, "MaxAttempts": draw(st.integers(0, attempts))}
    fields |= _optional_fields(
        draw,
        IntervalSeconds=st.integers(1, 1000),
        BackoffRate=st.floats(1, 3),
        MaxDelaySeconds=st.integers(1001, 10**6),
        JitterStrategy=st.sampled_from(["FULL", "NONE"]),
    )
    return fields


@st.composite
def _parallel(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    branches = [draw(_machines(around.inner())) for _ in range(draw(st.integers(1, 3)))]
    fields = _data(draw, around, language, result=True) | {"Branches": branches}
    return fields | _error_handlers(draw, language, later, attempts=1)


@st.composite
def _map(draw: Draw, around: Surroundings, language: str, later: list[str]) -> State:
    fields = _data(draw, around, language, result=True) | _error_handlers(draw, language, later, attempts=1)
    distributed = not around.express and draw(st.booleans())
    if language == JSONATA:
        fields |= _optional_fields(draw, Items=st.lists(values, max_size=3) | st.just("{% $states.input.items %}"))
        fields |= _optional_fields(draw, ItemSelector=st.just({"item": "{% $states.context.Map.Item.Value %}"}))
    else:
        fields |= _optional_fields(draw, ItemsPath=st.sampled_from(["$", "$.items", "$.missing"]))
        fields |= _optional_fields(
            draw, ItemSelector=st.just({"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index"})
        )
    fields |= _optional_fields(draw, MaxConcurrency=st.integers(0, 3))
    if not distributed:
        return fields | {"ItemProcessor": draw(_machines(around.inner()))}
    return fields | draw(_distributed(around, language, fields.keys()))


@st.composite
def _distributed(draw: Draw, around: Surroundings, language: str, fields: Any) -> State:
    """Draw the fields that only a Distributed Map has."""
    kind = draw(st.sampled_from(["STANDARD", "EXPRESS"]))
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    processor |= draw(_machines(around.inner(express=kind == "EXPRESS")))
    arguments = "Arguments" if language == JSONATA else "Parameters"
    bucket = {"Bucket": BUCKET}
    state: State = {"ItemProcessor": processor, "Label": around.name("L")}
    if not {"Items", "ItemsPath"} & set(fields) and draw(st.booleans()):
        key, config = draw(st.sampled_from([(KEY, JSON_ITEMS), ("items.csv", CSV_ITEMS), ("none.json", JSON_ITEMS)]))
        resource = "arn:aws:states:::s3:getObject"
        state["ItemReader"] = {"Resource": resource, "ReaderConfig": config, arguments: {**bucket, "Key": key}}
    writer = {"Resource": "arn:aws:states:::s3:putObject", arguments: {**bucket, "Prefix": "results"}}
    config = {"Transformation": draw(st.sampled_from(["NONE", "COMPACT", "FLATTEN"])), "OutputType": "JSONL"}
    return state | _optional_fields(
        draw,
        ItemBatcher=st.fixed_dictionaries({"MaxItemsPerBatch": st.integers(1, 3)}),
        ToleratedFailureCount=st.integers(0, 3),
        ToleratedFailurePercentage=st.integers(0, 100),
        ResultWriter=st.just(writer) | st.just({**writer, "WriterConfig": config}),
    )


JSON_ITEMS = {"InputType": "JSON", "MaxItems": 2}
CSV_ITEMS = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
_BODIES = {
    "Pass": _pass,
    "Wait": _wait,
    "Choice": _choice,
    "Succeed": _succeed,
    "Fail": _fail,
    "Task": _task,
    "Parallel": _parallel,
    "Map": _map,
}
