"""The container engine of this machine: docker, or podman, which takes the same arguments."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import RunError

ENGINES = ("docker", "podman")


class ContainerEngine:
    """The program of a container engine.

    Args:
        environment: The environment variables that it is started with.
        name: Of `ENGINES`; the first that is installed where it is None.

    Raises:
        RunError: if there is none.
    """

    def __init__(self, environment: Mapping[str, str], name: str | None = None) -> None:
        self.environment = environment
        wanted = [name] if name else ENGINES
        found = next((path for engine in wanted if (path := shutil.which(engine))), None)
        if found is None:
            raise RunError(f"expected a container engine ({' or '.join(wanted)}), found none; install one")
        self.program = found

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Run a command and return its standard output.

        Args:
            arguments: Its arguments.
            given: Its standard input.

        Raises:
            RunError: if it fails, with the last lines of its standard error.
        """
        argv = [self.program, *arguments]
        environment = {**self.environment, "DOCKER_BUILDKIT": "0"}
        ended = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, env=environment)
        if ended.returncode:
            lines = "\n".join((ended.stderr.strip() or ended.stdout.strip()).splitlines()[-5:])
            raise RunError(f"{Path(self.program).name} {arguments[0]}: {lines}")
        return ended.stdout

    def has(self, image: str) -> bool:
        """Return whether the engine has an image of that name and tag."""
        repository, _, tag = image.rpartition(":")
        listed = self.run("images", "--format", "{{json .}}", repository)
        return any(json.loads(line)["Tag"] == tag for line in listed.splitlines())

    def build(self, image: str, folder: Path, dockerfile: str, words: Mapping[str, Mapping[str, str]]) -> None:
        """Build an image.

        Args:
            image: Its name and tag.
            folder: What it is built from.
            dockerfile: The Dockerfile's path in it.
            words: ``{"--build-arg": {…}, "--label": {…}}``.
        """
        given = {option: [f"{name}={value}" for name, value in values.items()] for option, values in words.items()}
        argv = ["build", "--network=host", "--tag", image, "--file", str(folder / dockerfile), *options(given)]
        self.run(*argv, str(folder))

    def inspect(self, image: str) -> dict[str, Any]:
        """Return the engine's description of an image, as ``docker image inspect`` prints it."""
        (description,) = json.loads(self.run("image", "inspect", image))
        return dict(description)

    def size_mib(self, image: str) -> int:
        """Return the size of an image in MiB."""
        return int(self.inspect(image)["Size"]) >> 20


def options(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Return options that are given several times as arguments.

    >>> options({"--volume": ["a:a", "b:b"], "--rm": []})
    ['--volume', 'a:a', '--volume', 'b:b']
    """
    return [word for option, given in values.items() for value in given for word in (option, value)]
