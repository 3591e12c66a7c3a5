"""Least privilege, by simulation: every call that a role makes is allowed, and similar ones are denied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.template.caller import caller_policy
from genomics_pipeline.aws.template.states import role_id
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.runs.catalog import load_pipeline, usual_pipelines
from genomics_pipeline.runs.stack.template import StackTemplate, stack_template
from tests.aws.template.policies import (
    ACCOUNT,
    BUCKET,
    INPUT_KEY,
    KEY,
    OWN_JOB,
    REGION,
    applies,
    arn,
    is_allowed,
    map_labels,
    resolve,
    statements,
)

STACK = "genomics-pipeline"
USUAL_STEPS = {step for name in usual_pipelines() for step in load_pipeline(name)[1]}
GERMLINE = {"aggregation", "alignment", "annotation", "gather", "variant_calling"}
RUN = f"arn:aws:s3:::{BUCKET}/runs/r"
MACHINE = arn("states", f"stateMachine:{STACK}-germline")
EXECUTION = arn("states", f"execution:{STACK}-germline:r")
CHILD = arn("states", f"execution:{STACK}-germline/Sample:0f")
MAP_RUN = arn("states", f"mapRun:{STACK}-germline/Sample:0f")
REPORT, TOPIC = "RunReport", "AlarmTopic"  # of which CloudFormation's Ref is the ARN
RULE = arn("events", "rule/StepFunctionsGetEventsForBatchJobsRule")
DEFINITION = arn("batch", f"job-definition/{STACK}-alignment")
QUEUE = arn("batch", f"job-queue/{STACK}")
LOG = arn("logs", f"log-group:/{STACK}/tasks:log-stream:alignment/default/0f")
IMAGE = arn("ecr", f"repository/{STACK}/alignment")

# By role: (action, resource) of its calls.
ALLOWED = {
    "GermlineStatesRole": [
        ("batch:SubmitJob", DEFINITION),
        ("batch:SubmitJob", f"{DEFINITION}:7"),
        ("batch:SubmitJob", QUEUE),
        ("batch:SubmitJob", f"{QUEUE}-on-demand"),
        ("batch:TagResource", f"{DEFINITION}:7"),
        ("batch:TagResource", QUEUE),
        ("batch:DescribeJobs", "*"),
        ("batch:TerminateJob", arn("batch", "job/0f")),
        ("events:PutTargets", RULE),
        ("events:PutRule", RULE),
        ("events:DescribeRule", RULE),
        ("states:StartExecution", MACHINE),
        ("states:DescribeExecution", CHILD),
        ("states:StopExecution", CHILD),
        ("states:RedriveExecution", CHILD),
        ("s3:GetObject", f"{RUN}/manifest.jsonl"),
        ("s3:GetObject", f"{RUN}/reruns/1/manifest.jsonl"),
        ("s3:GetObject", f"{RUN}/intervals.jsonl"),
        ("s3:PutObject", f"{RUN}/map-runs/Sample/0f/SUCCEEDED_0.jsonl"),
        ("s3:GetObject", f"{RUN}/map-runs/Sample/0f/manifest.json"),
        ("s3:ListMultipartUploadParts", f"{RUN}/map-runs/Sample/0f/SUCCEEDED_0.jsonl"),
        ("s3:AbortMultipartUpload", f"{RUN}/map-runs/Sample/0f/SUCCEEDED_0.jsonl"),
        ("logs:CreateLogDelivery", "*"),
        ("kms:GenerateDataKey", KEY),
        ("kms:Decrypt", KEY),
    ],
    "JobRole": [
        ("s3:GetObject", f"{RUN}/steps/alignment/s/step.json"),
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/references/hg38.fa"),
        ("s3:GetObject", "arn:aws:s3:::reads/a_R1.fastq.gz"),
        ("s3:GetObject", "arn:aws:s3:::more/b_R1.fastq.gz"),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
        ("s3:ListBucket", "arn:aws:s3:::more"),
        ("s3:PutObject", f"{RUN}/results/preprocessing/s/s.md.bam"),
        ("s3:AbortMultipartUpload", f"{RUN}/results/preprocessing/s/s.md.bam"),
        ("s3:PutObjectTagging", f"{RUN}/results/preprocessing/s/s.md.bam"),
        ("s3:PutObject", f"{RUN}/steps/alignment/s/step.json"),
        ("s3:PutObject", f"{RUN}/steps/alignment/s/failure.json"),
        ("s3:PutObject", f"{RUN}/steps/alignment/s/job.json"),
        ("s3:PutObject", f"{RUN}/steps/alignment/s/log.txt"),
        ("s3:DeleteObject", f"{RUN}/steps/alignment/s/step.json"),
        ("s3:DeleteObject", f"{RUN}/steps/alignment/s/failure.json"),
        ("kms:GenerateDataKey", KEY),
        ("kms:Decrypt", INPUT_KEY),
    ],
    "ReferenceIndexRole": [
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/references/0f/hg38.fa"),
        ("s3:GetObject", "arn:aws:s3:::reads/hg38.fa"),
        ("s3:ListBucket", "arn:aws:s3:::more"),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/indexed/hg38/hg38.fa"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/mine/hg38.fa.bwt"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/mine/hg38.fa.mbw"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/mine/hg38.dict"),
        ("s3:AbortMultipartUpload", f"arn:aws:s3:::{BUCKET}/mine/hg38.fa.l2b"),
        ("s3:ListMultipartUploadParts", f"arn:aws:s3:::{BUCKET}/indexed/hg38/hg38.fa"),
        ("kms:GenerateDataKey", KEY),
        ("kms:Decrypt", INPUT_KEY),
    ],
    "ExecutionRole": [
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchGetImage", IMAGE),
        ("ecr:GetDownloadUrlForLayer", IMAGE),
        ("ecr:BatchCheckLayerAvailability", IMAGE),
        ("logs:CreateLogStream", LOG),
        ("logs:PutLogEvents", LOG),
    ],
    "InstanceRole": [
        ("ecs:DiscoverPollEndpoint", "*"),
        ("ecs:RegisterContainerInstance", arn("ecs", "cluster/AWSBatch-spot-0f")),
        ("ecs:SubmitTaskStateChange", arn("ecs", "cluster/AWSBatch-spot-0f")),
        ("ecs:Poll", arn("ecs", "container-instance/AWSBatch-spot-0f/1e")),
        ("ecs:StartTelemetrySession", arn("ecs", "container-instance/AWSBatch-spot-0f/1e")),
    ],
    "RunReportRole": [
        ("states:ListMapRuns", EXECUTION),
        ("states:ListMapRuns", f"{EXECUTION}-r1"),
        ("states:DescribeMapRun", MAP_RUN),
        ("sns:Publish", TOPIC),
    ],
    "RunReportStartRole": [("states:StartExecution", REPORT)],
}
DELETE = [
    ("s3:DeleteObject", f"{RUN}/results/a.vcf.gz"),
    ("s3:DeleteObject", f"{RUN}/steps/alignment/s/log.txt"),
    ("s3:DeleteObject", f"{RUN}/manifest.jsonl"),
    ("s3:DeleteObjectVersion", f"{RUN}/results/a.vcf.gz"),
    ("s3:DeleteObjectVersion", f"{RUN}/steps/alignment/s/step.json"),
]
CALLER = [
    ("cloudformation:DescribeStacks", arn("cloudformation", f"stack/{STACK}/0f")),
    ("states:StartExecution", MACHINE),
    ("states:ListExecutions", MACHINE),
    ("states:DescribeExecution", EXECUTION),
    ("states:GetExecutionHistory", EXECUTION),
    ("states:ListMapRuns", EXECUTION),
    ("states:StopExecution", EXECUTION),
    ("states:RedriveExecution", EXECUTION),
    ("states:DescribeMapRun", MAP_RUN),
    ("states:UpdateMapRun", MAP_RUN),
    ("states:ListExecutions", MAP_RUN),
    ("states:DescribeExecution", CHILD),
    ("batch:DescribeJobs", "*"),
    ("batch:TerminateJob", arn("batch", "job/0f")),
    ("logs:GetLogEvents", LOG),
    ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
    ("s3:GetObject", f"{RUN}/results/a.vcf.gz"),
    ("s3:PutObject", f"{RUN}/manifest.jsonl"),
    ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/references/0f/hg38.fa"),
    ("s3:GetObject", "arn:aws:s3:::reads/a_R1.fastq.gz"),
    ("s3:ListBucket", "arn:aws:s3:::reads"),
    ("states:DescribeStateMachine", MACHINE),
    ("states:ValidateStateMachineDefinition", "*"),
    ("cloudformation:ListStackResources", arn("cloudformation", f"stack/{STACK}/0f")),
    ("batch:ListJobs", "*"),
    ("batch:GetJobQueueSnapshot", QUEUE),
    ("batch:GetJobQueueSnapshot", f"{QUEUE}-on-demand"),
    ("batch:DescribeJobDefinitions", "*"),
    ("ecr:DescribeImages", IMAGE),
    ("kms:Decrypt", KEY),
    ("s3:ListBucketVersions", f"arn:aws:s3:::{BUCKET}"),
    *DELETE,
    ("kms:Decrypt", INPUT_KEY),
    ("servicequotas:GetServiceQuota", "*"),
    ("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"),
]
# Calls that no role may make.
DENIED = [
    ("s3:GetObject", "arn:aws:s3:::another/runs/r/manifest.jsonl"),
    ("s3:ListBucket", "arn:aws:s3:::another"),
    ("s3:PutObject", "arn:aws:s3:::reads/a_R1.fastq.gz"),
    ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/definitions/germline-0123456789ab.json"),
    ("s3:PutObject", "arn:aws:s3:::another/runs/r/a"),
    ("s3:DeleteObject", "arn:aws:s3:::reads/runs/r/steps/alignment/s/step.json"),
    ("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/references/0f/hg38.fa"),
    ("s3:DeleteObjectVersion", f"arn:aws:s3:::{BUCKET}/definitions/germline-0123456789ab.json"),
    ("s3:DeleteBucket", f"arn:aws:s3:::{BUCKET}"),
    ("s3:PutBucketPolicy", f"arn:aws:s3:::{BUCKET}"),
    ("s3:PutObjectAcl", f"{RUN}/results/a.vcf.gz"),
    ("states:StartExecution", arn("states", f"stateMachine:{STACK}-other")),
    ("states:StartExecution", f"{MACHINE}-2"),
    ("states:DescribeExecution", arn("states", f"execution:{STACK}-other:r")),
    ("states:StopExecution", arn("states", f"execution:{STACK}-germline-2/Sample:0f")),
    ("states:ListMapRuns", arn("states", f"execution:{STACK}-other:r")),
    ("states:ListMapRuns", arn("states", f"execution:{STACK}-germline-2:r")),
    ("states:DescribeMapRun", arn("states", f"mapRun:{STACK}-germline/Other:0f")),
    ("states:DescribeMapRun", arn("states", f"mapRun:{STACK}-germline-2/Sample:0f")),
    ("sns:Publish", arn("sns", f"{STACK}-two-alarms")),
    ("states:UpdateStateMachine", MACHINE),
    ("states:DeleteStateMachine", MACHINE),
    ("batch:SubmitJob", arn("batch", "job-definition/other")),
    ("batch:SubmitJob", f"{DEFINITION}-2"),
    ("batch:SubmitJob", f"{QUEUE}-2"),
    ("batch:RegisterJobDefinition", DEFINITION),
    ("batch:TagResource", arn("batch", "job/0f")),
    ("batch:TagResource", f"{QUEUE}-2"),
    ("batch:UpdateJobQueue", QUEUE),
    ("batch:GetJobQueueSnapshot", f"{QUEUE}-2"),
    ("events:PutRule", arn("events", "rule/Other")),
    ("events:RemoveTargets", RULE),
    ("ecr:BatchGetImage", arn("ecr", "repository/other/alignment")),
    ("ecr:PutImage", IMAGE),
    ("logs:PutLogEvents", arn("logs", "log-group:/other:log-stream:a")),
    ("logs:DeleteLogGroup", arn("logs", f"log-group:/{STACK}/tasks")),
    ("kms:Decrypt", f"{KEY}2"),
    ("kms:Decrypt", f"{INPUT_KEY}2"),
    ("kms:GenerateDataKey", INPUT_KEY),
    ("kms:Encrypt", INPUT_KEY),
    ("kms:ScheduleKeyDeletion", KEY),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
    ("iam:CreateUser", "*"),
    ("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
    ("iam:CreateServiceLinkedRole", "*"),
    ("servicequotas:RequestServiceQuotaIncrease", "*"),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
    ("ec2:RunInstances", "*"),
    ("ecs:RunTask", arn("ecs", "task-definition/any:1")),
]

# Every `*` in a resource, with the reason why AWS requires it. Add a new one here with its source.
SAR = "service authorization reference: the action has no resource types"
UNKNOWN = "an id that exists only at run time"
WILDCARDS = {
    ("DescribeJobs", "*"): f"AWS Batch, {SAR}",
    (
        "LogDelivery",
        "*",
    ): "Step Functions developer guide, Using CloudWatch Logs: deliveries have no resource types",
    ("RegistryToken", "*"): f"ECR, {SAR}",
    ("DiscoverPollEndpoint", "*"): f"ECS, {SAR}",
    ("TerminateJob", arn("batch", "job/*")): UNKNOWN,
    ("ReadItems", f"arn:aws:s3:::{BUCKET}/runs/*/manifest.jsonl"): UNKNOWN,
    ("ReadItems", f"arn:aws:s3:::{BUCKET}/runs/*/intervals.jsonl"): UNKNOWN,
    ("WriteResults", f"arn:aws:s3:::{BUCKET}/runs/*/map-runs/Sample/*"): UNKNOWN,
    ("WriteResults", f"arn:aws:s3:::{BUCKET}/runs/*/map-runs/Interval/*"): UNKNOWN,
    ("ReadObjects", f"arn:aws:s3:::{BUCKET}/*"): "objects of the stack's own bucket",
    ("WriteRuns", f"arn:aws:s3:::{BUCKET}/runs/*/results/*"): UNKNOWN,
    ("WriteRuns", f"arn:aws:s3:::{BUCKET}/runs/*/steps/*"): UNKNOWN,
    ("ForgetTries", f"arn:aws:s3:::{BUCKET}/runs/*/steps/*/step.json"): UNKNOWN,
    ("ForgetTries", f"arn:aws:s3:::{BUCKET}/runs/*/steps/*/failure.json"): UNKNOWN,
    ("WriteLogs", arn("logs", f"log-group:/{STACK}/tasks:*")): UNKNOWN,
    **{
        ("WriteIndexes", f"arn:aws:s3:::{BUCKET}/*.{ending}"): "references may be anywhere in the stack's own bucket"
        for ending in ("fai", "dict", "amb", "ann", "bwt", "pac", "sa", "l2b", "mbw")
    },
    ("WriteReferences", f"arn:aws:s3:::{BUCKET}/indexed/*"): "the name of the reference",
    ("JoinCluster", arn("ecs", "cluster/*")): "Batch creates the cluster and its name (Batch user guide)",
    ("Poll", arn("ecs", "container-instance/*")): UNKNOWN,
    ("TagHost", arn("ecs", "container-instance/*")): UNKNOWN,
    ("ReadInputBuckets", "arn:aws:s3:::reads/*"): "objects of the buckets that the parameter names",
    ("ReadInputBuckets", "arn:aws:s3:::more/*"): "objects of the buckets that the parameter names",
    **{
        ("SubmitJob", arn("batch", f"job-definition/{STACK}-{step}:*")): "revisions"
        for step in {step for name in usual_pipelines() for step in load_pipeline(name)[1]}
    },
    **{
        (sid, arn("states", f"{kind}:{STACK}-{pipeline}{children}:*")): UNKNOWN
        for pipeline in usual_pipelines()
        for sid, kind, parents in (
            ("FollowChildren", "execution", ["", *map_labels(pipeline)]),
            ("RedriveChildren", "execution", map_labels(pipeline)),
            ("FindMapRuns", "execution", [""]),
            ("CountItems", "mapRun", map_labels(pipeline)),
        )
        for children in parents
    },
}


def every_statement(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            assert "ManagedPolicyArns" not in properties  # AWS's managed policies contain many wildcards
            documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
        elif resource["Type"] == "AWS::IAM::Policy":
            documents = [properties["PolicyDocument"]]
        else:
            continue
        for policy_document in documents:
            yield from resolve(policy_document, document["Resources"])["Statement"]


def caller(plan: StackTemplate, *, check_rights: bool = False, index: bool = False) -> list[dict[str, Any]]:
    deployment = Deployment(ResourceNames(), BUCKET, "aws", REGION, ACCOUNT)
    policy: list[dict[str, Any]] = caller_policy(
        deployment,
        plan.machines,
        [image.step.name for image in plan.images],
        ["arn:aws:s3:::reads"],
        KEY,
        [INPUT_KEY],
        check_rights=check_rights,
        index=index,
    )["Statement"]
    return policy


def test_every_wildcard_is_required_by_aws(document: dict[str, Any]) -> None:
    wildcards = {
        (statement["Sid"], resource)
        for statement in every_statement(document)
        for resource in statement["Resource"]
        if "*" in resource
    }
    assert wildcards == set(WILDCARDS)


def test_no_action_is_a_wildcard(document: dict[str, Any], plan: StackTemplate) -> None:
    actions = [action for statement in [*every_statement(document), *caller(plan)] for action in statement["Action"]]
    assert [action for action in actions if "*" in action or "?" in action] == []


def test_every_permission_has_a_reason(any_document: dict[str, Any]) -> None:
    for resource in any_document["Resources"].values():
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            text = json.dumps(resource["Properties"])
            assert all(f'"Sid": "{sid}"' in text and why for sid, why in resource["Metadata"]["Why"].items())
            assert len(resource["Metadata"]["Why"]) == text.count('"Sid"')


@pytest.mark.parametrize("holder", ALLOWED)
def test_each_call_is_allowed(holder: str, document: dict[str, Any]) -> None:
    policy = statements(document, holder)
    assert [call for call in ALLOWED[holder] if not is_allowed(policy, *call)] == []


@pytest.mark.parametrize("holder", ALLOWED)
def test_similar_calls_are_denied(holder: str, document: dict[str, Any]) -> None:
    policy = statements(document, holder)
    others = {call for calls in ALLOWED.values() for call in calls} - set(ALLOWED[holder])
    shared = {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "kms:Decrypt"}
    references = ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/references/0f/hg38.fa")
    assert [call for call in [*DENIED, *DELETE, references] if is_allowed(policy, *call)] == []
    assert [call for call in others if is_allowed(policy, *call) and call[0] not in shared] == []


def test_hosts_may_be_tagged_only_when_they_register(document: dict[str, Any]) -> None:
    (tagging,) = (statement for statement in statements(document, "InstanceRole") if statement["Sid"] == "TagHost")
    assert tagging["Condition"] == {"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}}
    conditions = {statement["Sid"] for statement in every_statement(document) if "Condition" in statement}
    assert conditions == {"TagHost", "TerminateJob", "DecryptInputs"}


def test_keys_of_inputs_decrypt_for_s3_of_the_region_only(document: dict[str, Any], plan: StackTemplate) -> None:
    for policy in (statements(document, "JobRole"), caller(plan)):
        (decrypt,) = (statement for statement in policy if INPUT_KEY in statement["Resource"])
        assert (decrypt["Action"], decrypt["Resource"]) == (["kms:Decrypt"], [INPUT_KEY])
        assert not is_allowed(policy, "kms:Decrypt", INPUT_KEY, OWN_JOB)
        assert not is_allowed(policy, "kms:Decrypt", INPUT_KEY, {"kms:ViaService": "s3.eu-west-1.amazonaws.com"})
        assert not is_allowed(policy, "kms:Decrypt", INPUT_KEY, {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"})
    for holder in ("GermlineStatesRole", "ExecutionRole", "InstanceRole"):
        assert not is_allowed(statements(document, holder), "kms:Decrypt", INPUT_KEY)


def test_a_state_machine_writes_only_the_results_of_its_maps(document: dict[str, Any]) -> None:
    policy = statements(document, "GermlineStatesRole")
    assert not is_allowed(policy, "s3:PutObject", f"{RUN}/manifest.jsonl")
    assert not is_allowed(policy, "s3:PutObject", f"{RUN}/results/a.vcf.gz")
    assert not is_allowed(policy, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/definitions/germline-0123456789ab.json")
    assert not is_allowed(policy, "s3:GetObject", "arn:aws:s3:::reads/a_R1.fastq.gz")
    assert not is_allowed(policy, "s3:GetObject", f"{RUN}/results/a.vcf.gz")
    assert not is_allowed(policy, "s3:PutObject", f"{RUN}/map-runs/Other/0f/manifest.json")


def test_a_state_machine_submits_the_jobs_of_its_own_pipeline_only() -> None:
    cohort = str(Path(__file__).parents[2] / "golden" / "cohort.toml")
    document = stack_template(["germline", cohort], STACK).document()
    steps = {"CohortStatesRole": {"trim", "merge"}, "GermlineStatesRole": GERMLINE}
    for holder, own_steps in steps.items():
        policy = statements(document, holder)
        names = {f"{STACK}-{step}" for step in {"trim", "merge"} | GERMLINE}
        submitted = {
            name for name in names if is_allowed(policy, "batch:SubmitJob", arn("batch", f"job-definition/{name}:3"))
        }
        assert submitted == {f"{STACK}-{step}" for step in own_steps}


def test_a_caller_may_make_only_the_calls_of_the_commands(plan: StackTemplate) -> None:
    policy = caller(plan)
    assert [call for call in CALLER if not is_allowed(policy, *call)] == []
    assert [call for call in DENIED if is_allowed(policy, *call)] == []
    assert not is_allowed(policy, "batch:SubmitJob", QUEUE)
    assert not is_allowed(policy, "states:StopExecution", CHILD)


def test_a_caller_who_checks_rights_submits_jobs_of_the_stack_only(plan: StackTemplate) -> None:
    policy = caller(plan, check_rights=True)
    own = [(action, what) for action in ("batch:SubmitJob", "batch:TagResource") for what in (QUEUE, f"{DEFINITION}:7")]
    assert [call for call in [*CALLER, *own] if not is_allowed(policy, *call)] == []
    assert [call for call in DENIED if is_allowed(policy, *call)] == []
    assert not is_allowed(policy, "batch:SubmitJob", f"{QUEUE}-on-demand")


def test_a_caller_who_builds_indexes_submits_that_job_only(plan: StackTemplate) -> None:
    policy = caller(plan, index=True)
    job, queue = arn("batch", f"job-definition/{STACK}_index"), f"{QUEUE}-on-demand"
    own = [(action, what) for action in ("batch:SubmitJob", "batch:TagResource") for what in (job, f"{job}:2", queue)]
    own.append(("ec2:DescribeInstanceTypes", "*"))
    assert [call for call in [*CALLER, *own] if not is_allowed(policy, *call)] == []
    assert [call for call in DENIED if is_allowed(policy, *call)] == []
    assert not any(is_allowed(policy, "batch:SubmitJob", what) for what in (QUEUE, f"{DEFINITION}:7"))
    assert not is_allowed(caller(plan), "batch:SubmitJob", job)


def test_the_job_that_builds_indexes_writes_no_other_files(document: dict[str, Any]) -> None:
    policy = statements(document, "ReferenceIndexRole")
    others = (
        f"{RUN}/run.json",
        f"{RUN}/results/a.vcf.gz",
        f"arn:aws:s3:::{BUCKET}/mine/hg38.fa",
        "arn:aws:s3:::reads/a.fai",
    )
    assert not any(is_allowed(policy, "s3:PutObject", what) for what in others)
    assert not is_allowed(policy, "s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/mine/hg38.fa.bwt")


def test_only_services_assume_roles_and_only_for_this_account(document: dict[str, Any]) -> None:
    trust = {
        name: resource["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert {name: statement["Principal"] for name, statement in trust.items()} == {
        **{role_id(pipeline): {"Service": "states.amazonaws.com"} for pipeline in usual_pipelines()},
        "JobRole": {"Service": "ecs-tasks.amazonaws.com"},
        "ReferenceIndexRole": {"Service": "ecs-tasks.amazonaws.com"},
        "ExecutionRole": {"Service": "ecs-tasks.amazonaws.com"},
        "InstanceRole": {"Service": {"Fn::Sub": "ec2.${AWS::URLSuffix}"}},
        "RunReportRole": {"Service": "states.amazonaws.com"},
        "RunReportStartRole": {"Service": "events.amazonaws.com"},
    }
    own_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    conditions = {name: statement.get("Condition") for name, statement in trust.items()}
    assert conditions == {**dict.fromkeys(trust, own_account), "InstanceRole": None}  # EC2 sets no such key


def test_a_job_changes_nothing_of_what_its_run_is(document: dict[str, Any]) -> None:
    policy = statements(document, "JobRole")
    files = [*run_layout.ITEM_FILES.values(), run_layout.RECORD, run_layout.DEFINITION, run_layout.INPUT]
    files += ["items/s.json", "reruns/1/manifest.jsonl", "map-runs/Sample/0f/manifest.json", ".engine/lock"]
    for file in files:
        assert is_allowed(policy, "s3:GetObject", f"{RUN}/{file}")
        assert not is_allowed(policy, "s3:PutObject", f"{RUN}/{file}")
        assert not is_allowed(policy, "s3:PutObjectTagging", f"{RUN}/{file}")
        assert not is_allowed(policy, "s3:DeleteObject", f"{RUN}/{file}")


def test_only_jobs_of_the_stack_are_terminated(document: dict[str, Any], plan: StackTemplate) -> None:
    task = next(state for state in walk_states(json.loads(plan.machines[0].definition)) if state.kind == "Task")
    tags = {f"aws:ResourceTag/{name}": value for name, value in task.node["Arguments"]["Tags"].items()}
    job = ("batch:TerminateJob", arn("batch", "job/0f"))
    for policy in (statements(document, "GermlineStatesRole"), caller(plan)):
        assert is_allowed(policy, *job, tags)
        assert not is_allowed(policy, *job, {})
        assert not is_allowed(policy, *job, {"aws:ResourceTag/genomics-pipeline": "another-stack"})


def test_every_role_takes_the_boundary_that_is_given(any_document: dict[str, Any]) -> None:
    roles = [one["Properties"] for one in any_document["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    boundary = {"Ref": "PermissionsBoundary"}
    for properties in roles:
        expected = {"Fn::If": ["HasPermissionsBoundary", boundary, {"Ref": "AWS::NoValue"}]}
        assert properties["PermissionsBoundary"] == expected
    assert any_document["Parameters"]["PermissionsBoundary"]["Default"] == ""


OWN = {"aws:PrincipalAccount": ACCOUNT, "aws:PrincipalIsAWSService": "false"}
REQUESTS = {  # to the bucket; whether the policy denies them
    "own account": ({**OWN, "aws:SecureTransport": "true"}, False),
    "own account without TLS": ({**OWN, "aws:SecureTransport": "false"}, True),
    "another account": ({**OWN, "aws:PrincipalAccount": "210987654321", "aws:SecureTransport": "true"}, True),
    "nobody": ({"aws:SecureTransport": "true"}, True),
    "a service": ({"aws:PrincipalIsAWSService": "true", "aws:SecureTransport": "true"}, False),
    "a service without TLS": ({"aws:PrincipalIsAWSService": "true", "aws:SecureTransport": "false"}, True),
}


@pytest.mark.parametrize(("context", "denied"), REQUESTS.values(), ids=REQUESTS)
def test_the_bucket_denies_other_accounts_and_requests_without_tls(
    document: dict[str, Any], context: dict[str, str], denied: bool
) -> None:
    policy = document["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    denials = resolve(policy, document["Resources"])["Statement"]
    for deny in denials:
        assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
        assert deny["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    assert any(applies(deny["Condition"], context) for deny in denials) == denied
