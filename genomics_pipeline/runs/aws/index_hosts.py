"""The hosts of a stack that are large enough for a job that builds indexes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.instance_types import default_families, default_host_types, offered_host_types
from genomics_pipeline.aws.stack import describe, parameter_values
from genomics_pipeline.aws.template.parameters import PARAMETERS, most_vcpus
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.hosts import HostType
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.reference.index_needs import needed_memory_mib

MARGIN = Fraction(105, 100)  # of the memory that was measured
BASE_MIB = 1024  # of Python, its libraries and transfers
# What the kernel and the ECS agent leave to jobs: Batch user guide, "Compute resource memory management".
USABLE = Fraction(94, 100)
COPIES = 2  # of the FASTA file: as it is stored, and plain


@dataclass(frozen=True, slots=True)
class HostNeed:
    """The requirements of a job on its host.

    Attributes:
        memory_mib: The memory of the job.
        disk_gib: The disk of its scratch folder.
    """

    memory_mib: int
    disk_gib: int


def host_need(kinds: Sequence[IndexKind], fasta_bytes: int) -> HostNeed:
    """Return the requirements of a job that builds some kinds of index.

    Args:
        kinds: The kinds.
        fasta_bytes: The size of the plain FASTA file.
    """
    memory = math.ceil(needed_memory_mib(kinds, fasta_bytes) * MARGIN) + BASE_MIB
    disk = COPIES * fasta_bytes + sum(kind.rate.file_bytes(fasta_bytes) for kind in kinds)
    return HostNeed(memory, math.ceil(disk / (1 << 30)))


def choose_hosts(
    need: HostNeed, stack: str, architecture: Architecture, clients: Clients, note: Callable[[str], None]
) -> None:
    """Show which hosts of a stack are large enough for a job; Batch takes one of them.

    Args:
        need: The requirements of the job.
        stack: The name of the stack.
        architecture: The architecture of its hosts.
        clients: The AWS clients.
        note: Shows a line of progress.

    Raises:
        DataError: if none is, with what to deploy.
    """
    values = {name: str(one["Default"]) for name, one in PARAMETERS.items()}
    values |= parameter_values(describe(stack, clients))
    volume, most = int(values["VolumeGiB"]), most_vcpus(values)
    hosts = _hosts(values, architecture, clients)
    large = [host for host in hosts if _fits(host, need, volume)]
    demand = f"a job with {need.memory_mib:,} MiB of memory and {need.disk_gib:,} GiB of disk"
    if fitting := [host for host in large if host.vcpus <= most]:
        smallest = min(fitting, key=lambda host: (host.memory_mib, host.vcpus))
        note(f"index: {demand}, on a host such as {smallest.name} of the stack {stack}")
        return
    leave_out = "or leave minibwa out (--kind bwa): runs then use bwa"
    if large:
        vcpus = min(host.vcpus for host in large)
        advice = f"deploy with --max-vcpus {vcpus}, {leave_out}"
        raise DataError(f"stack {stack}: {demand} needs a host of {vcpus} vCPUs, found MaxVcpus={most}; {advice}")
    largest = max(hosts, key=lambda host: host.memory_mib, default=None)
    found = "none" if largest is None else _described(largest, volume)
    advice = f"deploy with {_advice(need, architecture, values['InstanceTypes'])}, {leave_out}"
    raise DataError(f"stack {stack}: expected a host that is large enough for {demand}, found {found}; {advice}")


def _fits(host: HostType, need: HostNeed, volume_gib: int) -> bool:
    return host.memory_mib * USABLE >= need.memory_mib and host.scratch_gib(volume_gib) >= need.disk_gib


def _described(host: HostType, volume_gib: int) -> str:
    return f"at most {host.name} with {host.memory_mib:,} MiB and {host.scratch_gib(volume_gib):,} GiB"


def _hosts(values: dict[str, str], architecture: Architecture, clients: Clients) -> list[HostType]:
    """Return the instance types that the stack uses: those that `deploy` chose, else those that the user named."""
    names = [name.strip() for name in (values["HostTypes"] or values["InstanceTypes"]).split(",") if name.strip()]
    names = names or default_families(architecture)
    known = [host for host in default_host_types() if host.architecture is architecture]
    found = [host for host in known if host.name in names or host.family in names]
    unknown = [name for name in names if all(name not in (host.name, host.family) for host in known)]
    return [*found, *(offered_host_types(unknown, clients) if unknown else ())]


def _advice(need: HostNeed, architecture: Architecture, named: str) -> str:
    """Return the option of `deploy` that adds the smallest of the known types that is large enough."""
    fitting = [host for host in default_host_types() if host.architecture is architecture and _fits(host, need, 0)]
    if not fitting:
        return "larger types by --parameter InstanceTypes=…"
    smallest = min(fitting, key=lambda host: (host.memory_mib, host.vcpus))
    kept = named.split(",") if named else default_families(architecture)
    more = [] if smallest.family in kept else [smallest.name]
    return f"--parameter InstanceTypes={','.join([*kept, *more])}"
