"""Execution environments that are containers of a function's image, one for each call at a time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.containers.container_engine import ContainerEngine, options
from genomics_pipeline.runs.containers.jobs import RUN_LABEL
from genomics_pipeline.runs.containers.mounts import aws_options, read_only
from genomics_pipeline.runs.functions.environment import (
    KILLED,
    EnvironmentEnded,
    FunctionAnswer,
    FunctionCall,
    LocalFunction,
)
from genomics_pipeline.runs.functions.runtime_api import RuntimeApi
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.process_groups import GROUPS

_END_S = 10.0
_TMP = "/tmp"  # noqa: S108 - of a container: the only folder that a function can write to
_USER = 10001  # of the images, for a user who is root here


@dataclass(frozen=True, slots=True)
class FunctionContainers:
    """The containers of a run's functions.

    Attributes:
        engine: The container engine.
        images: The names of the images by function.
        run: The folder of the run, by which its containers are found.
        values: The values of parameters, whose files the containers may read.
        home: The user's home folder, which has the configuration of the AWS tools; None for a user id without one.
        logs: The log of each function.
    """

    engine: ContainerEngine
    images: Mapping[str, str]
    run: Path
    values: list[object]
    home: Path | None
    logs: Mapping[str, Path]

    def start(self, function: LocalFunction) -> ContainerEnvironment:
        """Start the container of an environment; implements `StartEnvironment`."""
        return ContainerEnvironment(self, function)


class ContainerEnvironment:
    """An environment in a container, below a Runtime API of its own; see `ExecutionEnvironment`.

    Args:
        containers: The containers of the run.
        function: The function.
    """

    def __init__(self, containers: FunctionContainers, function: LocalFunction) -> None:
        self._engine = containers.engine
        self._name = f"genomics-pipeline-{uuid4().hex}"
        self._api = RuntimeApi(f"{ARN.replace(':states:', ':lambda:')}:function:{function.name}")
        self._held = ExitStack()
        self._held.callback(self._api.close)
        log = containers.logs[function.name]
        make_folders(log.parent)
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [self._engine.program, *self._arguments(containers, function)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._engine.environment,
                process_group=0,
            )
        self._held.enter_context(GROUPS.running(self._process.pid))

    def _arguments(self, containers: FunctionContainers, function: LocalFunction) -> list[str]:
        resources = function.step.spec.resources
        # The names are Lambda's, see its developer guide, "Defined runtime environment variables".
        environment = {
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(resources.memory_mib),
            "HOME": _TMP,
            "TMPDIR": _TMP,
        }
        remote = "s3://" in json.dumps(containers.values)
        return [
            "run",
            f"--name={self._name}",
            f"--label={RUN_LABEL}={containers.run}",
            "--read-only",
            f"--tmpfs={_TMP}:rw,exec,mode=1777,size={resources.ephemeral_storage_mib}m",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--network=host",  # for the Runtime API, at the loopback interface of this machine
            *(aws_options(self._engine.environment, containers.home, Path(_TMP)) if remote else []),
            f"--user={os.getuid() or _USER}:{os.getgid() or _USER}",
            f"--memory={resources.memory_mib}m",
            f"--memory-swap={resources.memory_mib}m",
            *options({"--env": [f"{name}={value}" for name, value in environment.items()]}),
            *options({"--mount": read_only(containers.values, containers.run)}),
            containers.images[function.name],
        ]

    def invoke(self, call: FunctionCall) -> FunctionAnswer:
        """Run a call."""
        return self._api.invoke(call, self._refuse_dead)

    def is_running(self) -> bool:
        """Return whether the container runs."""
        return self._process.poll() is None

    def _refuse_dead(self) -> None:
        code = self._process.poll()
        if code is None:
            return
        if self._engine.was_killed_for_memory(self._name):
            raise EnvironmentEnded(KILLED, out_of_memory=True)
        raise EnvironmentEnded(KILLED if code == 137 else f"exit status {code}")

    def end(self) -> None:
        """Remove the container."""
        with suppress(RunError):  # `jobs.end_containers` of a later execution removes it
            self._engine.run("rm", "--force", "--volumes", self._name)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._held.close()
