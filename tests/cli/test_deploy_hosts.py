"""The hosts of a deployment: architecture, instance types and zones, on moto's EC2, CloudFormation and Batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.cli.adapters import aws_clients
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.step import Resources
from genomics_pipeline.runs.catalog import load_pipeline, usual_pipelines
from genomics_pipeline.runs.stack.hosts import plan_hosts
from genomics_pipeline.runs.stack.template import StackTemplate, stack_template


@pytest.fixture
def clients(aws: str) -> Clients:
    return aws_clients()


@pytest.fixture(scope="module")
def plan() -> StackTemplate:
    return stack_template([], "genomics-pipeline")


def environments() -> list[dict[str, Any]]:
    found = boto3.client("batch").describe_compute_environments()["computeEnvironments"]
    return [dict(one["computeResources"]) for one in found]


@pytest.mark.usefixtures("cloudformation")
def test_a_stack_of_graviton_hosts_in_all_zones(cli: Callable[..., Any]) -> None:
    parameters = ("--parameter", "Architecture=arm64", "--parameter", "InstanceTypes=c7gd,m7gd.4xlarge,c7g")
    made = cli("deploy", "--yes", *parameters)
    assert made.code == 0, made.err
    assert "  left out c7g: the 64 vCPUs of c7g.16xlarge need 3200 GiB, and its VolumeGiB=30 has 18" in made.out
    assert "Architecture: arm64" in made.out
    assert "note: the hosts are arm64 and this machine is x86_64: `containers push` builds the images by" in made.err
    for environment in environments():
        assert {one.partition(".")[0] for one in environment["instanceTypes"]} == {"c7gd", "m7gd"}
        assert "m7gd.4xlarge" in environment["instanceTypes"]
        assert "c7gd.medium" in environment["instanceTypes"]
        assert not [one for one in environment["instanceTypes"] if "metal" in one]
        subnets = boto3.client("ec2").describe_subnets(SubnetIds=environment["subnets"])["Subnets"]
        assert [one["AvailabilityZone"] for one in subnets] == [f"us-east-1{letter}" for letter in "abcdef"]
    images = [
        one["containerProperties"]["image"]
        for one in boto3.client("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    ]
    assert (
        len(images) == len({step for name in usual_pipelines() for step in load_pipeline(name)[1]}) + 1
    )  # the job that builds indexes
    assert all(image.endswith("-arm64") for image in images)

    other = cli("deploy", "--yes", "--parameter", "Architecture=x86_64")
    assert (other.code, other.err.splitlines()[0]) == (
        2,
        "error: InstanceTypes: expected hosts of x86_64, found c7gd of arm64; set Architecture=arm64, or "
        "InstanceTypes= for the default types",
    )
    back = cli("deploy", "--yes", "--parameter", "Architecture=x86_64", "--parameter", "InstanceTypes=")
    assert back.code == 0, back.err
    # moto does not change a compute environment; CloudFormation updates its types in place.
    (stack,) = boto3.client("cloudformation").describe_stacks()["Stacks"]
    (types,) = [one["ParameterValue"] for one in stack["Parameters"] if one["ParameterKey"] == "HostTypes"]
    assert {one.partition(".")[0] for one in types.split(",")} == {"c6id", "m6id", "r6id"}


def test_types_that_the_region_lacks_are_left_out(plan: StackTemplate, clients: Clients) -> None:
    planned = plan_hosts(plan, {"InstanceTypes": "c6id,c99id, m6id.large"}, {}, clients)
    assert planned.lines == [
        "not in this Region: c99id",
        "hosts of x86_64: 10 instance types of c6id, m6id",
        "MaxVcpus=256: at most 256 vCPUs of Spot hosts and 256 On-Demand at a time; On-Demand they cost up to $15.19 "
        "an hour (us-east-1, 2026-07-20)",
    ]
    assert planned.parameters["HostTypes"].split(",")[-1] == "m6id.large"
    assert planned.parameters["Zones"] == "us-east-1a,us-east-1b,us-east-1c,us-east-1d,us-east-1e,us-east-1f"


def test_zones_of_a_stack_stay_as_they_are(plan: StackTemplate, clients: Clients) -> None:
    assert "Zones" not in plan_hosts(plan, {}, {"Zones": "us-east-1a,us-east-1b"}, clients).parameters
    assert "Zones" not in plan_hosts(plan, {"VpcId": "vpc-1", "SubnetIds": "subnet-1"}, {}, clients).parameters


def test_a_step_for_which_no_host_has_the_disk(plan: StackTemplate, clients: Clients) -> None:
    images = [replace(one, step=replace(one.step, resources=Resources(disk_gib=500))) for one in plan.images]
    large = replace(plan, images=tuple(images))
    with pytest.raises(UsageError) as raised:
        plan_hosts(large, {"InstanceTypes": "c6id.large"}, {}, clients)
    assert [str(problem) for problem in raised.value.problems] == [
        "hosts: expected instance types with the disk of every step, found none; name others by --parameter "
        "InstanceTypes=… (i4i and i7ie have large disks, i4g and im4gn of arm64), or a larger VolumeGiB for types "
        "without instance store",
        "disk: aggregation declares 500 GiB for 1 vCPUs, so that hosts need 500 GiB for each vCPU",
        "  left out c6id: the 2 vCPUs of c6id.large need 1000 GiB, and its instance store has 107",
    ]
    kept = plan_hosts(large, {"InstanceTypes": "i7ie.large"}, {}, clients).parameters["HostTypes"]
    assert kept == "i7ie.large"


@pytest.mark.parametrize("name", ["optimal", "default_arm64", "c6id;", "C6ID"])
def test_types_whose_disk_nobody_can_check_are_refused(name: str, plan: StackTemplate, clients: Clients) -> None:
    with pytest.raises(UsageError, match="InstanceTypes: expected an instance type or family, such as c6id or m7gd"):
        plan_hosts(plan, {"InstanceTypes": name}, {}, clients)


def own_network() -> tuple[str, list[str]]:
    """Make a VPC with two subnets, and return their ids."""
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    blocks = ("10.1.0.0/20", "10.1.16.0/20")
    return vpc, [ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"] for block in blocks]


def results_rule(bucket: str) -> list[tuple[str, int]]:
    rules = boto3.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    transitions = [one for rule in rules if rule["ID"] == "Results" for one in rule["Transitions"]]
    return [(one["StorageClass"], one["Days"]) for one in transitions]


@pytest.mark.usefixtures("cloudformation")
def test_a_stack_with_a_key_and_a_network_of_ones_own(cli: Callable[..., Any]) -> None:
    vpc, subnets = own_network()
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    values = {
        "Architecture": "arm64",
        "KmsKeyArn": key,
        "VpcId": vpc,
        "SubnetIds": ",".join(subnets),
        "ResultsStorageClass": "GLACIER_IR",
        "ResultsDays": "90",
        "InputBuckets": "arn:aws:s3:::reads",
    }
    parameters = [word for name, value in values.items() for word in ("--parameter", f"{name}={value}")]
    made = cli("deploy", "--yes", "--json", "--max-vcpus", "512", *parameters)
    assert made.code == 0, made.err
    assert "MaxVcpus=512: at most 512 vCPUs of Spot hosts and 512 On-Demand at a time; On-Demand they cost up to $" in (
        made.err
    )
    bucket = json.loads(made.out)["Bucket"]
    assert {tuple(one["subnets"]) for one in environments()} == {tuple(subnets)}
    assert {one["maxvCpus"] for one in environments()} == {512}
    assert [one["VpcId"] for one in boto3.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]] == [vpc]
    made_vpcs = boto3.client("ec2").describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["genomics-pipeline"]}])
    assert made_vpcs["Vpcs"] == []
    encryption = boto3.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key
    assert results_rule(bucket) == [("GLACIER_IR", 90)]


@pytest.mark.usefixtures("cloudformation")
def test_a_stack_with_few_zones_whose_results_stay(cli: Callable[..., Any]) -> None:
    values = ("ResultsStorageClass=STANDARD", "Zones=us-east-1c,us-east-1a,us-east-1d")
    made = cli("deploy", "--yes", "--json", *(word for value in values for word in ("--parameter", value)))
    assert made.code == 0, made.err
    assert results_rule(json.loads(made.out)["Bucket"]) == []
    subnets = boto3.client("ec2").describe_subnets(SubnetIds=environments()[0]["subnets"])["Subnets"]
    assert sorted(one["AvailabilityZone"] for one in subnets) == ["us-east-1a", "us-east-1c", "us-east-1d"]
