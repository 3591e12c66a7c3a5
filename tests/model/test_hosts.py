"""Hosts with the disk that steps declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.instance_types import default_families, default_host_types, offered_host_types
from genomics_pipeline.model.architecture import Architecture, host_architecture
from genomics_pipeline.model.hosts import SYSTEM_GIB, HostChoice, HostType
from genomics_pipeline.model.step import Resources, StepSpec
from genomics_pipeline.runs.catalog import load_step, step_names


def step(name: str, vcpus: int, disk_gib: int) -> StepSpec:
    return replace(load_step("gather").spec, name=name, resources=Resources(vcpus=vcpus, disk_gib=disk_gib))


def host(name: str, vcpus: int, store_gb: int) -> HostType:
    return HostType(name, vcpus, vcpus << 11, store_gb, Architecture.X86_64)


def test_a_host_full_of_jobs_has_the_disk_for_all_of_them() -> None:
    steps = [step("wide", 8, 100), step("dense", 2, 100)]
    hosts = [host("c5d.large", 2, 50), host("c6id.large", 2, 118), host("c6id.2xlarge", 8, 474)]
    choice = HostChoice(steps, 30, hosts)
    assert [one.name for one in choice.kept] == ["c6id.large", "c6id.2xlarge"]
    assert list(choice.arithmetic()) == [
        "disk: dense declares 100 GiB for 2 vCPUs, so that hosts need 50 GiB for each vCPU",
        "  left out c5d: the 2 vCPUs of c5d.large need 100 GiB, and its instance store has 45",
    ]


def test_without_an_instance_store_the_volume_decides() -> None:
    hosts = [host("c7i.large", 2, 0), host("c7i.xlarge", 4, 0)]
    choice = HostChoice([step("dense", 2, 100)], 100 + SYSTEM_GIB, hosts)
    assert [one.name for one in choice.kept] == ["c7i.large"]
    assert list(choice.arithmetic())[1] == (
        "  left out c7i.xlarge: the 4 vCPUs of c7i.xlarge need 200 GiB, and its VolumeGiB=112 has 100"
    )
    assert HostChoice([step("dense", 2, 100)], 200 + SYSTEM_GIB, hosts).left_out == []


@pytest.mark.parametrize("architecture", Architecture)
def test_default_hosts_have_the_disk_and_memory_of_the_shipped_steps(architecture: Architecture) -> None:
    steps = [load_step(name).spec for name in step_names()]
    types = [one for one in default_host_types() if one.architecture is architecture]
    kept = HostChoice(steps, 30, types).kept
    for each in steps:
        for memory in each.resources.memory_ladder:
            fitting = [one for one in kept if one.vcpus >= each.resources.vcpus and one.memory_mib * 0.9 >= memory]
            assert len(fitting) >= 3, (each.name, memory)  # several Spot pools, the largest rung too


def test_the_data_agree_with_the_names() -> None:
    assert {one.architecture for one in default_host_types()} == set(Architecture)
    for one in default_host_types():
        assert host_architecture(one.name) is one.architecture
        assert one.store_gb > 0
    assert {"c7gd", "m7gd", "r7gd", "c8gd"} <= set(default_families(Architecture.ARM64))


class Ec2:
    """EC2, which offers every type that a filter of at most 200 values names."""

    @property
    def ec2(self) -> Ec2:
        return self

    def get_paginator(self, operation: str) -> Ec2:
        assert operation == "describe_instance_types"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        values = request["Filters"][0]["Values"]
        assert len(values) <= 200
        facts = {
            "VCpuInfo": {"DefaultVCpus": 2},
            "MemoryInfo": {"SizeInMiB": 4096},
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        }
        yield {"InstanceTypes": [{"InstanceType": value, **facts} for value in values]}


def test_no_named_type_is_left_out_for_their_number() -> None:
    names = [f"c{number}.large" for number in range(401)]
    assert [one.name for one in offered_host_types(names, cast(Clients, Ec2()))] == names
