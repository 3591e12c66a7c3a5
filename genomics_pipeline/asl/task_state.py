"""The states of a stage: the Task of a Batch job for an item, a batch or the cohort, and the Choice after a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.asl import healing
from genomics_pipeline.asl.job_name import job_name
from genomics_pipeline.language.jsonata.text import constructor, expression, literal, member
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.failure_tables import BY_ERROR
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.resource_names import COST_TAG, ResourceNames
from genomics_pipeline.model.task import (
    MEMORY_VARIABLE,
    PAYLOAD_VARIABLE,
    SUBMITTED_VARIABLE,
    TRIED_VARIABLE,
    VCPUS_VARIABLE,
)

SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"

# For throttled and failed submissions; `Batch.ClientException` is a request that would always be refused. Failures of
# jobs are retried by Batch, or by their class: `asl.healing`.
SUBMIT_RETRY = {
    "ErrorEquals": [error for error, failure_class in BY_ERROR.items() if failure_class is FailureClass.THROTTLED],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxDelaySeconds": 300,
    "MaxAttempts": 20,
    "JitterStrategy": "FULL",
}

# The time of each submission. `$states.context.State.EnteredTime` would be that of the first one: neither a Retry nor a
# redrive enters the state again, while both evaluate its Arguments again, in which `RetryCount` differs (developer
# guide, "Context object"; recorded of a redrive: tests/engine/test_redrive.py).
NOW = "$now()"


@dataclass(frozen=True, slots=True)
class PayloadSource:
    """JSONata expressions for the parts of a Task's payload.

    Attributes:
        shared: The object that `map_state.SHARED` lists.
        items: The array of items.
        first: The first item.
        upstream: Arrays of ResultWriterDetails by stage.
        attempts: The resources of first attempts.
        count: The number of items; None for one.
    """

    shared: str
    items: str
    first: str
    upstream: Mapping[str, str]
    attempts: healing.FirstAttemptSource
    count: str | None = None


def stage_states(
    pipeline: Pipeline,
    names: ResourceNames,
    stage: Stage,
    source: PayloadSource,
    following: str | None,
    failures: healing.FailureNames,
) -> dict[str, Any]:
    """Return the states of a stage: its Task, and the Choice after a failure.

    Args:
        pipeline: The pipeline of the stage.
        names: The names of the AWS resources.
        stage: The stage.
        source: The parts of its payload.
        following: The next state; None for the last stage, whose output is the job's id instead of the input.
        failures: The names for failures of its machine.
    """
    failed = f"{stage.name}{healing.FAILED}"
    catcher = healing.catcher(stage, source.attempts, failed, failures.variable)
    return {
        stage.name: _task(pipeline, names, stage, source, following, catcher),
        failed: healing.choice(stage, source.attempts, failures),
    }


def _task(
    pipeline: Pipeline,
    names: ResourceNames,
    stage: Stage,
    source: PayloadSource,
    following: str | None,
    catcher: dict[str, Any],
) -> dict[str, Any]:
    memory = expression(f"$string({healing.memory_mib(stage, source.attempts)})")
    vcpus = expression(f"$string({healing.vcpus(stage)})")
    name = f"{source.shared}.run.name"
    return {
        "Type": "Task",
        "Resource": SUBMIT_JOB,
        "Arguments": {
            "JobName": expression(job_name(stage, name, source.first, source.count)),
            "JobDefinition": expression(_job_definition(names, stage, source)),
            "JobQueue": expression(healing.queue(stage, names.job_queue, names.on_demand_queue)),
            # By which IAM policies tell the jobs of the stack from others, and cost reports group them.
            "Tags": {COST_TAG: names.stack, "pipeline": pipeline.name, "stage": stage.name, "run": expression(name)},
            "Timeout": {"AttemptDurationSeconds": expression(healing.timeout_s(stage, source.attempts, source.count))},
            "ContainerOverrides": {
                "Environment": [
                    {"Name": PAYLOAD_VARIABLE, "Value": expression(f"$string({_payload(pipeline, stage, source)})")},
                    {"Name": MEMORY_VARIABLE, "Value": memory},
                    {"Name": VCPUS_VARIABLE, "Value": vcpus},
                    {"Name": SUBMITTED_VARIABLE, "Value": expression(NOW)},
                    {"Name": TRIED_VARIABLE, "Value": expression(healing.tries_text(stage))},
                ],
                "ResourceRequirements": [{"Type": "MEMORY", "Value": memory}, {"Type": "VCPU", "Value": vcpus}],
            },
        },
        "TimeoutSeconds": expression(healing.task_timeout_s(stage, source.attempts, source.count)),
        "Retry": [SUBMIT_RETRY],
        "Catch": [catcher],
        **(
            {"Output": expression("$states.input"), "Next": following}
            if following
            else {"Output": {"JobId": expression("$states.result.JobId")}, "End": True}
        ),
    }


def _job_definition(names: ResourceNames, stage: Stage, source: PayloadSource) -> str:
    """Return the JSONata of the job definition: the revision that the run was submitted with, if it names one."""
    own = member(f"{source.shared}.job_definitions", stage.step.name)
    return f"$exists({own})?{own}:{literal(names.job_definition(stage.step.name))}"


def _payload(pipeline: Pipeline, stage: Stage, source: PayloadSource) -> str:
    """Return the JSONata of a `model.task.TaskPayload`."""
    baked = literal(pipeline.parameters.get(stage.name, {}))
    return constructor(
        {
            "stage": literal(stage.name),
            "step": literal(stage.step.name),
            "scope": literal(stage.scope),
            "run": f"{source.shared}.run",
            "reference": f"{source.shared}.reference",
            "parameters": f"$merge([{baked},{member(f'{source.shared}.parameters', stage.name)}])",
            "inputs": literal(stage.inputs),
            "publish": literal(stage.publish),
            **({"intermediate": "true"} if stage.intermediate else {}),
            "items": source.items,
            "upstream": constructor(source.upstream),
        }
    )
