"""Processor architectures of hosts and images, each with its names in EC2, in wheels and in container engines."""

from __future__ import annotations

import re
from enum import StrEnum

# A family's name: letters, the generation, and attributes, of which `g` is Graviton (EC2 user guide, "Instance type
# naming conventions"). The family `a1` is older than the convention. GPUs are letters before the generation.
_FAMILY = re.compile(r"[a-z]+[0-9]+(?P<attributes>[a-z-]*)")


class Architecture(StrEnum):
    """A processor architecture, by its name in EC2."""

    X86_64 = "x86_64"
    ARM64 = "arm64"

    @property
    def wheels(self) -> str:
        """Return its name in the names of wheels, which is Linux's."""
        return "aarch64" if self is Architecture.ARM64 else "x86_64"

    @property
    def engine(self) -> str:
        """Return its name in container engines, which is Go's."""
        return "arm64" if self is Architecture.ARM64 else "amd64"

    @property
    def platform(self) -> str:
        """Return the platform of an image: the value of the engines' option ``--platform``."""
        return f"linux/{self.engine}"


def machine_architecture(machine: str) -> Architecture | None:
    """Return the architecture that an operating system or a container engine names; None for one without images.

    >>> [machine_architecture(name) for name in ("AMD64", "aarch64", "riscv64")]
    [<Architecture.X86_64: 'x86_64'>, <Architecture.ARM64: 'arm64'>, None]
    """
    names = {"x86_64": Architecture.X86_64, "amd64": Architecture.X86_64}
    return {**names, "aarch64": Architecture.ARM64, "arm64": Architecture.ARM64}.get(machine.lower())


def host_architecture(instance_type: str) -> Architecture | None:
    """Return the architecture of an instance type or a family; None for any other text.

    >>> [str(host_architecture(name)) for name in ("c7gd", "im4gn.4xlarge", "g4dn.xlarge", "a1", "optimal")]
    ['arm64', 'arm64', 'x86_64', 'arm64', 'None']
    """
    family = instance_type.partition(".")[0]
    parts = _FAMILY.fullmatch(family)
    if parts is None:
        return None
    is_arm = family == "a1" or "g" in parts["attributes"]
    return Architecture.ARM64 if is_arm else Architecture.X86_64
