"""Images for another processor than this machine's, whose builds run programs of that processor."""

from __future__ import annotations

import sys
from pathlib import Path

from genomics_pipeline.aws.deployment import find_deployment
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.containers.container_engine import INSTALL_EMULATOR, ContainerEngine
from genomics_pipeline.runs.containers.images import this_architecture

HANDLERS = Path("/proc/sys/fs/binfmt_misc")  # Linux's list of interpreters of programs that it cannot run itself


def emulation_note(hosts: Architecture, here: Architecture) -> str:
    """Return a note for who builds images here for hosts of another architecture; empty for the same one.

    >>> emulation_note(Architecture.ARM64, Architecture.ARM64)
    ''
    """
    if hosts is here:
        return ""
    return (
        f"the hosts are {hosts} and this machine is {here}: `containers push` builds the images by emulation, some ten "
        f"times slower; {INSTALL_EMULATOR}, or run it on a machine of {hosts}"
    )


def describe_builds(stack: str, adapters: Adapters, handlers: Path = HANDLERS) -> str:
    """Return how the images of a deployed stack are built on this machine.

    Args:
        stack: The name of the stack.
        adapters: The AWS clients and the environment of the container engine.
        handlers: The folder of Linux's handlers of foreign programs.

    Raises:
        RunError: if there is no container engine or no such stack, or the engine cannot run programs of its hosts.
    """
    ContainerEngine(adapters.environment)
    hosts, here = find_deployment(stack, adapters.clients).architecture, this_architecture()
    if hosts is here:
        return f"for {hosts}, the processors of the stack {stack} and of this machine"
    # The engines of other systems than Linux bring an emulator in their virtual machine.
    if sys.platform == "linux" and not (handlers / f"qemu-{hosts.wheels}").exists():
        raise RunError(
            f"stack {stack}: expected an emulator of {hosts}, its hosts' processors, on this machine of {here}, found "
            f"none; {INSTALL_EMULATOR}, or run `containers push` on a machine of {hosts}"
        )
    return f"for {hosts}, the processors of the stack {stack}, by emulation on this machine of {here}"
