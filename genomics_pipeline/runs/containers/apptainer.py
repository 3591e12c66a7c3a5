"""Containers of jobs by Apptainer, or Singularity, whose options are the same: as the user, without a daemon.

Its options: apptainer-exec(1). Variables are given as ``APPTAINERENV_NAME``, which neither splits values at commas, as
``--env`` does, nor shows them in a list of processes. An image cannot be written to, and no program gets new
privileges. The memory of a job is limited by Slurm, not by Apptainer, which would need rights to make control groups.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.engine.tasks.job import JobEnd
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.containers.container import Container
from genomics_pipeline.runs.containers.container_engine import options
from genomics_pipeline.runs.containers.mounts import Mount, csv_row
from genomics_pipeline.stores.publish import make_folders
from genomics_pipeline.worker.program_log import error_message

PROGRAMS = ("apptainer", "singularity")
ENTRY_POINT = ("/opt/genomics-pipeline/bin/python", "-P", "-m", "genomics_pipeline.worker")  # of the images
FAILED = 255  # the exit code of Apptainer itself
EMPTY = "empty"  # the folder in a scratch folder that hides what a container shall not see
# Variables that are for Apptainer itself; others would add mounts and options to those of a job.
_KEPT = re.compile(r"(APPTAINER|SINGULARITY)_(CACHEDIR|TMPDIR|CONFIGDIR|AUTHFILE|DOCKER_USERNAME|DOCKER_PASSWORD)")
_OWN = ("APPTAINER", "SINGULARITY")
# Words of Apptainer's errors, with the reason in the words of AWS Batch, and what to do. Sources: apptainer/apptainer,
# issues 778, 1033, 2121, 2455 and 2458.
_CAUSES = (
    (
        re.compile(r"user namespace|max_user_namespaces|newuidmap|setgroups|operation not permitted", re.IGNORECASE),
        "CannotStartContainerError",
        "users cannot run containers here: the administrator allows user namespaces, or installs apptainer-suid",
    ),
    (
        re.compile(r"squashfs|fuse|loop device|superblock", re.IGNORECASE),
        "CannotStartContainerError",
        "the image cannot be mounted: squashfuse or FUSE is missing, or the file is damaged: remove it, and rerun",
    ),
    (
        re.compile(r"no such file|not found|does not exist|could not open image", re.IGNORECASE),
        "CannotPullContainerError",
        "the image is not there: the cache must be on a file system that all nodes have",
    ),
)


class Apptainer:
    """A `ContainerProgram` that is Apptainer.

    Args:
        environment: The environment variables of the user.

    Raises:
        RunError: if it is not installed.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        found = (path for name in PROGRAMS if (path := shutil.which(name, path=environment.get("PATH"))))
        program = next(found, None)
        if program is None:
            raise RunError(f"--containers apptainer: expected {' or '.join(PROGRAMS)} on PATH, found neither; load it")
        self.program, self.environment = program, environment
        self._prefix = f"{Path(program).name.upper()}ENV_"

    def argv(self, container: Container) -> list[str]:
        """Return the command that runs a container to its end.

        Raises:
            RunError: for a run folder that the option ``--home`` would split.
        """
        if {":", ","} & set(str(container.scratch)):
            found = f"expected a folder without : and , for --containers apptainer, found {container.scratch}"
            raise RunError(f"{found}; choose another --out")
        make_folders(container.scratch / EMPTY / "verified")  # a place to mount at
        return [
            self.program,
            "exec",
            "--containall",
            "--cleanenv",
            "--no-eval",
            "--no-privs",
            f"--home={container.scratch}",
            f"--workdir={container.scratch}",  # of /tmp, which is 64 MiB of memory otherwise
            f"--pwd={container.scratch}",
            *([] if container.has_network else ["--net", "--network=none"]),
            *options({"--mount": [_words(mount, container.scratch) for mount in container.mounts]}),
            container.image,
            *ENTRY_POINT,
        ]

    def variables(self, container: Container) -> Mapping[str, str]:
        """Return the environment variables of that command: the user's, and those of the container."""
        own = {
            name: value
            for name, value in self.environment.items()
            if _KEPT.fullmatch(name) or not name.startswith(_OWN)
        }
        passed = {name: self.environment[name] for name in container.passed}
        inside = {**passed, **{name: value for name, value in container.variables.items() if name != "HOME"}}
        return {**own, **{f"{self._prefix}{name}": value for name, value in inside.items()}}

    def stop(self, container: str, process: subprocess.Popen[str]) -> None:
        """Ask a container to end, and kill it if it does not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(quotas.STOP_TIMEOUT.value)
                return

    def end(self, container: str, code: int, errors: Sequence[str], log: str | None) -> JobEnd:
        """Return the end of a container; nothing is left of it."""
        if code == 0:
            return JobEnd(0)
        fatal = [line.partition("FATAL:")[2].strip() for line in errors if line.startswith("FATAL:")]
        if code == FAILED and fatal:
            return JobEnd(code, explain(fatal[-1]), log)
        return JobEnd(code, error_message([line.rstrip() for line in errors]) or None, log)


def explain(fatal: str) -> str:
    """Return the reason for which Apptainer did not start a container, with what to do about it.

    >>> explain("could not open image /c/a.sif: no such file or directory").partition(":")[0]
    'CannotPullContainerError'
    """
    for words, name, advice in _CAUSES:
        if words.search(fatal):
            return f"{name}: {fatal}; {advice}"
    return f"CannotStartContainerError: {fatal}"


def _words(mount: Mount, scratch: Path) -> str:
    source = mount.source or scratch / EMPTY
    return csv_row(
        ["type=bind", f"source={source}", f"destination={mount.target}", *(["ro"] if mount.readonly else [])]
    )
