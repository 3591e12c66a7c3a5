"""A stage as states: one Batch job for an item, a batch of items, or the cohort; and what follows when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.asl import healing
from genomics_pipeline.language.jsonata.text import constructor, expression, literal, member
from genomics_pipeline.model.classify import BY_ERROR
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import MEMORY_VARIABLE, PAYLOAD_VARIABLE

SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"
FAILED = "Failed"

# Throttled and broken submissions (`Batch.ClientException` is a request that will never be right). What fails inside a
# job is retried by Batch, or by its class: `asl.healing`.
SUBMIT_RETRY = {
    "ErrorEquals": [error for error, found in BY_ERROR.items() if found is FailureClass.THROTTLED],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxDelaySeconds": 300,
    "MaxAttempts": 20,
    "JitterStrategy": "FULL",
}


@dataclass(frozen=True, slots=True)
class PayloadSource:
    """Where a Task finds the parts of its payload, as JSONata.

    Attributes:
        shared: What holds ``run``, ``reference``, ``parameters`` and ``memory_mib``.
        items: The items, an array.
        upstream: Arrays of ResultWriterDetails by stage.
        count: How many items there are; None for one.
    """

    shared: str
    items: str
    upstream: Mapping[str, str]
    count: str | None = None


def stage_states(
    pipeline: Pipeline, names: ResourceNames, stage: Stage, place: PayloadSource, following: str | None, failed: str
) -> dict[str, Any]:
    """The states of a stage: its Task, and the Choice of what happens when it failed.

    Args:
        pipeline: Whose stage it is.
        names: What AWS's resources are called.
        stage: The stage.
        place: Where its payload's parts are.
        following: The next state; None at the end, where the output is no longer the input but the job's id.
        failed: The Fail state of its machine.
    """
    failure = f"{stage.name}{FAILED}"
    return {
        stage.name: _task(pipeline, names, stage, place, following, failure),
        failure: healing.choice(stage, place.shared, failed),
    }


def _task(
    pipeline: Pipeline, names: ResourceNames, stage: Stage, place: PayloadSource, following: str | None, failure: str
) -> dict[str, Any]:
    memory = expression(f"$string({healing.memory_mib(stage, place.shared)})")
    return {
        "Type": "Task",
        "Resource": SUBMIT_JOB,
        "Arguments": {
            "JobName": f"{pipeline.name}-{stage.name}",
            "JobDefinition": names.job_definition(stage.step.name),
            "JobQueue": expression(healing.queue(stage, names.job_queue, names.on_demand_queue)),
            "Timeout": {"AttemptDurationSeconds": expression(healing.timeout_s(stage, place.count))},
            "ContainerOverrides": {
                "Environment": [
                    {"Name": PAYLOAD_VARIABLE, "Value": expression(f"$string({_payload(pipeline, stage, place)})")},
                    {"Name": MEMORY_VARIABLE, "Value": memory},
                ],
                "ResourceRequirements": [{"Type": "MEMORY", "Value": memory}],
            },
        },
        "Retry": [SUBMIT_RETRY],
        "Catch": [healing.catcher(stage, place.shared, failure)],
        **(
            {"Output": expression("$states.input"), "Next": following}
            if following
            else {"Output": {"JobId": expression("$states.result.JobId")}, "End": True}
        ),
    }


def _payload(pipeline: Pipeline, stage: Stage, place: PayloadSource) -> str:
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
