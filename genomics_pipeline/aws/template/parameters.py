"""Parameters of the template (`deploy --parameter`), and conditions on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.aws.deployment import ARCHITECTURE
from genomics_pipeline.aws.template.monitoring_parameters import MONITORING_CONDITIONS, MONITORING_PARAMETERS
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture

STANDARD = "STANDARD"  # S3's storage class of new objects
DEFAULT_ARCHITECTURE = Architecture.X86_64  # of a stack's hosts
KEY_ARN = "arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+"

PARAMETERS: dict[str, Any] = {
    ARCHITECTURE: {
        "Type": "String",
        "Default": DEFAULT_ARCHITECTURE.value,
        "AllowedValues": [architecture.value for architecture in Architecture],
        "Description": "Processors of all hosts, and so of the images; arm64 is Graviton",
    },
    "InstanceTypes": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "EC2 instance types or families of the hosts; where none is given, those with instance store",
    },
    "HostTypes": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "Set by `deploy`: those of InstanceTypes that are in the Region and have the disk of every step",
    },
    "MaxVcpus": {
        "Type": "Number",
        "Default": 256,
        "MinValue": 1,
        "Description": "vCPUs at a time of the Spot hosts, and again of the On-Demand ones: the limit of the cost",
    },
    "VolumeGiB": {
        "Type": "Number",
        "Default": 30,
        "MinValue": 30,
        "MaxValue": quotas.VOLUME_GIB.value,
        "Description": "Each host's EBS volume (gp3): the system, images, and scratch where there is no instance store",
    },
    "LogRetentionDays": {
        "Type": "Number",
        "Default": 90,
        "AllowedValues": [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653],
        "Description": "Days that CloudWatch keeps the logs",
    },
    "NoncurrentVersionDays": {
        "Type": "Number",
        "Default": 30,
        "MinValue": 1,
        "Description": "Days that overwritten and deleted objects of the bucket can be brought back",
    },
    "IntermediateDays": {
        "Type": "Number",
        "Default": 30,
        "MinValue": 1,
        "Description": "Days that outputs are kept which only later stages of their run need",
    },
    "ResultsStorageClass": {
        "Type": "String",
        "Default": "INTELLIGENT_TIERING",
        "AllowedValues": [STANDARD, "INTELLIGENT_TIERING", "GLACIER_IR"],
        "Description": "Storage class of large files of runs after ResultsDays; all of them are read at once",
    },
    "ResultsDays": {
        "Type": "Number",
        "Default": 30,
        "MinValue": 1,
        "Description": "Days after which large files of runs get the ResultsStorageClass",
    },
    "KmsKeyArn": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": f"|{KEY_ARN}",
        "ConstraintDescription": "the ARN of a key, or nothing",
        "Description": "KMS key of the bucket, logs and state machines; AWS's own keys where none is given",
    },
    "InputBuckets": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "ARNs of buckets beside the stack's own that FASTQ files and references are read from",
    },
    "InputKeys": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "AllowedPattern": f"|{KEY_ARN}",
        "ConstraintDescription": "ARNs of keys (not of aliases), or nothing",
        "Description": "ARNs of the KMS keys that encrypt objects of InputBuckets (SSE-KMS, DSSE-KMS)",
    },
    "Zones": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "Set by `deploy`: all zones of the Region, for the VPC of the stack; two where none is given",
    },
    "PermissionsBoundary": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "|arn:[^:]+:iam::([0-9]{12}|aws):policy/.+",
        "ConstraintDescription": "the ARN of a managed policy, or nothing",
        "Description": "IAM policy that limits every role of the stack, where an account demands one",
    },
    "VpcId": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "|vpc-[0-9a-f]+",
        "ConstraintDescription": "the id of a VPC, or nothing",
        "Description": "VPC of the hosts, with SubnetIds; a small one is made where none is given",
    },
    "SubnetIds": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "Subnets of VpcId that reach ECR, ECS, CloudWatch Logs and S3 (NAT, or interface endpoints)",
    },
    **MONITORING_PARAMETERS,
}
FUNCTION_CONCURRENCY = "FunctionConcurrency"
# Only of stacks with Lambda functions.
FUNCTION_PARAMETERS: dict[str, Any] = {
    FUNCTION_CONCURRENCY: {
        "Type": "Number",
        "Default": 0,
        "MinValue": 0,
        "Description": "Executions at a time that the account keeps for each function, and its limit; 0: as steps say",
    },
}

MOST_ZONES = 6  # of a Region: us-east-1

HAS_BOUNDARY = "HasPermissionsBoundary"
HAS_KEY = "HasKey"
HAS_FUNCTION_CONCURRENCY = "HasFunctionConcurrency"
TIERS_RESULTS = "TiersResults"
HAS_HOST_TYPES = "HasHostTypes"
HAS_INSTANCE_TYPES = "HasInstanceTypes"
IS_ARM64 = "IsArm64"
HAS_INPUT_BUCKETS = "HasInputBuckets"
HAS_INPUT_KEYS = "HasInputKeys"
MAKES_NETWORK = "MakesNetwork"


def most_vcpus(values: Mapping[str, str]) -> int:
    """Return MaxVcpus, or 0 for text that is no number, which CloudFormation refuses.

    Args:
        values: Values of parameters; of others, the defaults hold.
    """
    text = str(values.get("MaxVcpus", PARAMETERS["MaxVcpus"]["Default"]))
    return int(text) if text.isascii() and text.isdigit() else 0


def _empty(parameter: str) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": parameter}, ""]}


def _any(parameter: str) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}


def has_zone(number: int) -> str:
    """Return the name of the condition that the stack makes a subnet in that element of Zones."""
    return f"HasZone{number}"


def zone(number: int) -> dict[str, Any]:
    """Return that element of Zones, or ``-`` behind the last one.

    CloudFormation refuses to select an element that a list lacks, even in a resource whose condition is false.
    """
    padded = {"Fn::Join": [",", [{"Fn::Join": [",", {"Ref": "Zones"}]}, *["-"] * MOST_ZONES]]}
    return {"Fn::Select": [number, {"Fn::Split": [",", padded]}]}


def _zone_given(number: int) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [zone(number), "-"]}]}


CONDITIONS: dict[str, Any] = {
    HAS_BOUNDARY: {"Fn::Not": [_empty("PermissionsBoundary")]},
    HAS_KEY: {"Fn::Not": [_empty("KmsKeyArn")]},
    TIERS_RESULTS: {"Fn::Not": [{"Fn::Equals": [{"Ref": "ResultsStorageClass"}, STANDARD]}]},
    HAS_HOST_TYPES: _any("HostTypes"),
    HAS_INSTANCE_TYPES: _any("InstanceTypes"),
    HAS_INPUT_BUCKETS: _any("InputBuckets"),
    HAS_INPUT_KEYS: _any("InputKeys"),
    IS_ARM64: {"Fn::Equals": [{"Ref": ARCHITECTURE}, Architecture.ARM64.value]},
    MAKES_NETWORK: _empty("VpcId"),
    **MONITORING_CONDITIONS,
    **{
        has_zone(number): {"Fn::And": [{"Condition": MAKES_NETWORK}, _zone_given(number)]}
        for number in range(1, MOST_ZONES)
    },
}
FUNCTION_CONDITIONS: dict[str, Any] = {
    HAS_FUNCTION_CONCURRENCY: {"Fn::Not": [{"Fn::Equals": [{"Ref": FUNCTION_CONCURRENCY}, 0]}]}
}
