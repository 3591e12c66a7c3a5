"""The network of the hosts: the VPC that is given, or a small one of the stack."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, ref, sub, when
from genomics_pipeline.aws.template.parameters import MAKES_NETWORK, MOST_ZONES, has_zone, zone
from genomics_pipeline.model.resource_names import ResourceNames

SECURITY_GROUP = "SecurityGroup"
# Blocks for the subnets of all zones. The first two are larger, because every Region has them.
BLOCKS = ("10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/19", "10.0.160.0/19", "10.0.192.0/19", "10.0.224.0/19")


def subnets() -> dict[str, Any]:
    """Return the subnets of the hosts."""
    made = [ref("Subnet0"), ref("Subnet1")]
    made += [when(has_zone(number), ref(f"Subnet{number}")) for number in range(2, MOST_ZONES)]
    return when(MAKES_NETWORK, made, ref("SubnetIds"))


def network(names: ResourceNames) -> TemplateResources:
    """Return a security group without ingress, and a VPC with public subnets that exists if none is given.

    The subnets are public because a host without a public address would need a NAT gateway, which costs by the hour
    and by the GB; the security group admits nothing. S3 is reached by a gateway endpoint, which is free.
    """
    tags = [{"Key": "Name", "Value": names.stack}]
    resources: TemplateResources = {
        "Vpc": {
            "Type": "AWS::EC2::VPC",
            "Properties": {
                "CidrBlock": "10.0.0.0/16",
                "EnableDnsSupport": True,
                "EnableDnsHostnames": True,
                "Tags": tags,
            },
        },
        "InternetGateway": {"Type": "AWS::EC2::InternetGateway", "Properties": {"Tags": tags}},
        "InternetGatewayAttachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": ref("Vpc"), "InternetGatewayId": ref("InternetGateway")},
        },
        "RouteTable": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc")}},
        "InternetRoute": {
            "Type": "AWS::EC2::Route",
            "DependsOn": "InternetGatewayAttachment",
            "Properties": {
                "RouteTableId": ref("RouteTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": ref("InternetGateway"),
            },
        },
        "S3Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": ref("Vpc"),
                "VpcEndpointType": "Gateway",
                "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"),
                "RouteTableIds": [ref("RouteTable")],
            },
        },
    }
    for number in range(MOST_ZONES):
        resources |= _subnet(number)
    for resource in resources.values():
        resource.setdefault("Condition", MAKES_NETWORK)
    return {**resources, SECURITY_GROUP: _security_group()}


def _subnet(number: int) -> TemplateResources:
    """Return the subnet in an element of Zones; without Zones, there are two subnets in the Region's first zones."""
    place = zone(number)
    condition = {"Condition": has_zone(number)}
    if number < 2:
        place, condition = when(has_zone(1), place, {"Fn::Select": [number, {"Fn::GetAZs": ""}]}), {}
    return {
        f"Subnet{number}": {
            "Type": "AWS::EC2::Subnet",
            **condition,
            "Properties": {
                "VpcId": ref("Vpc"),
                "CidrBlock": BLOCKS[number],
                "AvailabilityZone": place,
                "MapPublicIpOnLaunch": True,
            },
        },
        f"Subnet{number}Routes": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            **condition,
            "Properties": {"SubnetId": ref(f"Subnet{number}"), "RouteTableId": ref("RouteTable")},
        },
    }


def _security_group() -> dict[str, Any]:
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "Hosts of tasks: nothing comes in, HTTPS goes out",
            "VpcId": when(MAKES_NETWORK, ref("Vpc"), ref("VpcId")),
            "SecurityGroupEgress": [{**https, "Description": "AWS's APIs, images, packages"}],
        },
    }
