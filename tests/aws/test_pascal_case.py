"""Conversion between the names of a Task's arguments and of the service, by the service's model."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.aws.pascal_case import UnknownMember, from_service, to_service
from tests.fakes.shapes import operation


def shape(name: str) -> Any:
    return operation("batch", name).input_shape


def test_members_are_renamed_but_not_a_users_keys() -> None:
    arguments = {
        "JobName": "j",
        "Parameters": {"inputFile": "a", "Codec": "b"},
        "ContainerOverrides": {"Environment": [{"Name": "n", "Value": "v"}]},
        "EksPropertiesOverride": {"PodProperties": {"Metadata": {"Labels": {"App": "x"}}}},
    }
    request = to_service(shape("SubmitJob"), arguments)
    assert request == {
        "jobName": "j",
        "parameters": {"inputFile": "a", "Codec": "b"},
        "containerOverrides": {"environment": [{"name": "n", "value": "v"}]},
        "eksPropertiesOverride": {"podProperties": {"metadata": {"labels": {"App": "x"}}}},
    }
    assert from_service(shape("SubmitJob"), request) == arguments


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(UnknownMember, match=r"^jobName$"):
        to_service(shape("SubmitJob"), {"jobName": "j"})


def test_values_of_another_type_are_left_to_the_service() -> None:
    assert to_service(shape("SubmitJob"), {"JobName": 1, "DependsOn": "a"}) == {"jobName": 1, "dependsOn": "a"}
