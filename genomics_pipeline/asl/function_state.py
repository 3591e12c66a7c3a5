"""The Task of a stage over records: a call of the step's Lambda function with the records of a child."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.asl.healing import FailureNames
from genomics_pipeline.language.jsonata.text import expression, literal, member
from genomics_pipeline.model import quotas
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.function_errors import (
    BY_FUNCTION_CAUSE,
    BY_FUNCTION_ERROR,
    OF_SERVICES,
    SERVICE_ERRORS,
    THROTTLED_CALL,
)
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import RECORD, RESULT

INVOKE = "arn:aws:states:::lambda:invoke"
TIMEOUT_MARGIN_S = 5  # of a Task above its function's, whose own end says more

# A throttled call takes no time of the function; a service error may come at its end, so that it is retried less often.
THROTTLE_RETRY = {
    "ErrorEquals": [THROTTLED_CALL],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxDelaySeconds": 8,
    "MaxAttempts": 8,
    "JitterStrategy": "FULL",
}
SERVICE_RETRY = {
    "ErrorEquals": list(SERVICE_ERRORS),
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 2,
    "JitterStrategy": "FULL",
}


def longest_seconds(stages: Sequence[Stage]) -> int:
    """Return the longest time of a child: each attempt of each stage, and the longest waits between them."""
    waits = sum(map(_waits, (THROTTLE_RETRY, SERVICE_RETRY)))
    attempts = 1 + int(str(SERVICE_RETRY["MaxAttempts"]))
    return sum(attempts * (stage.step.resources.timeout_s + TIMEOUT_MARGIN_S) + waits for stage in stages)


def _waits(retry: Mapping[str, Any]) -> int:
    most = retry.get("MaxDelaySeconds", quotas.MAX_DELAY.value)
    return sum(min(most, retry["IntervalSeconds"] * retry["BackoffRate"] ** one) for one in range(retry["MaxAttempts"]))


def execution_type(stages: Sequence[Stage]) -> str:
    """Return the type of the children of a map over records: EXPRESS if every child ends in time."""
    return "EXPRESS" if longest_seconds(stages) <= quotas.EXPRESS_SECONDS.value else "STANDARD"


def function_state(
    pipeline: Pipeline, names: ResourceNames, number: int, failures: FailureNames, ending: str = ""
) -> dict[str, Any]:
    """Return the Task of a stage, without ``Next`` or ``End``.

    The answer of each stage but the last is a variable; the child's output is the last one's, with the failures of all.

    Args:
        pipeline: The pipeline.
        names: The names of the AWS resources.
        number: The place of the stage in the pipeline.
        failures: The names for failures of the child.
        ending: The end of names that are unique in a document.
    """
    stages, stage = pipeline.record_stages, pipeline.record_stages[number]
    last = number + 1 == len(stages)
    answer = "$states.result.Payload"
    return {
        **_call(names, stage, _payload(pipeline, stage, ending), failures),
        **({} if last else {"Assign": {_answer(stage.name, ending): expression(answer)}}),
        "Output": expression(_output(stages, answer, ending) if last else "$states.input"),
    }


def gather_state(
    pipeline: Pipeline, names: ResourceNames, stage: Stage, failures: FailureNames, results: str
) -> dict[str, Any]:
    """Return the Task of the stage over the results of all records, the last state of the document.

    Args:
        pipeline: The pipeline.
        names: The names of the AWS resources.
        stage: The stage.
        failures: The names for failures of the document.
        results: The variable with ResultWriterDetails of the Map Runs, one or a list.
    """
    left_out = "$states.input.left_out"
    payload = {
        "stage": stage.name,
        "step": stage.step.name,
        "run": expression("$states.input.run"),
        "parameters": expression(_parameters(pipeline, stage, "$states.input")),
        "results": expression(f"$append([],${results})"),
        "earlier": expression("$append([],$states.input.earlier)"),
        "left_out": expression(f"$exists({left_out})?{left_out}:0"),
        "publish": dict(stage.publish),
    }
    output = expression("$states.result.Payload")
    return {**_call(names, stage, payload, failures), "Output": output, "End": True}


def _call(names: ResourceNames, stage: Stage, payload: Mapping[str, Any], failures: FailureNames) -> dict[str, Any]:
    """Return what every Task that calls a function has."""
    return {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": names.function(stage.step.name), "Payload": dict(payload)},
        "TimeoutSeconds": stage.step.resources.timeout_s + TIMEOUT_MARGIN_S,
        "Retry": [THROTTLE_RETRY, SERVICE_RETRY],
        "Catch": [_catcher(stage, failures)],
    }


def _parameters(pipeline: Pipeline, stage: Stage, shared: str) -> str:
    baked = pipeline.parameters.get(stage.name, {})
    return f"$merge([{literal(baked)},{member(f'{shared}.parameters', stage.name)}])"


def _answer(stage: str, ending: str) -> str:
    """Return the variable with a stage's answer; AWS allows a name in one scope of a document only."""
    return f"{stage}_answer{ending}"


def _output(stages: Sequence[Stage], answer: str, ending: str) -> str:
    """Return the child's output: the last answer, with the failures of all."""
    if len(stages) == 1:
        return answer
    earlier = [f"${_answer(stage.name, ending)}.failures" for stage in stages[:-1]]
    return f'$merge([{answer},{{"failures":[{",".join([*earlier, f"{answer}.failures"])}]}}])'


def _payload(pipeline: Pipeline, stage: Stage, ending: str) -> dict[str, Any]:
    """Return the `model.record_task.RecordPayload`, with expressions."""
    batched = pipeline.maps[RECORD].is_batched
    shared = "$states.input.BatchInput" if batched else "$states.input"
    results = {
        name: expression(f"${_answer(stage.inputs[name].partition('.')[0], ending)}.{RESULT}")
        for name, spec in stage.step.inputs.items()
        if spec.type == RESULT
    }
    return {
        "stage": stage.name,
        "step": stage.step.name,
        "run": expression(f"{shared}.run"),
        "parameters": expression(_parameters(pipeline, stage, shared)),
        "items": expression("$states.input.Items") if batched else [expression("$states.input.item")],
        **({"upstream": results} if results else {}),
    }


def _catcher(stage: Stage, failures: FailureNames) -> dict[str, Any]:
    error, cause = "$states.errorOutput.Error", "$states.errorOutput.Cause"
    classes = [
        f"$lookup({literal(BY_FUNCTION_ERROR)},{error})",
        *(f"$contains({cause},{literal(part)})?{literal(one)}" for part, one in BY_FUNCTION_CAUSE.items()),
        f"$substring({error},0,{len(OF_SERVICES[0])}) in {literal(OF_SERVICES)}?{literal(FailureClass.UNKNOWN)}",
        literal(FailureClass.TOOL_ERROR),
    ]
    failure = f'{{"stage":{literal(stage.name)},"class":[{",".join(classes)}][0],"error":{error},"cause":{cause}}}'
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {failures.variable: expression(failure)},
        "Next": failures.state,
    }
