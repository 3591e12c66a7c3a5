"""Execution environments that are containers of a function's image, one for each call at a time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.containers.container_engine import ContainerEngine, options
from genomics_pipeline.runs.containers.engine_containers import RUN_LABEL
from genomics_pipeline.runs.containers.mounts import Mount, aws_access, of_run, read_only
from genomics_pipeline.runs.functions.emulator import PROGRAM, Emulator
from genomics_pipeline.runs.functions.environment import (
    KILLED,
    EnvironmentEnded,
    FunctionAnswer,
    FunctionCall,
    LocalFunction,
)
from genomics_pipeline.runs.functions.runtime_api import RuntimeApi
from genomics_pipeline.runs.run_folder import BUCKET
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.process_groups import GROUPS

_END_S = 10.0
_TMP = "/tmp"  # noqa: S108 - of a container: the only folder that a function can write to
_USER = 10001  # of the images, for a user who is root here
_EMULATOR = Path("/aws-lambda", PROGRAM)  # in a container, as its documentation mounts it


def give_folders(run: Path, stages: Sequence[str]) -> None:
    """Give the folders in which functions write to the user of their containers, where that is not this user.

    Args:
        run: The folder of the run.
        stages: The stages over records.
    """
    if os.getuid():
        return
    for name in (*map(run_layout.batches_folder, stages), run_layout.RESULTS, run_layout.VERIFIED):
        make_folders(run / name)
        for folder, _, _ in os.walk(run / name):
            os.chown(folder, _USER, _USER, follow_symlinks=False)


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
        emulator: AWS's runtime interface emulator, through which calls are made; None for a Runtime API of ours.
    """

    engine: ContainerEngine
    images: Mapping[str, str]
    run: Path
    values: list[object]
    home: Path | None
    logs: Mapping[str, Path]
    emulator: Path | None = None

    def start(self, function: LocalFunction) -> ContainerEnvironment:
        """Start the container of an environment; implements `StartEnvironment`."""
        return ContainerEnvironment(self, function)


@dataclass(frozen=True, slots=True)
class _Calls:
    """The way of calls to a container.

    Attributes:
        server: The server that takes calls.
        variables: The environment variables of the container that are for it.
        options: The options of the container, likewise.
        command: The command of the container in place of the image's.
    """

    server: RuntimeApi | Emulator
    variables: Mapping[str, str]
    options: Sequence[str] = ()
    command: Sequence[str] = ()


class ContainerEnvironment:
    """An environment in a container, below a Runtime API or an emulator of its own; see `ExecutionEnvironment`.

    Args:
        containers: The containers of the run.
        function: The function.
    """

    def __init__(self, containers: FunctionContainers, function: LocalFunction) -> None:
        self._engine = containers.engine
        self._name = f"genomics-pipeline-{uuid4().hex}"
        self._held = ExitStack()
        if containers.emulator is None:
            calls = self._through_runtime_api(function)
        else:
            calls = self._through_emulator(containers.emulator, containers.images[function.name], function)
        self._server = calls.server
        log = containers.logs[function.name]
        make_folders(log.parent)
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [self._engine.program, *self._arguments(containers, function, calls)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._engine.environment,
                process_group=0,
            )
        self._held.enter_context(GROUPS.running(self._process.pid))

    def _through_runtime_api(self, function: LocalFunction) -> _Calls:
        api = RuntimeApi(f"{ARN.replace(':states:', ':lambda:')}:function:{function.name}")
        self._held.callback(api.close)
        return _Calls(api, {"AWS_LAMBDA_RUNTIME_API": api.address})

    def _through_emulator(self, program: Path, image: str, function: LocalFunction) -> _Calls:
        emulator, config = Emulator(), self._engine.inspect(image)["Config"]
        return _Calls(
            emulator,
            {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_s)},
            [f"--mount={Mount(_EMULATOR, program)}", f"--entrypoint={_EMULATOR}"],
            [*emulator.options, *config["Entrypoint"], *config["Cmd"]],
        )

    def _arguments(self, containers: FunctionContainers, function: LocalFunction, calls: _Calls) -> list[str]:
        resources, writes = function.step.spec.resources, function.step.spec.writes_files
        # The names are Lambda's, see its developer guide, "Defined runtime environment variables".
        environment = {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(resources.memory_mib),
            "HOME": _TMP,
            "TMPDIR": _TMP,
            **calls.variables,
            **({"GENOMICS_PIPELINE_BUCKETS": json.dumps({BUCKET: str(containers.run)})} if writes else {}),
        }
        remote = "s3://" in json.dumps(containers.values)
        names, access = aws_access(self._engine.environment, containers.home, Path(_TMP)) if remote else ([], [])
        return [
            "run",
            f"--name={self._name}",
            f"--label={RUN_LABEL}={containers.run}",
            "--read-only",
            f"--tmpfs={_TMP}:rw,exec,mode=1777,size={resources.ephemeral_storage_mib}m",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--network=host",  # for its server, at the loopback interface of this machine
            *options({"--env": names, "--mount": map(str, access)}),
            f"--user={os.getuid() or _USER}:{os.getgid() or _USER}",
            f"--memory={resources.memory_mib}m",
            f"--memory-swap={resources.memory_mib}m",
            *options({"--env": [f"{name}={value}" for name, value in environment.items()]}),
            *options({"--mount": map(str, read_only(containers.values, containers.run))}),
            *(options({"--mount": map(str, of_run(containers.run))}) if writes else []),
            *calls.options,
            containers.images[function.name],
            *calls.command,
        ]

    def invoke(self, call: FunctionCall) -> FunctionAnswer:
        """Run a call."""
        return self._server.invoke(call, self._refuse_dead)

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
