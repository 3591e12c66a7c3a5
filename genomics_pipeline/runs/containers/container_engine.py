"""The container engine of this machine: docker, or podman, which accepts the same arguments."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import RunError

ENGINES = ("docker", "podman")
INSTALL_EMULATOR = "install QEMU's user emulation (Debian: qemu-user-static and binfmt-support)"
FOREIGN_PROGRAM = "exec format error"  # Linux's message for a program of another processor


class ContainerEngine:
    """The command-line program of a container engine.

    Args:
        environment: The environment variables of the program.
        name: One of `ENGINES`; the first that is installed where it is None.

    Raises:
        RunError: if no container engine is installed.
    """

    def __init__(self, environment: Mapping[str, str], name: str | None = None) -> None:
        self.environment = environment
        engines = [name] if name else ENGINES
        program = next((path for engine in engines if (path := shutil.which(engine))), None)
        if program is None:
            raise RunError(f"expected a container engine ({' or '.join(engines)}), found none; install one")
        self.program = program

    def run(self, *arguments: str, standard_input: str | None = None, buildkit: bool = False) -> str:
        """Run a command and return its standard output.

        Args:
            arguments: The command and its arguments.
            standard_input: The text for its standard input.
            buildkit: Build with docker's BuildKit, which not every installation has.

        Raises:
            RunError: if it fails; with the last lines of its standard error.
        """
        argv = [self.program, *arguments]
        environment = {**self.environment, "DOCKER_BUILDKIT": "1" if buildkit else "0"}
        process = subprocess.run(
            argv, input=standard_input, capture_output=True, text=True, check=False, env=environment
        )
        if process.returncode:
            lines = "\n".join((process.stderr.strip() or process.stdout.strip()).splitlines()[-5:])
            raise RunError(f"{Path(self.program).name} {arguments[0]}: {lines}")
        return process.stdout

    def has(self, image: str) -> bool:
        """Return whether the engine has an image of that name and tag."""
        repository, _, tag = image.rpartition(":")
        listed = self.run("images", "--format", "{{json .}}", repository)
        return any(json.loads(line)["Tag"] == tag for line in listed.splitlines())

    def build(
        self, image: str, folder: Path, dockerfile: str, more: Mapping[str, Sequence[str]], foreign: bool = False
    ) -> None:
        """Build an image.

        Args:
            image: The name and tag of the image.
            folder: The folder that it is built from.
            dockerfile: The path of the Dockerfile in that folder.
            more: The values of further options, ``{"--platform": […], "--build-arg": […], "--label": […]}``.
            foreign: The image is for another processor than this machine's, which docker's older builder forgets
                between the stages of a Dockerfile.

        Raises:
            RunError: if it fails; without an emulator, because the programs of another processor cannot run.
        """
        argv = ["build", "--network=host", "--tag", image, "--file", str(folder / dockerfile), *options(more)]
        try:
            self.run(*argv, str(folder), buildkit=foreign)
        except RunError as error:
            if FOREIGN_PROGRAM not in str(error).lower():
                raise
            wanted = ", ".join(more.get("--platform", ()))
            raise RunError(
                f"image {image}: expected an engine that runs programs of {wanted}, found none; {INSTALL_EMULATOR} "
                "where the engine runs, or build on such a machine"
            ) from None

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the engine's description of an image, as ``docker image inspect`` prints it."""
        (description,) = json.loads(self.run("image", "inspect", image))
        return dict(description)

    def was_killed_for_memory(self, container: str) -> bool:
        """Return whether the kernel ended a container, which is not removed yet, for its memory."""
        try:
            return bool(json.loads(self.run("inspect", "--format", "{{json .State}}", container))["OOMKilled"])
        except (RunError, LookupError, TypeError, ValueError):  # the container was never started
            return False

    def size_mib(self, image: str) -> int:
        """Return the size of an image in MiB."""
        return int(self.inspect(image)["Size"]) >> 20


def options(values: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the arguments of options that may be repeated.

    >>> options({"--volume": ["a:a", "b:b"], "--rm": []})
    ['--volume', 'a:a', '--volume', 'b:b']
    """
    return [word for option, repeated in values.items() for value in repeated for word in (option, value)]
