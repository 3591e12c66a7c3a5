"""The IAM policy of a user of a deployed stack: submit, status, logs, results, cancel, redrive, delete; no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.account import SERVICE_ROLES
from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.template.statement import UPLOAD, Statement, own_jobs, policy
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model import run_layout


def caller_policy(
    deployment: Deployment,
    machines: Sequence[PipelineStateMachine],
    steps: Sequence[str],
    inputs: Sequence[str] = (),
    key: str = "",
    input_keys: Sequence[str] = (),
    *,
    check_rights: bool = False,
    index: bool = False,
) -> dict[str, Any]:
    """Return the IAM policy of the users of a stack.

    Args:
        deployment: The stack.
        machines: The pipelines that they may run.
        steps: The steps of these pipelines.
        inputs: ARNs of further buckets with inputs.
        key: The ARN of the stack's KMS key; empty for none.
        input_keys: ARNs of the KMS keys of these buckets.
        check_rights: They may check the rights of the job role, for which they submit jobs themselves.
        index: They may submit jobs that build the indexes of references.
    """
    return policy(
        [
            *_states(deployment, machines),
            *_jobs(deployment, steps, machines),
            *_objects(deployment),
            *_inputs(inputs),
            *_input_keys(input_keys, deployment),
            *_key(key),
            *_account(deployment),
            *(_rights(deployment, steps) if check_rights else ()),
            *(_index(deployment) if index else ()),
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
            "every command looks up the stack's bucket, and runs its state machines; the ARN of a stack ends in an id",
            ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
            [_arn(deployment, "cloudformation", f"stack/{deployment.names.stack}/*")],
        ),
        Statement(
            "StartRuns",
            "submit compares the definition and starts an execution; runs lists executions",
            ["states:DescribeStateMachine", "states:StartExecution", "states:ListExecutions"],
            [states(f"stateMachine:{name}") for name in names],
        ),
        Statement(
            "CheckDefinitions",
            "submit --dry-run and deploy let AWS check definitions; the action supports no resources",
            ["states:ValidateStateMachineDefinition"],
            ["*"],
        ),
        Statement(
            "FollowRuns",
            "status, results, cancel and redrive use executions, whose names are those of runs",
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
            "status counts the items of a Map Run, and lowers its concurrency for --budget; logs lists its children",
            ["states:DescribeMapRun", "states:UpdateMapRun", "states:ListExecutions"],
            [states(f"mapRun:{name}") for name in maps],
        ),
        Statement(
            "FollowChildren",
            "logs finds the job of a child execution",
            ["states:DescribeExecution", "states:GetExecutionHistory"],
            [states(f"execution:{name}") for name in maps],
        ),
    ]


def _functions(deployment: Deployment, machines: Sequence[PipelineStateMachine]) -> list[Statement]:
    names = sorted({name for machine in machines for name in machine.functions})
    find = Statement(
        "FindFunctions",
        "submit checks that the functions of the steps have their images",
        ["lambda:GetFunction"],
        [_arn(deployment, "lambda", f"function:{name}") for name in names],
    )
    return [find] if names else []


def _jobs(deployment: Deployment, steps: Sequence[str], machines: Sequence[PipelineStateMachine]) -> list[Statement]:
    return [
        Statement(
            "DescribeJobs",
            "submit reads job definitions, cancel lists jobs, logs finds log streams; the actions support no resources",
            ["batch:DescribeJobDefinitions", "batch:DescribeJobs", "batch:ListJobs"],
            ["*"],
        ),
        Statement(
            "ReadQueues",
            "status shows what blocks a queue of the stack",
            ["batch:GetJobQueueSnapshot"],
            [
                _arn(deployment, "batch", f"job-queue/{queue}")
                for queue in (deployment.names.job_queue, deployment.names.on_demand_queue)
            ],
        ),
        Statement(
            "FindImages",
            "submit checks that the images of the steps were pushed",
            ["ecr:DescribeImages"],
            [_arn(deployment, "ecr", f"repository/{deployment.names.repository(step)}") for step in steps],
        ),
        *_functions(deployment, machines),
        Statement(
            "TerminateJobs",
            "cancel terminates remaining jobs, by TerminateJobs too; they have the stack's tag, and ids of AWS",
            ["batch:TerminateJob"],
            [_arn(deployment, "batch", "job/*")],
            own_jobs(deployment.names),
        ),
        Statement(
            "ReadLogs",
            "logs reads the log stream of a task, whose name contains the id of the task",
            ["logs:GetLogEvents"],
            [_arn(deployment, "logs", f"log-group:{deployment.names.log_group}:log-stream:*")],
        ),
    ]


def _objects(deployment: Deployment) -> list[Statement]:
    bucket = f"arn:{deployment.partition}:s3:::{deployment.bucket}"
    return [
        Statement(
            "FindObjects",
            "submit checks that inputs exist, runs and results list objects; with a prefix, S3 answers 403, not 404",
            ["s3:ListBucket"],
            [bucket],
        ),
        Statement(
            "ReadObjects",
            "status, logs and results read the objects of a run; submit reads its inputs",
            ["s3:GetObject"],
            [f"{bucket}/*"],
        ),
        Statement(
            "WriteRuns",
            "submit writes the manifest, intervals and definition of a run, and references, in parts if large",
            UPLOAD,
            [f"{bucket}/{run_layout.RUNS}*", f"{bucket}/{run_layout.REFERENCES}*"],
        ),
        Statement(
            "DeleteRuns",
            "delete deletes the objects of a run, with --versions their versions too; nothing but runs",
            ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            [f"{bucket}/{run_layout.RUNS}*"],
        ),
        Statement("FindVersions", "delete --versions lists the versions of a run", ["s3:ListBucketVersions"], [bucket]),
    ]


def _inputs(buckets: Sequence[str]) -> list[Statement]:
    if not buckets:
        return []
    return [
        Statement(
            "ReadInputs",
            "submit checks that inputs exist, and reads the index of a reference",
            ["s3:GetObject"],
            [f"{bucket}/*" for bucket in buckets],
        ),
        Statement(
            "FindInputs", "without this permission, S3 answers 403 instead of 404", ["s3:ListBucket"], list(buckets)
        ),
    ]


def _input_keys(keys: Sequence[str], deployment: Deployment) -> list[Statement]:
    if not keys:
        return []
    suffix = "amazonaws.com.cn" if deployment.partition == "aws-cn" else "amazonaws.com"
    via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{deployment.region}.{suffix}"}}
    why = "S3 decrypts what submit reads of the inputs: heads of FASTQ files, the index of a reference"
    return [Statement("DecryptInputs", why, ["kms:Decrypt"], list(keys), via_s3)]


def _rights(deployment: Deployment, steps: Sequence[str]) -> list[Statement]:
    names = (
        f"job-definition/{deployment.names.job_definition(step)}{revision}" for step in steps for revision in ("", ":*")
    )
    return [
        Statement(
            "CheckRights",
            "submit --check-rights submits a job with the stack's tag; whoever may do that can use the job role",
            ["batch:SubmitJob", "batch:TagResource"],
            [_arn(deployment, "batch", one) for one in (*names, f"job-queue/{deployment.names.job_queue}")],
        )
    ]


def _index(deployment: Deployment) -> list[Statement]:
    name, queue = f"job-definition/{deployment.names.index_job}", f"job-queue/{deployment.names.on_demand_queue}"
    return [
        Statement(
            "BuildIndexes",
            "index submits a job with the stack's tag; whoever may do that can use the role of these jobs",
            ["batch:SubmitJob", "batch:TagResource"],
            [_arn(deployment, "batch", one) for one in (name, f"{name}:*", queue)],
        ),
        Statement(
            "DescribeHosts",
            "index compares the instance types that the stack names with the job; the action supports no resources",
            ["ec2:DescribeInstanceTypes"],
            ["*"],
        ),
    ]


def _account(deployment: Deployment) -> list[Statement]:
    return [
        Statement(
            "ReadQuotas",
            "submit --dry-run compares the quotas of the account with the run; the action supports no resources",
            ["servicequotas:GetServiceQuota"],
            ["*"],
        ),
        Statement(
            "FindServiceRoles",
            "submit --dry-run looks whether the services' own roles exist",
            ["iam:GetRole"],
            [f"arn:{deployment.partition}:iam::{deployment.account}:{role.path}" for role in SERVICE_ROLES],
        ),
    ]


def _key(key: str) -> list[Statement]:
    if not key:
        return []
    why = "S3, Step Functions and CloudWatch use the key on behalf of users who read and write encrypted data"
    return [Statement("UseKey", why, ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [key])]
