"""Parameters of the template (`deploy --parameter`), and conditions on them."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.model import quotas

# Families with NVMe instance store, with three ratios of memory and of two generations: the more Spot pools, the fewer
# interruptions. In a Region without one of them, Batch refuses the compute environment and names the type.
INSTANCE_TYPES = "c5d,c6id,m5d,m6id,r5d,r6id"

PARAMETERS: dict[str, Any] = {
    "InstanceTypes": {
        "Type": "CommaDelimitedList",
        "Default": INSTANCE_TYPES,
        "Description": "EC2 instance types or families of the hosts; with instance store, scratch is fast and free",
    },
    "MaxVcpus": {
        "Type": "Number",
        "Default": 256,
        "MinValue": 1,
        "Description": "vCPUs at a time of the Spot hosts, and again of the On-Demand ones: the limit of the cost",
    },
    "VolumeGiB": {
        "Type": "Number",
        "Default": 100,
        "MinValue": 30,
        "MaxValue": quotas.VOLUME_GIB.value,
        "Description": "EBS volume of each host: the system, images, and scratch where there is no instance store",
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
    "KmsKeyArn": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "|arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+",
        "ConstraintDescription": "the ARN of a key, or nothing",
        "Description": "KMS key of the bucket, logs and state machines; AWS's own keys where none is given",
    },
    "InputBuckets": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "ARNs of buckets beside the stack's own that FASTQ files and references are read from",
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
}

HAS_KEY = "HasKey"
HAS_INPUT_BUCKETS = "HasInputBuckets"
MAKES_NETWORK = "MakesNetwork"


def _empty(parameter: str) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": parameter}, ""]}


CONDITIONS: dict[str, Any] = {
    HAS_KEY: {"Fn::Not": [_empty("KmsKeyArn")]},
    HAS_INPUT_BUCKETS: {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "InputBuckets"}]}, ""]}]},
    MAKES_NETWORK: _empty("VpcId"),
}
