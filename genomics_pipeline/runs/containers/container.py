"""The container of a job, and the port to the programs that run containers."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.runs.containers.mounts import Mount


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a job.

    Attributes:
        name: Its name.
        image: The image.
        run: The folder of the run.
        scratch: The folder for its temporary files, on this machine and in the container.
        vcpus: Its cores.
        memory_mib: Its memory.
        variables: Its environment variables.
        passed: The names of variables of the user that it has, too.
        mounts: The files and folders that it sees, in their order; no others.
        has_network: Whether it has the network of this machine.
    """

    name: str
    image: str
    run: Path
    scratch: Path
    vcpus: int
    memory_mib: int
    variables: Mapping[str, str]
    passed: Sequence[str]
    mounts: Sequence[Mount]
    has_network: bool


class ContainerProgram(Protocol):
    """A program that runs containers: a container engine, or Apptainer."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the environment variables of the user."""

    def argv(self, container: Container) -> list[str]:
        """Return the command that runs a container to its end."""

    def variables(self, container: Container) -> Mapping[str, str]:
        """Return the environment variables of that command."""

    def stop(self, container: str, process: subprocess.Popen[str]) -> None:
        """Ask a container to end, and end it after the time that AWS Batch gives it.

        Args:
            container: Its name.
            process: The command that runs it.

        Raises:
            RunError: if it does not exist yet.
        """

    def end(self, container: str, code: int, errors: Sequence[str], log: str | None) -> JobEnd:
        """Remove a container that has ended, and return its end.

        Args:
            container: Its name.
            code: The exit code of the command.
            errors: The last lines of standard error.
            log: The log of the first item that is not done.
        """
