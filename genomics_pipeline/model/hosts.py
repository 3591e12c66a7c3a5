"""Hosts of jobs, and which of their types have the disk that steps declare.

Batch places jobs on a host by vCPUs and memory, never by disk, so that a host can be full of jobs of the step that
needs the most disk for each vCPU. A type is used if its scratch is large enough for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.step import StepSpec

SYSTEM_GIB = 12  # of a host's EBS volume, which jobs cannot use: the system and the images
FILE_SYSTEM = Fraction(98, 100)  # of an instance store, what XFS leaves for files


@dataclass(frozen=True, slots=True)
class HostType:
    """An instance type.

    Attributes:
        name: The name, ``c7gd.4xlarge``.
        vcpus: The vCPUs.
        memory_mib: The memory in MiB.
        store_gb: The sum of its instance-store disks in GB; 0 without.
        architecture: The processor architecture.
    """

    name: str
    vcpus: int
    memory_mib: int
    store_gb: int
    architecture: Architecture

    @property
    def family(self) -> str:
        """Return the family, ``c7gd``."""
        return self.name.partition(".")[0]

    def scratch_gib(self, volume_gib: int) -> int:
        """Return the disk of its jobs: the instance store, or without one, what the system leaves of the EBS volume.

        >>> c6id = HostType("c6id.2xlarge", 8, 16384, 474, Architecture.X86_64)
        >>> c7i = HostType("c7i.2xlarge", 8, 16384, 0, Architecture.X86_64)
        >>> c6id.scratch_gib(30), c7i.scratch_gib(30)
        (432, 18)
        """
        if self.store_gb:
            return int(self.store_gb * 10**9 * FILE_SYSTEM / 2**30)
        return max(0, volume_gib - SYSTEM_GIB)


@dataclass(frozen=True, slots=True)
class HostChoice:
    """The types that have the disk for all steps, and those that do not.

    Attributes:
        steps: The steps.
        volume_gib: The size of each host's EBS volume.
        types: The types in question.
    """

    steps: Sequence[StepSpec]
    volume_gib: int
    types: Sequence[HostType]

    @property
    def densest(self) -> StepSpec:
        """Return the step that declares the most disk for each vCPU."""
        return max(self.steps, key=_disk_gib_per_vcpu)

    def need_gib(self, host: HostType) -> int:
        """Return the disk that a host needs when it is full of jobs of the densest step."""
        if not self.steps:
            return 0
        step = self.densest.resources
        return -(-host.vcpus * step.disk_gib // step.vcpus)

    def _fits(self, host: HostType) -> bool:
        return host.scratch_gib(self.volume_gib) >= self.need_gib(host)

    @property
    def kept(self) -> list[HostType]:
        """Return the types that have the disk."""
        return [host for host in self.types if self._fits(host)]

    @property
    def left_out(self) -> list[HostType]:
        """Return the types that lack the disk."""
        return [host for host in self.types if not self._fits(host)]

    def arithmetic(self) -> Iterator[str]:
        """Yield a line that says what the hosts need, and one for each family with types that are left out."""
        if not self.left_out:
            return
        step = self.densest
        need = Fraction(step.resources.disk_gib, step.resources.vcpus)
        yield (
            f"disk: {step.name} declares {step.resources.disk_gib} GiB for {step.resources.vcpus} vCPUs, so that hosts "
            f"need {float(need):.4g} GiB for each vCPU"
        )
        for family, hosts in groupby(self.left_out, key=lambda host: host.family):
            some = list(hosts)
            is_whole = not any(host.family == family for host in self.kept)
            subject = family if is_whole else ", ".join(host.name for host in some)
            example = some[-1]
            place = "instance store" if example.store_gb else f"VolumeGiB={self.volume_gib}"
            yield (
                f"  left out {subject}: the {example.vcpus} vCPUs of {example.name} need {self.need_gib(example)} GiB, "
                f"and its {place} has {example.scratch_gib(self.volume_gib)}"
            )


def _disk_gib_per_vcpu(step: StepSpec) -> Fraction:
    return Fraction(step.resources.disk_gib, step.resources.vcpus)
