"""IAM roles of the state machines, the tasks, the agent that starts them, and the hosts.

Each statement allows the calls of one purpose, on the narrowest resources that AWS supports. Sources: Step
Functions developer guide, "IAM policies" of Batch, of Distributed Map and of CloudWatch Logs; service authorization
reference of AWS Batch, ECR and ECS (which of their actions support resources).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.template.compute import INSTANCE_PROFILE
from genomics_pipeline.aws.template.functions import TemplateResources, arn, attribute, ref, sub
from genomics_pipeline.aws.template.logs import TASKS_LOG
from genomics_pipeline.aws.template.parameters import HAS_INPUT_BUCKETS, HAS_INPUT_KEYS, HAS_KEY
from genomics_pipeline.aws.template.registry import repository_id
from genomics_pipeline.aws.template.statement import Statement, own_jobs, policy, reasons, role
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.aws.template.storage import BUCKET
from genomics_pipeline.aws.template.tasks import EXECUTION_ROLE, JOB_ROLE
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.resource_names import ResourceNames

INSTANCE_ROLE = "InstanceRole"
# Protects from calls of other accounts through the service. Without aws:SourceArn: the children of a Distributed Map
# are redriven in the name of another ARN. Hosts have no such condition, since EC2 does not set the key.
SAME_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
BUCKET_ARN = attribute(BUCKET, "Arn")
_ANY_RUN = run_layout.run_prefix("*")


def objects(prefix: str = "") -> dict[str, Any]:
    """Return the ARN of the objects of the bucket whose keys begin with a prefix."""
    return sub(f"${{{BUCKET}.Arn}}/{prefix}*")


def states_role(machine: PipelineStateMachine, names: ResourceNames) -> dict[str, Any]:
    """Return the role of a pipeline's state machine."""
    tasks = _functions(machine) if machine.functions else _batch(machine, names)
    allowed = [*tasks, *_children(machine, names), *_map_files(machine), _log_delivery()]
    return role("states.amazonaws.com", allowed, SAME_ACCOUNT)


def _batch(machine: PipelineStateMachine, names: ResourceNames) -> list[Statement]:
    definitions = [
        arn("batch", f"job-definition/{name}{revision}") for name in machine.job_definitions for revision in ("", ":*")
    ]
    queues = [arn("batch", f"job-queue/{queue}") for queue in (names.job_queue, names.on_demand_queue)]
    return [
        Statement(
            "SubmitJob",
            "submitJob.sync, by the name of the job definition: the newest revision; "
            "Batch requires the right to tag for jobs with tags, and checks it for the same resources",
            ["batch:SubmitJob", "batch:TagResource"],
            [*definitions, *queues],
        ),
        Statement(
            "DescribeJobs",
            "submitJob.sync looks how jobs ended; the action knows no resources",
            ["batch:DescribeJobs"],
            ["*"],
        ),
        Statement(
            "TerminateJob",
            "a state that was aborted or timed out ends its job, which has the stack's tag; its id exists only then",
            ["batch:TerminateJob"],
            [arn("batch", "job/*")],
            own_jobs(names),
        ),
        Statement(
            "JobEvents",
            "submitJob.sync hears of a job's end by the rule that Step Functions keeps under this name",
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            [arn("events", "rule/StepFunctionsGetEventsForBatchJobsRule")],
        ),
    ]


def _functions(machine: PipelineStateMachine) -> list[Statement]:
    return [
        Statement(
            "InvokeFunctions",
            "lambda:invoke, of the pipeline's own functions",
            ["lambda:InvokeFunction"],
            [arn("lambda", f"function:{name}") for name in machine.functions],
        )
    ]


def _children(machine: PipelineStateMachine, names: ResourceNames) -> list[Statement]:
    name = names.state_machine(machine.pipeline)
    maps = [arn("states", f"execution:{name}/{label}:*") for label in machine.labels]
    return [
        Statement(
            "StartChildren",
            "a Distributed Map starts its children as executions of its own state machine",
            ["states:StartExecution"],
            [arn("states", f"stateMachine:{name}")],
        ),
        Statement(
            "FollowChildren",
            "a Map Run looks after its children, and stops them when it is stopped; their names are made as they start",
            ["states:DescribeExecution", "states:StopExecution"],
            [arn("states", f"execution:{name}:*"), *maps],
        ),
        Statement(
            "RedriveChildren",
            "a redriven Map Run goes on with the children that had failed",
            ["states:RedriveExecution"],
            [*maps] or [arn("states", f"execution:{name}:*")],
        ),
    ]


def _map_files(machine: PipelineStateMachine) -> list[Statement]:
    if not machine.labels:
        return []
    return [
        *(_read_records() if machine.functions else _read_items()),
        Statement(
            "WriteResults",
            "ResultWriter writes a Map Run's results, in parts where they are large, and reads what it wrote",
            ["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
            [objects(f"{_ANY_RUN}{run_layout.map_runs(label)}/") for label in machine.labels],
        ),
    ]


def _read_items() -> list[Statement]:
    return [
        Statement(
            "ReadItems",
            "ItemReader reads manifest and intervals; which run is only known when it runs",
            ["s3:GetObject"],
            [sub(f"${{{BUCKET}.Arn}}/{_ANY_RUN}{file}") for file in run_layout.ITEM_FILES.values()],
        )
    ]


def _read_records() -> list[Statement]:
    return [
        Statement(
            "ReadRecords",
            "ItemReader reads the records of a run, any objects of the bucket; which is only known when it runs",
            ["s3:GetObject"],
            [objects()],
        ),
        Statement(
            "ListRecords",
            "ItemReader lists the objects below a prefix; which is only known when a run starts",
            ["s3:ListBucket"],
            [BUCKET_ARN],
        ),
    ]


def _log_delivery() -> Statement:
    return Statement(
        "LogDelivery",
        "Step Functions delivers its log; CloudWatch's actions of deliveries know no resources",
        [
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ],
        ["*"],
    )


def task_roles(steps: Sequence[str]) -> TemplateResources:
    """Return the job role, of the programs in containers, and the execution role, of the agent that starts them."""
    job = [
        Statement(
            "ReadObjects",
            "the worker reads inputs, the reference, upstream outputs and completion records",
            ["s3:GetObject"],
            [objects()],
        ),
        Statement(
            "FindObjects",
            "without it S3 says 403, not 404, of an object that is not there; a prefix would bring that back",
            ["s3:ListBucket"],
            [BUCKET_ARN],
        ),
        Statement(
            "WriteRuns",
            "the worker uploads outputs, logs and records, in parts; which run is only known when it runs; "
            "what the run is, and what its maps read and write, is no task's to change",
            # Outputs that are only for later stages expire by their tag.
            ["s3:PutObject", "s3:PutObjectTagging", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [objects(f"{_ANY_RUN}{folder}") for folder in run_layout.WRITTEN_BY_TASKS],
        ),
        Statement(
            "ForgetTries",
            "a record tells the newest try: the worker takes an older one's away; which run is only known when it runs",
            ["s3:DeleteObject"],
            [sub(f"${{{BUCKET}.Arn}}/{_ANY_RUN}{records}") for records in run_layout.RECORDS_OF_ANY_STEP],
        ),
    ]
    execution = [
        Statement(
            "RegistryToken",
            "the ECS agent signs in to ECR; the action knows no resources",
            ["ecr:GetAuthorizationToken"],
            ["*"],
        ),
        Statement(
            "PullImages",
            "the ECS agent pulls the steps' images",
            ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            [attribute(repository_id(step), "Arn") for step in steps],
        ),
        Statement(
            "WriteLogs",
            "the awslogs driver; a stream's name holds the task's id",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [sub(f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{TASKS_LOG}}}:*")],
        ),
    ]
    return {
        JOB_ROLE: role("ecs-tasks.amazonaws.com", job, SAME_ACCOUNT),
        EXECUTION_ROLE: role("ecs-tasks.amazonaws.com", execution, SAME_ACCOUNT),
    }


def instance_role() -> TemplateResources:
    """Return the role of the hosts: the calls of the ECS agent only. Batch creates and names the clusters.

    Images and logs need the execution role: the agent uses it for both if a task has one (aws/amazon-ecs-agent,
    pull request 4331; Amazon Linux sets ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE, amazon-ecs-init 128).
    """
    cluster, instance = arn("ecs", "cluster/*"), arn("ecs", "container-instance/*")
    statements = [
        Statement(
            "DiscoverPollEndpoint",
            "the agent asks where to poll; the action knows no resources",
            ["ecs:DiscoverPollEndpoint"],
            ["*"],
        ),
        Statement(
            "JoinCluster",
            "the agent joins Batch's cluster and tells how tasks go",
            [
                "ecs:RegisterContainerInstance",
                "ecs:DeregisterContainerInstance",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
                "ecs:SubmitAttachmentStateChanges",
            ],
            [cluster],
        ),
        Statement(
            "Poll",
            "the agent hears of its tasks, and drains when Spot takes the host back",
            ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
            [instance],
        ),
        Statement(
            "TagHost",
            "where an account demands it, ECS lets only those register with tags who may tag; never afterwards",
            ["ecs:TagResource"],
            [instance],
            {"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}},
        ),
    ]
    return {
        INSTANCE_ROLE: role(sub("ec2.${AWS::URLSuffix}"), statements),
        INSTANCE_PROFILE: {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [ref(INSTANCE_ROLE)]}},
    }


def optional_policies(job_role: str, users: Sequence[str] = ()) -> TemplateResources:
    """Return the policies that the parameters add to the role of jobs.

    Args:
        job_role: The logical id of the role.
        users: The logical ids of further roles, which use the key, too.
    """
    key = Statement(
        "UseKey",
        "S3 and Step Functions use the key for those who read and write what it encrypts",
        ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        [ref("KmsKeyArn")],
    )
    inputs = Statement(
        "ReadInputBuckets",
        "the worker reads FASTQ files and references of other buckets",
        ["s3:GetObject"],
        {"Fn::Split": [",", {"Fn::Sub": ["${Buckets}/*", {"Buckets": {"Fn::Join": ["/*,", ref("InputBuckets")]}}]}]},
    )
    missing = Statement(
        "FindInputs",
        "without it S3 says 403, not 404, of a FASTQ file that is not there",
        ["s3:ListBucket"],
        ref("InputBuckets"),
    )
    decrypt = Statement(
        "DecryptInputs",
        "S3 decrypts what the worker reads of other buckets; by nothing but S3, and nothing is encrypted",
        ["kms:Decrypt"],
        ref("InputKeys"),
        {"StringEquals": {"kms:ViaService": sub("s3.${AWS::Region}.${AWS::URLSuffix}")}},
    )
    jobs, prefix = [ref(job_role)], "" if job_role == JOB_ROLE else job_role.removesuffix("Role")
    key_users = [*jobs, *map(ref, users)]
    return {
        f"{prefix}KeyPolicy": _policy("UseKey", HAS_KEY, [key], key_users),
        f"{prefix}InputPolicy": _policy("ReadInputBuckets", HAS_INPUT_BUCKETS, [inputs, missing], jobs),
        f"{prefix}InputKeyPolicy": _policy("DecryptInputs", HAS_INPUT_KEYS, [decrypt], jobs),
    }


def _policy(name: str, condition: str, statements: Sequence[Statement], users: Sequence[Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Policy",
        "Condition": condition,
        "Metadata": reasons(statements),
        "Properties": {"PolicyName": name, "PolicyDocument": policy(statements), "Roles": list(users)},
    }
