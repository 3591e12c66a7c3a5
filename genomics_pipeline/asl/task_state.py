"""A stage as a Task state: one Batch job for an item, a batch of items, or the cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.asl.jsonata import constructor, expression, literal, member
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import PAYLOAD_VARIABLE

SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"
FAILED = "Failed"

# Throttled and broken submissions, under every name that Step Functions gives them (`Batch.ClientException` is a
# request that will never be right). What fails inside a job is retried by Batch, by class, not here.
SUBMIT_RETRY = {
    "ErrorEquals": [
        "Batch.AWSBatchException",
        "Batch.TooManyRequestsException",
        "Batch.ServerException",
        "Batch.BatchException",
        "Batch.SdkClientException",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxDelaySeconds": 300,
    "MaxAttempts": 20,
    "JitterStrategy": "FULL",
}
TIMEOUT_RETRY = {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 10, "MaxAttempts": 1}

# The job's detail without its environment: the payload is known, and a cause holds 32,768 characters at most. One that
# is as long as that was cut, and is no JSON any more.
_CAUSE = (
    "$substring($states.errorOutput.Cause,0,1)='{' and $length($states.errorOutput.Cause)<32768"
    " ? $string($parse($states.errorOutput.Cause) ~> |Container|{},['Environment']|)"
    " : $states.errorOutput.Cause"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Task finds the parts of its payload, as JSONata.

    Attributes:
        shared: What holds ``run``, ``reference`` and ``parameters``.
        items: The items, an array.
        upstream: ResultWriterDetails by stage.
        count: How many items there are; None for one.
    """

    shared: str
    items: str
    upstream: Mapping[str, str]
    count: str | None = None


def task_state(
    pipeline: Pipeline, names: ResourceNames, stage: Stage, place: Place, following: str | None, failed: str
) -> dict[str, Any]:
    """The Task state of a stage.

    Args:
        pipeline: Whose stage it is.
        names: What AWS's resources are called.
        stage: The stage.
        place: Where its payload's parts are.
        following: The next state; None at the end, where the output is no longer the input but the job's id.
        failed: The Fail state of its machine.
    """
    one: int = stage.step.resources.timeout_s
    timeout = expression(f"{one} * {place.count}") if place.count else one
    return {
        "Type": "Task",
        "Resource": SUBMIT_JOB,
        "Arguments": {
            "JobName": f"{pipeline.name}-{stage.name}",
            "JobDefinition": names.job_definition(stage.step.name),
            "JobQueue": names.job_queue,
            "Timeout": {"AttemptDurationSeconds": timeout},
            "ContainerOverrides": {
                "Environment": [
                    {"Name": PAYLOAD_VARIABLE, "Value": expression(f"$string({_payload(pipeline, stage, place)})")}
                ]
            },
        },
        "Retry": [SUBMIT_RETRY, TIMEOUT_RETRY],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": _failure(stage), "Next": failed}],
        **(
            {"Output": expression("$states.input"), "Next": following}
            if following
            else {"Output": {"JobId": expression("$states.result.JobId")}, "End": True}
        ),
    }


def fail_state() -> dict[str, Any]:
    """The Fail state that every Catch of a machine leads to."""
    return {
        "Type": "Fail",
        "Error": expression("$states.input.error"),
        "Cause": expression("$string($states.input)"),
    }


def _payload(pipeline: Pipeline, stage: Stage, place: Place) -> str:
    """`model.task.TaskPayload` as JSONata."""
    baked = literal(pipeline.parameters.get(stage.name, {}))
    return constructor(
        {
            "stage": literal(stage.name),
            "step": literal(stage.step.name),
            "scope": literal(stage.scope),
            "run": f"{place.shared}.run",
            "reference": f"{place.shared}.reference",
            "parameters": f"$merge([{baked},{member(f'{place.shared}.parameters', stage.name)}])",
            "inputs": literal(stage.inputs),
            "publish": literal(stage.publish),
            **({"intermediate": "true"} if stage.intermediate else {}),
            "items": place.items,
            "upstream": constructor(place.upstream),
        }
    )


def _failure(stage: Stage) -> dict[str, str]:
    """What the Fail state tells: the stage, and the job's end without nesting it deeper than needed."""
    return {
        "stage": stage.name,
        "error": expression("$states.errorOutput.Error"),
        "cause": expression(_CAUSE),
    }
