"""The template: its bytes, the rules of cfn-lint, and the properties on which data, cost or security depend.

GENOMICS_PIPELINE_RENEW_GOLDEN=1 python -m pytest tests/aws/template
git diff tests/aws/template/golden.json
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.aws.template.functions import logical_id
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.aws.template.template import first_template, template
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.model.resource_names import ResourceNames, resource_names
from genomics_pipeline.runs.catalog import load_pipeline, usual_pipelines
from genomics_pipeline.runs.stack.template import StackTemplate, stack_template

HERE = Path(__file__).parent
RECORDS = str(HERE.parents[1] / "golden" / "records.toml")
TAG = re.compile("(?<=RepositoryUri}:)[0-9a-f]{16}")  # depends on the programs of the steps


@pytest.mark.parametrize(("pipelines", "file"), [([], "golden.json"), ([RECORDS], "golden-records.json")])
def test_the_template_is_the_golden_file(pipelines: list[str], file: str) -> None:
    text = TAG.sub("TAG", canonical_json(stack_template(pipelines, "genomics-pipeline").document()))
    golden = HERE / file
    if os.environ.get("GENOMICS_PIPELINE_RENEW_GOLDEN"):
        golden.write_text(text, "utf-8")
        pytest.fail(f"{golden} was renewed: read the difference, and run without GENOMICS_PIPELINE_RENEW_GOLDEN")
    assert text == golden.read_text("utf-8")


def test_the_template_does_not_depend_on_the_order_of_pipelines(any_document: dict[str, Any]) -> None:
    own = str(HERE.parents[1] / "golden" / "cohort.toml")
    assert canonical_json(stack_template(["germline", own], "s").document()) == canonical_json(
        stack_template([own, "germline"], "s").document()
    )


def test_cfn_lint_finds_nothing(any_document: dict[str, Any]) -> None:
    from cfnlint import lint

    matches = lint(canonical_json(any_document), regions=["us-east-1", "eu-central-1"])
    assert [f"{match.rule.id} {match.message} {match.path}" for match in matches] == []


def test_the_first_template_fits_into_a_request_and_is_part_of_the_whole_one(document: dict[str, Any]) -> None:
    first = first_template()
    assert len(json.dumps(first, separators=(",", ":"))) < quotas.TEMPLATE_BODY.value
    for section in ("Parameters", "Conditions", "Resources", "Outputs"):
        assert first[section].items() <= document[section].items(), section
    assert sorted(first["Resources"]) == ["Bucket", "BucketPolicy"]


def test_the_bucket_is_retained_private_and_cleaned_up(document: dict[str, Any]) -> None:
    bucket, policy = document["Resources"]["Bucket"], document["Resources"]["BucketPolicy"]["Properties"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = bucket["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert policy["PolicyDocument"]["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    rules = [rule.get("Fn::If", (None, rule))[1] for rule in properties["LifecycleConfiguration"]["Rules"]]
    lifecycle = {rule["Id"]: rule for rule in rules}
    assert lifecycle["IncompleteUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert lifecycle["Templates"]["Prefix"] == "templates/"
    # Of a run, only objects with the worker's tag expire.
    assert lifecycle["Intermediates"]["TagFilters"] == [{"Key": "genomics-pipeline", "Value": "intermediate"}]
    assert [name for name, rule in lifecycle.items() if "ExpirationInDays" in rule] == ["Intermediates", "Templates"]
    # Records of a run are small: moving them would cost more than their storage.
    assert (lifecycle["Results"]["Prefix"], lifecycle["Results"]["ObjectSizeGreaterThan"]) == ("runs/", "1048576")


def test_every_step_has_a_repository_with_immutable_tags(of_type: Callable[[str], dict[str, Any]]) -> None:
    repositories = of_type("AWS::ECR::Repository")
    assert {repository["RepositoryName"] for repository in repositories.values()} == {
        f"genomics-pipeline/{step}" for step in {step for name in usual_pipelines() for step in load_pipeline(name)[1]}
    }
    assert {repository["ImageTagMutability"] for repository in repositories.values()} == {"IMMUTABLE"}


def test_a_job_definition_provides_what_the_container_needs(document: dict[str, Any], plan: StackTemplate) -> None:
    definition = document["Resources"]["AlignmentJobDefinition"]["Properties"]
    (tag,) = (image.tag for image in plan.images if image.step.name == "alignment")
    container = definition["ContainerProperties"]
    assert definition["JobDefinitionName"] == "genomics-pipeline-alignment"
    assert definition["Timeout"] == {"AttemptDurationSeconds": 86400}
    assert container["Image"] == {"Fn::Sub": f"${{AlignmentRepository.RepositoryUri}}:{tag}-${{Architecture}}"}
    assert container["ResourceRequirements"] == [
        {"Type": "VCPU", "Value": "8"},
        {"Type": "MEMORY", "Value": "14500"},
    ]
    assert container["Environment"] == [
        {"Name": "GENOMICS_PIPELINE_VCPUS", "Value": "8"},
        {"Name": "GENOMICS_PIPELINE_MEMORY_MIB", "Value": "14500"},
    ]
    assert (container["ReadonlyRootFilesystem"], container["User"]) == (True, "10001:10001")
    assert container["Volumes"][0]["Host"] == {"SourcePath": "/scratch"}
    assert container["MountPoints"] == [{"SourceVolume": "scratch", "ContainerPath": "/scratch", "ReadOnly": False}]


def test_jobs_run_as_the_user_of_the_images(document: dict[str, Any]) -> None:
    base = HERE.parents[2] / "containers" / "base" / "Dockerfile"
    (user,) = re.findall("^USER (.*)$", base.read_text("utf-8"), re.MULTILINE)
    assert document["Resources"]["GatherJobDefinition"]["Properties"]["ContainerProperties"]["User"] == user


def test_batch_retries_only_lost_hosts_and_images(document: dict[str, Any]) -> None:
    # At most five entries; Batch retries a job that matches none (Batch user guide, "Job retries").
    strategy = document["Resources"]["GatherJobDefinition"]["Properties"]["RetryStrategy"]
    assert strategy == {
        "Attempts": 5,
        "EvaluateOnExit": [
            {"OnStatusReason": "Host EC2*", "Action": "RETRY"},
            {"OnExitCode": "143", "Action": "RETRY"},
            {"OnReason": "CannotPullContainer*", "Action": "RETRY"},
            {"OnStatusReason": "Task failed to start*", "Action": "RETRY"},
            {"OnReason": "*", "Action": "EXIT"},
        ],
    }


def test_spot_precedes_on_demand(of_type: Callable[[str], dict[str, Any]]) -> None:
    queues = {queue["JobQueueName"]: queue for queue in of_type("AWS::Batch::JobQueue").values()}
    orders = {
        name: [entry["ComputeEnvironment"]["Ref"] for entry in queue["ComputeEnvironmentOrder"]]
        for name, queue in queues.items()
    }
    assert orders == {
        "genomics-pipeline": ["SpotEnvironment", "OnDemandEnvironment"],
        "genomics-pipeline-on-demand": ["OnDemandEnvironment"],
    }
    times = {
        action["Reason"]: action["MaxTimeSeconds"] for action in queues["genomics-pipeline"]["JobStateTimeLimitActions"]
    }
    assert times == {
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": 600,
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": 600,
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": 86400,
    }


def test_environments_are_updated_in_place_and_scale_to_zero(
    of_type: Callable[[str], dict[str, Any]],
) -> None:
    environments = of_type("AWS::Batch::ComputeEnvironment")
    strategies = {
        name: (environment["ComputeResources"]["Type"], environment["ComputeResources"]["AllocationStrategy"])
        for name, environment in environments.items()
    }
    assert strategies == {
        "SpotEnvironment": ("SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED"),
        "OnDemandEnvironment": ("EC2", "BEST_FIT_PROGRESSIVE"),
    }
    for environment in environments.values():
        assert environment["ComputeResources"]["MinvCpus"] == 0
        assert environment["ReplaceComputeEnvironment"] is False
        assert "ServiceRole" not in environment  # updates in place require the service-linked role
        assert "ComputeEnvironmentName" not in environment


def test_hosts_protect_their_role_and_disks(document: dict[str, Any]) -> None:
    data = document["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert all(mapping["Ebs"]["Encrypted"] for mapping in data["BlockDeviceMappings"])
    assert "SecurityGroupIngress" not in document["Resources"]["SecurityGroup"]["Properties"]


def test_the_state_machine_reads_its_definition_from_the_bucket(document: dict[str, Any], plan: StackTemplate) -> None:
    machine = document["Resources"]["GermlineStateMachine"]["Properties"]
    assert machine["StateMachineName"] == "genomics-pipeline-germline"
    (key,) = (one.key for one in plan.machines if one.pipeline == "germline")
    assert machine["DefinitionS3Location"] == {"Bucket": {"Ref": "Bucket"}, "Key": key}
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_another_definition_is_another_object() -> None:
    assert PipelineStateMachine("a", '{"States": {}}').key != PipelineStateMachine("a", '{"States":  {}}').key


def test_every_log_group_has_a_retention(of_type: Callable[[str], dict[str, Any]]) -> None:
    groups = of_type("AWS::Logs::LogGroup")
    assert {group["LogGroupName"] for group in groups.values()} == {
        "/genomics-pipeline/tasks",
        "/aws/vendedlogs/states/genomics-pipeline",
    }
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_every_step_has_a_job_definition_or_a_function(any_document: dict[str, Any]) -> None:
    resources = any_document["Resources"].items()
    kinds = [resource["Type"] for name, resource in resources if name != "ReferenceIndexJob"]
    jobs = kinds.count("AWS::Batch::JobDefinition")
    assert jobs + kinds.count("AWS::Lambda::Function") == kinds.count("AWS::ECR::Repository")
    assert (jobs > 0) == ("JobQueue" in any_document["Resources"])


def test_names_that_make_the_same_resource_are_refused() -> None:
    assert logical_id("a_b", "Step") == logical_id("a__b", "Step")
    machines = [PipelineStateMachine(name, '{"States": {}}') for name in ("a_b", "a__b")]
    with pytest.raises(
        DataError, match="two names result in the same resource name ABStatesRole: rename a step or a pipeline"
    ):
        template(machines, [], ResourceNames(), {})


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(DataError, match=r"state machine .*: AWS allows 80 characters, found 82; shorten"):
        template([PipelineStateMachine("p" * 48, '{"States": {}}')], [], ResourceNames("s" * 33), {})


@pytest.mark.parametrize("stack", ["Stack", "-s", "s-", "1s", "s--s", "s_s", ""])
def test_an_invalid_stack_name_is_refused(stack: str) -> None:
    with pytest.raises(UsageError, match=f"--stack {stack}: expected lower-case letters, digits and single hyphens"):
        resource_names(stack)


def test_two_pipelines_of_one_name_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "germline.toml"
    other.write_text((HERE.parents[2] / "pipelines" / "germline.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(DataError, match="two pipelines are named 'germline'; give one of them another name"):
        stack_template(["germline", str(other)], "s")
