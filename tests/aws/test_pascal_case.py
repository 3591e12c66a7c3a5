"""Names of arguments of a Task and of the service, by the service's model."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.aws.pascal_case import UnknownMember, from_service, to_service
from tests.fakes.shapes import operation


def shape(name: str) -> Any:
    return operation("batch", name).input_shape


def test_members_are_renamed_and_a_users_own_keys_are_not() -> None:
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


def test_an_argument_that_the_service_does_not_have() -> None:
    with pytest.raises(UnknownMember, match=r"^jobName$"):
        to_service(shape("SubmitJob"), {"jobName": "j"})


def test_what_has_another_type_is_left_to_the_service() -> None:
    assert to_service(shape("SubmitJob"), {"JobName": 1, "DependsOn": "a"}) == {"jobName": 1, "dependsOn": "a"}
