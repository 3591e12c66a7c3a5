"""Quotas and service-linked roles of a new account: what `deploy` and `submit --dry-run` say about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.core.exceptions import JsonRESTError
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend

from tests.fakes.deployed import Deployed

if TYPE_CHECKING:
    from tests.cli.conftest import Ended

Cli = Callable[..., "Ended"]
SPOT, ON_DEMAND, EXECUTIONS, MAP_RUNS = "L-34B43A08", "L-1216C47A", "L-B8A5B662", "L-15D902EC"
ENOUGH = {SPOT: 10_000.0, ON_DEMAND: 10_000.0, EXECUTIONS: 1e6, MAP_RUNS: 1000.0}
REQUEST = "aws service-quotas request-service-quota-increase --service-code"
ROLES = {"batch.amazonaws.com": "Batch", "spot.amazonaws.com": "EC2Spot", "ecs.amazonaws.com": "ECS"}

TRUST = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def account(aws: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Return the quotas of the account by code, which a test may change."""
    values = dict(ENOUGH)

    def get(self: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
        assert service_code == ("ec2" if quota_code in (SPOT, ON_DEMAND) else "states")
        if quota_code not in values:
            raise NoSuchResource
        return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": values[quota_code], "Adjustable": True}

    monkeypatch.setattr(ServiceQuotasBackend, "get_service_quota", get)
    return values


@pytest.fixture
def roles(cloudformation: str) -> None:
    """Let the account have all service-linked roles."""
    for service, name in ROLES.items():  # moto gives roles that it makes for services other names
        path = f"/aws-service-role/{service}/"
        boto3.client("iam").create_role(
            Path=path, RoleName=f"AWSServiceRoleFor{name}", AssumeRolePolicyDocument=json.dumps(TRUST)
        )


def notes(text: str) -> list[str]:
    return [line for line in text.splitlines() if "account" in line]


@pytest.mark.usefixtures("cloudformation")
def test_a_new_account_is_told_what_to_request_before_the_change_set(account: dict[str, float], cli: Cli) -> None:
    account |= {SPOT: 5.0, ON_DEMAND: 32.0}
    ended = cli("deploy", "--pipeline", "germline", "--parameter", "MaxVcpus=64", "--yes")
    assert ended.code == 0, ended.err
    spot, on_demand, *missing = notes(ended.out)
    assert spot.startswith("quota of the account: the stack may use 64 vCPUs (Spot hosts of standard families")
    assert "allowed are 5: jobs of 8 would wait until they are cancelled; to request more: " in spot
    assert spot.endswith(f"{REQUEST} ec2 --quota-code {SPOT} --desired-value 64")
    assert "allowed are 32: at most 32 at a time" in on_demand
    assert on_demand.endswith(f"--quota-code {ON_DEMAND} --desired-value 64")
    commands = [line.rpartition("to create it: ")[2] for line in missing]
    assert commands == [f"aws iam create-service-linked-role --aws-service-name {service}" for service in ROLES]
    assert ended.out.index(missing[0]) < ended.out.index("logical id")
    assert notes(cli("deploy", "--pipeline", "germline", "--yes").out)[0].count("may use 64 vCPUs")  # kept by the stack


@pytest.mark.usefixtures("roles")
def test_an_account_that_has_all_is_told_nothing(account: dict[str, float], cli: Cli) -> None:
    del account[MAP_RUNS]  # which Service Quotas does not list
    assert notes(cli("deploy", "--pipeline", "germline", "--yes").out) == []


@pytest.mark.usefixtures("cloudformation")
def test_quotas_that_may_not_be_read_are_a_note(
    account: dict[str, float], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "User: arn:aws:iam::1:user/ann is not authorized to perform: servicequotas:GetServiceQuota"

    def refuse(*_: object, **__: object) -> dict[str, Any]:
        raise JsonRESTError("AccessDeniedException", text)

    monkeypatch.setattr(ServiceQuotasBackend, "get_service_quota", refuse)
    ended = cli("deploy", "--pipeline", "germline", "--yes")
    assert ended.code == 0
    (note,) = (line for line in ended.out.splitlines() if "were not checked" in line)
    assert note.startswith(
        f"quotas of the account were not checked: cannot read the quota {SPOT} of ec2: access denied: the user ann "
        "lacks the right servicequotas:GetServiceQuota"
    )


def test_submit_compares_the_quotas_with_the_run(
    stack: Deployed, account: dict[str, float], reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", *(f"S{number}" for number in range(5)))
    account |= {SPOT: 16.0, EXECUTIONS: 3.0}
    ended = cli("submit", sheet, "--reference", reference, "--dry-run")
    assert ended.code == 0, ended.err
    warnings = [line for line in ended.err.splitlines() if line.startswith("warning: quota")]
    assert [line.rpartition(" --service-code ")[2] for line in warnings] == [
        f"ec2 --quota-code {SPOT} --desired-value 40",  # five alignments of 8 vCPUs
        f"states --quota-code {EXECUTIONS} --desired-value 6",
    ]
    assert "the run may use 40 vCPUs" in warnings[0]
    account |= {SPOT: 40.0, EXECUTIONS: 6.0}
    ended = cli("submit", sheet, "--reference", reference, "--dry-run")
    assert "warning: quota" not in ended.err
