"""Functions of the template: their limits, roles, repositories, and the rights of the state machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.template.caller import caller_policy
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.runs.stack.template import StackTemplate, stack_template

GOLDEN = Path(__file__).parents[2] / "golden"
PIPELINES = [str(GOLDEN / name) for name in ("records.toml", "records-in-parts.toml")]


@pytest.fixture(scope="module")
def plan() -> StackTemplate:
    return stack_template(PIPELINES, "mine")


@pytest.fixture(scope="module")
def resources(plan: StackTemplate) -> dict[str, Any]:
    found: dict[str, Any] = plan.document()["Resources"]
    return found


def statements(role: dict[str, Any]) -> dict[str, Any]:
    found = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {one["Sid"]: one for one in found}


def test_a_function_has_the_limits_of_its_step(resources: dict[str, Any]) -> None:
    warn = resources["WarnFunction"]["Properties"]
    assert (warn["FunctionName"], warn["MemorySize"], warn["Timeout"]) == ("mine-warn", 512, 120)
    assert warn["EphemeralStorage"] == {"Size": 1024}
    assert warn["ReservedConcurrentExecutions"]["Fn::If"][2] == 100
    assert resources["ScoreFunction"]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"][2] == {
        "Ref": "AWS::NoValue"
    }
    assert warn["Code"]["ImageUri"]["Fn::Sub"].startswith("${WarnRepository.RepositoryUri}:")
    assert resources["WarnFunctionLog"]["Properties"]["LogGroupName"] == "/mine/functions/warn"


def test_a_function_writes_its_own_log_and_nothing_else(resources: dict[str, Any]) -> None:
    allowed = statements(resources["ScoreFunctionRole"])
    assert list(allowed) == ["WriteLogs"]
    assert "log-group:${ScoreFunctionLog}:*" in allowed["WriteLogs"]["Resource"][0]["Fn::Sub"]


def test_a_state_machine_calls_its_own_functions_and_submits_no_jobs(resources: dict[str, Any]) -> None:
    allowed = statements(resources["RecordsStatesRole"])
    assert [one["Fn::Sub"].rpartition(":")[2] for one in allowed["InvokeFunctions"]["Resource"]] == ["mine-score"]
    assert "SubmitJob" not in allowed
    assert {"ReadRecords", "ListRecords", "WriteResults", "StartChildren"} <= set(allowed)
    parts = statements(resources["RecordsInPartsStatesRole"])
    assert len(parts["InvokeFunctions"]["Resource"]) == 2


def test_lambda_pulls_an_image_for_its_function_only(resources: dict[str, Any]) -> None:
    (pull,) = resources["WarnRepository"]["Properties"]["RepositoryPolicyText"]["Statement"]
    assert pull["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert pull["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":function:mine-warn")


def test_a_stack_without_jobs_has_no_hosts(plan: StackTemplate, resources: dict[str, Any]) -> None:
    """Check that neither network, hosts, queues nor roles of jobs are made, and that one job brings them."""
    hosts = ("AWS::EC2::", "AWS::Batch::", "AWS::IAM::InstanceProfile")
    assert not [name for name, one in resources.items() if one["Type"].startswith(hosts)]
    assert not {"InstanceRole", "JobRole", "ExecutionRole", "KeyPolicy", "InputPolicy", "QueueBlocked"} & set(resources)
    assert not {"JobQueue", "OnDemandQueue"} & set(plan.document()["Outputs"])
    assert "Mappings" not in plan.document()
    roles = {name for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"}
    services = {
        one["Principal"]["Service"]
        for name in roles
        for one in resources[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }
    assert services <= {"states.amazonaws.com", "lambda.amazonaws.com", "events.amazonaws.com"}
    mixed = stack_template([*PIPELINES, "germline"], "mine").document()["Resources"]
    assert {"Vpc", "JobQueue", "JobRole", "QueueBlocked"} <= set(mixed)


def test_a_function_is_left_out_until_its_image_can_be_pushed(plan: StackTemplate) -> None:
    document = plan.document(["warn"])
    assert {"WarnRepository", "ScoreFunction"} <= set(document["Resources"])
    assert not {"WarnFunction", "WarnFunctionRole", "WarnFunctionLog"} & set(document["Resources"])
    none = plan.document(["score", "warn"])
    assert "FunctionConcurrency" not in none["Parameters"]
    assert "FunctionConcurrency" in document["Parameters"]


def test_callers_may_look_at_the_functions_of_their_pipelines_only(plan: StackTemplate) -> None:
    deployment = Deployment(plan.names, "bucket", "aws", "eu-west-1", "123456789012")
    policy = caller_policy(deployment, plan.machines, plan.steps, (), "", ())
    (find,) = [one for one in policy["Statement"] if one["Sid"] == "FindFunctions"]
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:mine-"
    assert (find["Action"], find["Resource"]) == (["lambda:GetFunction"], [f"{arn}score", f"{arn}warn"])
    shipped = stack_template(["germline"], "mine")
    policy = caller_policy(deployment, shipped.machines, shipped.steps, (), "", ())
    assert "FindFunctions" not in [one["Sid"] for one in policy["Statement"]]


def test_a_function_whose_name_is_too_long_is_refused() -> None:
    plan = stack_template(PIPELINES, "-".join("abcdefghijklmnopqrstuvwxyzabcdef"))
    with pytest.raises(DataError, match=r"AWS allows 64 characters, found 69; shorten the stack's or the step's name"):
        plan.document()


def test_a_function_that_reads_files_of_records_may_read_objects_and_nothing_else() -> None:
    resources = stack_template(["preflight"], "mine").document()["Resources"]
    allowed = statements(resources["PreflightFunctionRole"])
    assert {sid: one["Action"] for sid, one in allowed.items()} == {
        "WriteLogs": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "ReadObjects": ["s3:GetObject"],
        "FindObjects": ["s3:ListBucket"],
    }
    more = {
        name: one
        for name, one in resources.items()
        if one.get("Properties", {}).get("Roles") == [{"Ref": "PreflightFunctionRole"}]
    }
    granted = {
        statement["Sid"]: statement["Action"]
        for one in more.values()
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    }
    assert granted == {  # each only with its parameter: KmsKeyArn, InputBuckets, InputKeys
        "UseKey": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        "ReadInputBuckets": ["s3:GetObject"],
        "FindInputs": ["s3:ListBucket"],
        "DecryptInputs": ["kms:Decrypt"],
    }


def test_functions_with_outputs_write_below_runs_and_nowhere_else() -> None:
    """Check shards and what joins them; a function without outputs may write nothing but its log."""
    resources = stack_template(["annotate", "preflight"], "mine").document()["Resources"]
    for role in ("AnnotateFunctionRole", "JoinVcfFunctionRole"):
        write = statements(resources[role])["WriteRuns"]
        assert write["Resource"] == [
            {"Fn::Sub": f"${{Bucket.Arn}}/runs/*/{folder}*"} for folder in ("results/", "steps/")
        ]
        assert sorted(write["Action"]) == [
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ]
    assert "WriteRuns" not in statements(resources["PreflightFunctionRole"])
