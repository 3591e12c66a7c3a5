"""Generators of the data, paths, expressions and handlers of random documents."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.language.errors import StatesError

JSONATA, JSONPATH = "JSONata", "JSONPath"
BUCKET, KEY = "data", "items.json"
OBJECTS = {f"s3://{BUCKET}/{KEY}": b'[1,{"n":2},"three"]', f"s3://{BUCKET}/items.csv": b"a,b\n1,2\n3\n"}
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(-1e6, 1e6) | st.text("aé$.{\\'\"", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abn"), inner, max_size=3),
    max_leaves=5,
)
inputs = st.fixed_dictionaries(
    {"n": st.integers(0, 5), "text": st.text(max_size=3), "items": st.lists(values, max_size=3)},
    optional={"a": values, "flag": st.booleans(), "at": st.just("2016-08-18T17:33:00Z")},
)
errors = st.sampled_from(["Custom", "States.Timeout", "States.TaskFailed", "States.Runtime", "States.ItemReaderFailed"])
paths = st.sampled_from(["$", "$.n", "$.items", "$.items[0]", "$.a", "$.missing", "$..n", "$$.Execution.Input"])
reference_paths = st.sampled_from(["$", "$.r", "$.n", "$.r.s", None])
calls = st.sampled_from(["States.Array($, 1)", "States.Format('{}', $)", "States.MathAdd($.n, 1)", "States.UUID()"])
expressions = st.sampled_from(
    [
        "$states.input",
        "$states.input.items",
        "$states.input.n + 1",
        "$states.context.State.Name",
        "$states.context.Execution.Input.n",
        "$map([1..3], function($v) { $v * $states.input.n })",
        "$string($states.input)",
        "$exists($states.input.a) ? 'yes' : 'no'",
        "$sum($states.input.items)",
        "$states.input.missing",
        "$error('on purpose')",
        "$uuid()",
        "1 / $states.input.n",
        "[$states.input, $states.input]",
    ]
).map("{{% {} %}}".format)
conditions = st.sampled_from(
    ["$states.input.n > 2", "$states.input.flag", "true", "$exists($states.input.a)", "'text'"]
)


async def _echo(arguments: Any, context: TaskContext) -> Any:
    return arguments


async def _fails(arguments: Any, context: TaskContext) -> Any:
    raise StatesError("Custom", "on purpose")


async def _fails_once(arguments: Any, context: TaskContext) -> Any:
    if context.attempt == 0:
        raise StatesError("Custom", "once")
    return arguments


async def _times_out(arguments: Any, context: TaskContext) -> Any:
    raise StatesError("States.Timeout", "late")


async def _sleeps(arguments: Any, context: TaskContext) -> Any:
    await context.clock.sleep(500)
    return {"slept": 500}


async def _large(arguments: Any, context: TaskContext) -> Any:
    return "x" * 300_000


HANDLERS = {
    ARN + handler.__name__.strip("_"): handler for handler in (_echo, _fails, _fails_once, _times_out, _sleeps, _large)
}
