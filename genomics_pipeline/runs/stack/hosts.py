"""The choice of a deployment's hosts: instance types that the Region has, with the disk of every step; and zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import ARCHITECTURE
from genomics_pipeline.aws.instance_types import (
    default_families,
    offered_host_types,
    on_demand_usd_per_vcpu_hour,
    zones,
)
from genomics_pipeline.aws.template.parameters import MOST_ZONES, PARAMETERS
from genomics_pipeline.model.architecture import Architecture, host_architecture
from genomics_pipeline.model.errors import Problem, UsageError
from genomics_pipeline.model.hosts import HostType
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.prices.load import SHIPPED_REGION
from genomics_pipeline.runs.stack.template import StackTemplate


@dataclass(frozen=True, slots=True)
class HostPlan:
    """The parameters that `deploy` sets, and what led to them.

    Attributes:
        parameters: The values by name.
        lines: The arithmetic, for the user.
    """

    parameters: Mapping[str, str]
    lines: Sequence[str]


def plan_hosts(
    plan: StackTemplate, parameters: Mapping[str, str], previous: Mapping[str, str], clients: Clients
) -> HostPlan:
    """Choose the instance types and the zones of a deployment; none where no step is a job.

    Args:
        plan: The template of the stack.
        parameters: New values of parameters.
        previous: The values that the stack has.
        clients: The AWS clients.

    Raises:
        UsageError: for types of another architecture or of another Region, or without the disk of the steps.
        RunError: if AWS refuses.
    """
    if not plan.has_jobs:
        return HostPlan({}, ())
    values = {name: str(spec["Default"]) for name, spec in PARAMETERS.items()} | {**previous, **parameters}
    architecture = Architecture(values[ARCHITECTURE])
    named = [name.strip() for name in values["InstanceTypes"].split(",") if name.strip()]
    _refuse_types(named, architecture)
    wanted = named or default_families(architecture)
    choice = plan.host_choice(offered_host_types(wanted, clients), int(values["VolumeGiB"]))
    found = {name for host in choice.types for name in (host.name, host.family)}
    absent = [name for name in wanted if name not in found]
    lines = [f"not in this Region: {', '.join(absent)}"] if absent else []
    lines += choice.arithmetic()
    if not choice.kept:
        advice = "name others by --parameter InstanceTypes=… (i4i and i7ie have large disks, i4g and im4gn of arm64), "
        advice += "or a larger VolumeGiB for types without instance store"
        problem = f"hosts: expected instance types with the disk of every step, found none; {advice}"
        raise UsageError([Problem(problem), *map(Problem, lines)])
    families = ", ".join(dict.fromkeys(host.family for host in choice.kept))
    lines.append(f"hosts of {architecture}: {quantity(len(choice.kept), 'instance type')} of {families}")
    lines.append(_most_vcpus(int(values["MaxVcpus"]), choice.kept))
    chosen = {"HostTypes": ",".join(host.name for host in choice.kept)}
    # Zones that the stack has stay: another order would replace its subnets.
    if not values["VpcId"] and not values["Zones"]:
        chosen["Zones"] = ",".join(zones(clients)[:MOST_ZONES])
    return HostPlan(chosen, lines)


def _most_vcpus(most: int, hosts: Sequence[HostType]) -> str:
    """Return what MaxVcpus allows at a time, and its price."""
    line = f"MaxVcpus={most}: at most {most} vCPUs of Spot hosts and {most} On-Demand at a time"
    if (found := on_demand_usd_per_vcpu_hour(hosts)) is None:
        return line
    price, date = found
    return f"{line}; On-Demand they cost up to ${most * price:,.2f} an hour ({SHIPPED_REGION}, {date})"


def _refuse_types(named: Sequence[str], architecture: Architecture) -> None:
    """Refuse instance types of another architecture, and those that only Batch can resolve.

    Raises:
        UsageError: with all of them.
    """
    problems = []
    for name in named:
        found = host_architecture(name)
        if found is None:
            expected = "expected an instance type or family, such as c6id or m7gd.4xlarge"
            problems.append(Problem(f"InstanceTypes: {expected}, found {name!r}"))
        elif found is not architecture:
            advice = f"set Architecture={found}, or InstanceTypes= for the default types"
            problems.append(
                Problem(f"InstanceTypes: expected hosts of {architecture}, found {name} of {found}; {advice}")
            )
    if problems:
        raise UsageError(problems)
