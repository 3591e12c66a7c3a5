"""The intake of a stack (`deploy --intake`): sample sheets that arrive below a prefix of its bucket are submitted.

A rule of EventBridge hears of each new object with the name of a sheet, and submits a small Batch job, which runs
`watch --once` over the prefix. EventBridge delivers an event at least once and in any order: what is started once is
decided by the claims of `watch`, not by events. Sources: S3 user guide, "EventBridge event message structure" and
"Enabling Amazon EventBridge"; EventBridge user guide, "Comparison operators" (wildcard) and "Using dead-letter queues".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.aws.deployment import JOB_DEFINITION
from genomics_pipeline.aws.template.functions import TemplateResources, arn, attribute, ref, sub
from genomics_pipeline.aws.template.monitoring_parameters import HAS_ALARMS
from genomics_pipeline.aws.template.registry import repository
from genomics_pipeline.aws.template.roles import BUCKET_ARN, SAME_ACCOUNT, objects, optional_policies
from genomics_pipeline.aws.template.statement import UPLOAD, Statement, role
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.aws.template.storage import BUCKET
from genomics_pipeline.aws.template.tasks import StepImage, container
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY
from genomics_pipeline.model.resource_names import INTAKE, ResourceNames

INTAKE_ROLE, INTAKE_RULE, INTAKE_JOB = "SheetIntakeRole", "SheetArrived", "SheetIntakeJob"
INTAKE_FAILED = "SheetIntakeFailed"  # a rule
_START_ROLE, _DEAD_LETTERS = "SheetArrivedRole", "SheetArrivedDeadLetters"
# Of the sheets that `watch` looks at, those that are heard of: EventBridge limits how complex wildcards may be.
ENDINGS = tuple(f".{kind}{packed}" for kind in ("csv", "tsv", "jsonl", "ndjson") for packed in ("", ".gz"))
STARTED = ".started/"  # below the prefix: the claims of `watch`


@dataclass(frozen=True, slots=True)
class Intake:
    """The intake of a stack.

    Attributes:
        prefix: The prefix of the sheets below the bucket of the stack, with a slash at its end.
        options: The options of `submit` for each of them.
        image: The image with the whole package.
        steps: The steps of the pipelines of the stack.
    """

    prefix: str
    options: tuple[str, ...]
    image: StepImage
    steps: tuple[str, ...]


def intake_resources(
    intake: Intake, machines: Sequence[PipelineStateMachine], names: ResourceNames
) -> list[TemplateResources]:
    """Return the rule, its dead-letter queue, the job definition, its image's repository, and their roles.

    Args:
        intake: The intake.
        machines: The state machines of the pipelines.
        names: The names of the resources.
    """
    return [
        repository(INTAKE, names),
        {
            INTAKE_ROLE: role("ecs-tasks.amazonaws.com", _statements(intake, machines, names), SAME_ACCOUNT),
            INTAKE_JOB: _job(intake, names),
            _START_ROLE: role("events.amazonaws.com", [_submit(names)], SAME_ACCOUNT),
            INTAKE_RULE: _rule(intake, names),
            **_dead_letters(),
        },
        optional_policies(INTAKE_ROLE),
    ]


def intake_events() -> dict[str, Any]:
    """Return the notifications of the bucket: S3 sends its events to EventBridge, which needs no right for that."""
    return {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def _job(intake: Intake, names: ResourceNames) -> dict[str, Any]:
    place = sub(f"s3://${{{BUCKET}}}/{intake.prefix}")
    command = ["watch", place, "--once", "--", "submit", *intake.options, "--stack", names.stack]
    properties = container(intake.image, INTAKE_ROLE)
    environment = [*properties["Environment"], {"Name": "AWS_DEFAULT_REGION", "Value": ref("AWS::Region")}]
    return {
        "Type": JOB_DEFINITION,
        "Properties": {
            "Type": "container",
            "JobDefinitionName": names.intake_job,
            "PlatformCapabilities": ["EC2"],
            "PropagateTags": True,
            "RetryStrategy": STACK_RETRY_STRATEGY.to_json(),
            "Timeout": {"AttemptDurationSeconds": intake.image.step.resources.timeout_s},
            "ContainerProperties": {**properties, "Environment": environment, "Command": command},
        },
    }


def _rule(intake: Intake, names: ResourceNames) -> dict[str, Any]:
    sheets = [{"wildcard": f"{intake.prefix}*{ending}"} for ending in ENDINGS]
    target = {
        "Id": "Submit",
        "Arn": arn("batch", f"job-queue/{names.job_queue}"),
        "RoleArn": attribute(_START_ROLE, "Arn"),
        "BatchParameters": {"JobDefinition": ref(INTAKE_JOB), "JobName": INTAKE},
        "DeadLetterConfig": {"Arn": attribute(_DEAD_LETTERS, "Arn")},
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": quotas.EVENT_AGE_S.value,
            "MaximumRetryAttempts": quotas.EVENT_RETRIES.value,
        },
    }
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": "Submits a job for each sample sheet that arrives",
            "State": "ENABLED",
            "EventPattern": {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"bucket": {"name": [ref(BUCKET)]}, "object": {"key": sheets}},
            },
            "Targets": [target],
        },
    }


def _dead_letters() -> TemplateResources:
    """Return the queue of the events for which no job could be submitted, and its policy."""
    send = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attribute(_DEAD_LETTERS, "Arn"),
        "Condition": {"ArnEquals": {"aws:SourceArn": attribute(INTAKE_RULE, "Arn")}},
    }
    properties = {"MessageRetentionPeriod": quotas.QUEUE_RETENTION_S.value, "SqsManagedSseEnabled": True}
    document = {"Version": "2012-10-17", "Statement": [send]}
    return {
        _DEAD_LETTERS: {"Type": "AWS::SQS::Queue", "Properties": properties},
        f"{_DEAD_LETTERS}Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [ref(_DEAD_LETTERS)], "PolicyDocument": document},
        },
    }


def intake_failed(names: ResourceNames, topic: str) -> dict[str, Any]:
    """Return the rule that reports a job that failed, because of a bad sheet for example, to the topic of the alarms.

    Args:
        names: The names of the resources.
        topic: The logical id of the topic.
    """
    definition = {"prefix": arn("batch", f"job-definition/{names.intake_job}:")}
    transformer = {
        "InputPathsMap": {"id": "$.detail.jobId", "stream": "$.detail.container.logStreamName"},
        "InputTemplate": f'"A sample sheet that arrived was not submitted: job <id>, log {names.log_group} <stream>"',
    }
    return {
        "Type": "AWS::Events::Rule",
        "Condition": HAS_ALARMS,
        "Metadata": {"Price": "free: events of AWS's services"},
        "Properties": {
            "Description": "Reports a job of the intake that failed",
            "State": "ENABLED",
            "EventPattern": {
                "source": ["aws.batch"],
                "detail-type": ["Batch Job State Change"],
                "detail": {"status": ["FAILED"], "jobDefinition": [definition]},
            },
            "Targets": [{"Id": "Topic", "Arn": ref(topic), "InputTransformer": transformer}],
        },
    }


def _submit(names: ResourceNames) -> Statement:
    definition = f"job-definition/{names.intake_job}"
    return Statement(
        "SubmitIntake",
        "the rule submits a job for each sheet that arrives",
        ["batch:SubmitJob"],
        [arn("batch", one) for one in (definition, f"{definition}:*", f"job-queue/{names.job_queue}")],
    )


def _statements(intake: Intake, machines: Sequence[PipelineStateMachine], names: ResourceNames) -> list[Statement]:
    states = [names.state_machine(machine.pipeline) for machine in machines]
    return [
        Statement(
            "FindStack",
            "submit looks up the bucket of the stack, whose ARN ends in an id",
            ["cloudformation:DescribeStacks"],
            [arn("cloudformation", f"stack/{names.stack}/*")],
        ),
        Statement(
            "StartRuns",
            "submit compares the definition and starts an execution",
            ["states:DescribeStateMachine", "states:StartExecution"],
            [arn("states", f"stateMachine:{name}") for name in states],
        ),
        Statement(
            "FindRuns",
            "submit looks whether the run was started before; its name exists only then",
            ["states:DescribeExecution"],
            [arn("states", f"execution:{name}:*") for name in states],
        ),
        Statement(
            "ReadJobDefinitions",
            "submit compares the job definitions; the action supports no resources",
            ["batch:DescribeJobDefinitions"],
            ["*"],
        ),
        Statement(
            "FindImages",
            "submit checks that the images of the steps were pushed",
            ["ecr:DescribeImages"],
            [arn("ecr", f"repository/{names.repository(step)}") for step in intake.steps],
        ),
        Statement(
            "ReadObjects",
            "submit reads the sheet, and looks at the inputs and the reference, which may be anywhere in the bucket",
            ["s3:GetObject"],
            [objects()],
        ),
        Statement(
            "FindObjects",
            "watch lists the prefix; without it S3 says 403, not 404, of an object that is not there",
            ["s3:ListBucket"],
            [BUCKET_ARN],
        ),
        Statement(
            "WriteRuns",
            "submit writes the manifest, intervals and definition of a run; which run is only known when it runs",
            UPLOAD,
            [objects(run_layout.RUNS), objects(run_layout.REFERENCES)],
        ),
        Statement(
            "WriteClaims",
            "watch records which sheets were started, and what came of it; a wrong option, or a lost host, undoes that",
            ["s3:PutObject", "s3:DeleteObject"],
            [objects(f"{intake.prefix}{STARTED}")],
        ),
    ]
