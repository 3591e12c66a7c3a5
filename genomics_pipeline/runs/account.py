"""The account of a stack or a run: quotas that are too low, and service-linked roles that are missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genomics_pipeline.aws.account import applied_quota, missing_service_roles
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.quotas import Quota


@dataclass(frozen=True, slots=True)
class AccountNeed:
    """The use that a stack or a run may make of an account at a time.

    Attributes:
        user: The user of it, for messages.
        vcpus: vCPUs of Spot hosts, and as many of On-Demand hosts.
        largest_job: vCPUs of the largest job.
        executions: Executions, child executions included.
        map_runs: Map Runs.
    """

    user: str
    vcpus: int
    largest_job: int
    executions: int = 1
    map_runs: int = 1

    def by_quota(self) -> dict[Quota, int]:
        """Return the need by quota."""
        return {
            quotas.SPOT_VCPUS: self.vcpus,
            quotas.ON_DEMAND_VCPUS: self.vcpus,
            quotas.OPEN_MAP_RUNS: self.map_runs,
            quotas.OPEN_EXECUTIONS: self.executions,
        }


def run_need(pipeline: Pipeline, counts: Mapping[str, int], most_vcpus: int) -> AccountNeed:
    """Return the use that a run may make of an account.

    Args:
        pipeline: The pipeline.
        counts: The number of items by scope.
        most_vcpus: The greatest number of vCPUs of the stack's Spot hosts.
    """
    vcpus, executions, map_runs = 0, 1, 1
    for stage in pipeline.stages:
        children = 1
        if declared := pipeline.maps.get(stage.scope):
            batches = math.ceil(counts.get(stage.scope, 0) / (declared.items_per_batch or 1))
            parts = declared.parts(counts.get(stage.scope, 0)) or 1
            children = min(batches, (declared.max_concurrency or batches) * parts)
            map_runs = max(map_runs, parts)
            executions = max(executions, 1 + children)
        vcpus = max(vcpus, children * stage.step.resources.vcpus)
    largest = max(stage.step.resources.vcpus for stage in pipeline.stages)
    return AccountNeed("the run", min(vcpus, most_vcpus), largest, executions, map_runs)


def account_notes(need: AccountNeed, clients: Clients) -> Iterator[str]:
    """Yield what the account lacks, with the commands that request it; what cannot be read is a note as well.

    Args:
        need: What is to be used.
        clients: The AWS clients.
    """
    try:
        for quota, wanted in need.by_quota().items():
            value = applied_quota(quota, clients)
            if value is not None and value < wanted:
                yield _quota_note(quota, value, wanted, need)
    except RunError as error:
        yield f"quotas of the account were not checked: {error}"
    try:
        for role in missing_service_roles(clients):
            yield f"account: expected the role {role.name} ({role.use}), found none; to create it: {role.command}"
    except RunError as error:
        yield f"service-linked roles of the account were not checked: {error}"


def _quota_note(quota: Quota, value: int, wanted: int, need: AccountNeed) -> str:
    found = (
        f"quota of the account: {need.user} may use {wanted:,} {quota.unit} ({quota.operation}), allowed are {value:,}"
    )
    effect = f"at most {value:,} at a time"
    if quota.unit == quotas.SPOT_VCPUS.unit and value < need.largest_job:
        effect = f"jobs of {need.largest_job} would wait until they are cancelled"
    if not quota.adjustable:
        return f"{found}: {effect}; AWS does not raise it"
    request = "aws service-quotas request-service-quota-increase"
    command = f"{request} --service-code {quota.service} --quota-code {quota.code} --desired-value {wanted}"
    return f"{found}: {effect}; to request more: {command}"
