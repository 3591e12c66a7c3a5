"""EC2's instance types: those that a stack uses by default, and what EC2 offers in a Region."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.hosts import HostType
from genomics_pipeline.prices.load import shipped_prices

FILTER_VALUES = 200  # of one filter: EC2 API reference, "Filtering"
STORAGE_OPTIMIZED = "i"  # whose large disks no step needs


def on_demand_usd_per_vcpu_hour(types: Sequence[HostType]) -> tuple[float, str] | None:
    """Return the highest On-Demand price of a vCPU among instance types, in us-east-1, and its date.

    Returns:
        The price and the date; None if none is known.

    >>> on_demand_usd_per_vcpu_hour([one for one in default_host_types() if one.family == "c6id"])
    (0.0504, '2026-07-20')
    """
    hosts = shipped_prices().hosts
    known = ((hosts[one.name].on_demand, one.vcpus) for one in types if one.name in hosts)
    return max(((price.value / vcpus, price.date) for price, vcpus in known), default=None)


@cache
def default_host_types() -> tuple[HostType, ...]:
    """Return the instance types that a stack uses unless others are named: those with prices and NVMe disks."""
    hosts = (priced.host for priced in shipped_prices().hosts.values())
    return tuple(one for one in hosts if one.store_gb and not one.family.startswith(STORAGE_OPTIMIZED))


def default_families(architecture: Architecture) -> list[str]:
    """Return the families of the default instance types of an architecture, in the order of the data.

    >>> default_families(Architecture.ARM64)
    ['c6gd', 'm6gd', 'c7gd', 'm7gd', 'r7gd', 'c8gd', 'm8gd']
    """
    return list(dict.fromkeys(one.family for one in default_host_types() if one.architecture is architecture))


def offered_host_types(types: Sequence[str], clients: Clients) -> list[HostType]:
    """Return the instance types that EC2 offers in the Region, in the order of the given names.

    Args:
        types: Instance types, or families for all of their types without bare metal.
        clients: The AWS clients.

    Raises:
        RunError: if a call fails.
    """
    names = [name if "." in name else f"{name}.*" for name in dict.fromkeys(types)]
    found: list[HostType] = []
    paginator = clients.ec2.get_paginator("describe_instance_types")
    for start in range(0, len(names), FILTER_VALUES):
        some = {"Name": "instance-type", "Values": names[start : start + FILTER_VALUES]}
        with aws_call("describe the instance types of the Region"):
            pages = paginator.paginate(Filters=[some, {"Name": "bare-metal", "Values": ["false"]}])
            found += [_host_type(one) for page in pages for one in page["InstanceTypes"]]
    order = {name.partition(".")[0]: number for number, name in reversed(list(enumerate(names)))}
    return sorted(found, key=lambda one: (order[one.family], one.vcpus, one.name))


def _host_type(described: dict[str, Any]) -> HostType:
    architectures = described["ProcessorInfo"]["SupportedArchitectures"]
    return HostType(
        described["InstanceType"],
        described["VCpuInfo"]["DefaultVCpus"],
        described["MemoryInfo"]["SizeInMiB"],
        described.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        Architecture.ARM64 if Architecture.ARM64 in architectures else Architecture.X86_64,
    )


def zones(clients: Clients) -> list[str]:
    """Return the names of the Region's Availability Zones that are open to the account, sorted; no Local Zones.

    Raises:
        RunError: if the call fails.
    """
    with aws_call("describe the Availability Zones of the Region"):
        described = clients.ec2.describe_availability_zones(
            Filters=[
                {"Name": "zone-type", "Values": ["availability-zone"]},
                {"Name": "state", "Values": ["available"]},
            ]
        )
    return sorted(one["ZoneName"] for one in described["AvailabilityZones"])
