"""Containers of jobs by a container engine: docker or podman."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.containers.container import Container
from genomics_pipeline.runs.containers.container_engine import ContainerEngine, options
from genomics_pipeline.worker.program_log import error_message

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"  # the reason that AWS Batch gives
RUN_LABEL = "genomics-pipeline.run"


def end_containers(engine: ContainerEngine, run: Path) -> None:
    """End the containers of a run that a killed process left: a container does not end with its parent process.

    Args:
        engine: The container engine.
        run: The folder of the run.

    Raises:
        RunError: if the engine cannot end them.
    """
    leftovers = engine.run("ps", "--all", "--quiet", "--filter", f"label={RUN_LABEL}={run}").split()
    if leftovers:
        engine.run("rm", "--force", "--volumes", *leftovers)


class EngineContainers:
    """A `ContainerProgram` that is a container engine.

    Args:
        engine: The container engine.
    """

    def __init__(self, engine: ContainerEngine) -> None:
        self._engine = engine

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the environment variables of the user."""
        return self._engine.environment

    def argv(self, container: Container) -> list[str]:
        """Return the command that runs a container to its end."""
        return [
            self._engine.program,
            "run",
            f"--name={container.name}",
            f"--label={RUN_LABEL}={container.run}",
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            f"--network={'host' if container.has_network else 'none'}",
            f"--user={os.getuid()}:{os.getgid()}",
            f"--cpus={container.vcpus}",
            f"--memory={container.memory_mib}m",
            f"--memory-swap={container.memory_mib}m",
            *options({"--env": container.passed}),
            *options({"--env": [f"{name}={value}" for name, value in container.variables.items()]}),
            *options({"--mount": map(str, container.mounts)}),
            container.image,
        ]

    def variables(self, container: Container) -> Mapping[str, str]:
        """Return the environment variables of that command."""
        return self._engine.environment

    def stop(self, container: str, process: subprocess.Popen[str]) -> None:
        """Ask a container to end."""
        self._engine.run("stop", "-t", str(quotas.STOP_TIMEOUT.value), container)

    def end(self, container: str, code: int, errors: Sequence[str], log: str | None) -> JobEnd:
        """Remove a container, and return its end; the exit code is its own, or the engine's."""
        out_of_memory = self._engine.was_killed_for_memory(container)
        with suppress(RunError):  # `end_containers` of a later execution removes it
            self._engine.run("rm", "--force", "--volumes", container)
        if code == 0:
            return JobEnd(0)
        if out_of_memory:
            return JobEnd(code, OUT_OF_MEMORY, log)
        return JobEnd(code, error_message([line.rstrip() for line in errors]) or None, log)
