"""The IAM policy of a user of a deployed stack: submit, status, logs, results, cancel, redrive; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.template.statement import Statement, policy
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model import run_layout


def caller_policy(
    deployment: Deployment,
    machines: Sequence[PipelineStateMachine],
    steps: Sequence[str],
    inputs: Sequence[str] = (),
    key: str = "",
) -> dict[str, Any]:
    """Return the IAM policy of the users of a stack.

    Args:
        deployment: The stack.
        machines: The pipelines that they may run.
        steps: The steps of these pipelines.
        inputs: ARNs of further buckets with inputs.
        key: The ARN of the stack's KMS key; empty for none.
    """
    return policy(
        [
            *_states(deployment, machines),
            *_jobs(deployment, steps),
            *_objects(deployment),
            *_inputs(inputs),
            *_key(key),
        ]
    )


def _arn(deployment: Deployment, service: str, resource: str) -> str:
    return f"arn:{deployment.partition}:{service}:{deployment.region}:{deployment.account}:{resource}"


def _states(deployment: Deployment, machines: Sequence[PipelineStateMachine]) -> list[Statement]:
    def states(resource: str) -> str:
        return _arn(deployment, "states", resource)

    names = {deployment.names.state_machine(machine.pipeline): machine.labels for machine in machines}
    maps = [f"{name}/{label}:*" for name, labels in names.items() for label in labels]
    return [
        Statement(
            "FindStack",
            "every command asks where the stack's bucket is, runs for its state machines; a stack's ARN ends in an id",
            ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
            [_arn(deployment, "cloudformation", f"stack/{deployment.names.stack}/*")],
        ),
        Statement(
            "StartRuns",
            "submit compares the definition and starts an execution; runs lists them",
            ["states:DescribeStateMachine", "states:StartExecution", "states:ListExecutions"],
            [states(f"stateMachine:{name}") for name in names],
        ),
        Statement(
            "FollowRuns",
            "status, results, cancel and redrive; a run is an execution of its own name",
            [
                "states:DescribeExecution",
                "states:GetExecutionHistory",
                "states:ListMapRuns",
                "states:StopExecution",
                "states:RedriveExecution",
            ],
            [states(f"execution:{name}:*") for name in names],
        ),
        Statement(
            "FollowMapRuns",
            "status counts the items of a Map Run; logs finds its children",
            ["states:DescribeMapRun", "states:ListExecutions"],
            [states(f"mapRun:{name}") for name in maps],
        ),
        Statement(
            "FollowChildren",
            "logs looks for the job of a child",
            ["states:DescribeExecution", "states:GetExecutionHistory"],
            [states(f"execution:{name}") for name in maps],
        ),
    ]


def _jobs(deployment: Deployment, steps: Sequence[str]) -> list[Statement]:
    return [
        Statement(
            "DescribeJobs",
            "submit reads job definitions, cancel looks for jobs, logs for a log stream; the actions know no resources",
            ["batch:DescribeJobDefinitions", "batch:DescribeJobs", "batch:ListJobs"],
            ["*"],
        ),
        Statement(
            "FindImages",
            "submit looks whether the steps' images were pushed",
            ["ecr:DescribeImages"],
            [_arn(deployment, "ecr", f"repository/{deployment.names.repository(step)}") for step in steps],
        ),
        Statement(
            "TerminateJobs",
            "cancel ends jobs that are left; a job's id is only known when it runs",
            ["batch:TerminateJob"],
            [_arn(deployment, "batch", "job/*")],
        ),
        Statement(
            "ReadLogs",
            "logs reads the stream of a task; its name holds the task's id",
            ["logs:GetLogEvents"],
            [_arn(deployment, "logs", f"log-group:{deployment.names.log_group}:log-stream:*")],
        ),
    ]


def _objects(deployment: Deployment) -> list[Statement]:
    bucket = f"arn:{deployment.partition}:s3:::{deployment.bucket}"
    return [
        Statement(
            "FindObjects",
            "submit looks whether inputs are there, runs and results list; a prefix would make 403 of 404",
            ["s3:ListBucket"],
            [bucket],
        ),
        Statement(
            "ReadObjects",
            "status, logs and results read what a run wrote; submit its inputs",
            ["s3:GetObject"],
            [f"{bucket}/*"],
        ),
        Statement(
            "WriteRuns",
            "submit writes manifest, intervals and definition of a run, and references; in parts where they are large",
            ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [f"{bucket}/{run_layout.RUNS}*", f"{bucket}/{run_layout.REFERENCES}*"],
        ),
    ]


def _inputs(buckets: Sequence[str]) -> list[Statement]:
    if not buckets:
        return []
    return [
        Statement(
            "ReadInputs",
            "submit looks whether inputs are there, and reads a reference's index",
            ["s3:GetObject"],
            [f"{bucket}/*" for bucket in buckets],
        ),
        Statement("FindInputs", "without it S3 says 403, not 404", ["s3:ListBucket"], list(buckets)),
    ]


def _key(key: str) -> list[Statement]:
    if not key:
        return []
    why = "S3, Step Functions and CloudWatch use the key for those who read and write what it encrypts"
    return [Statement("UseKey", why, ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [key])]
