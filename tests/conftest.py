"""What tests of several rooms share: what to do where something is missing; programs of node from their lock files."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


@pytest.fixture(scope="session")
def missing() -> Callable[[str], None]:
    """`missing(what)`: skip, so that it is seen; in continuous integration, where nothing may be missing, fail."""

    def call(what: str) -> None:
        if os.environ.get("CI"):
            pytest.fail(f"{what}: this must run in continuous integration")
        pytest.skip(f"SKIPPED: {what}")

    return call


@pytest.fixture(scope="session")
def node(missing: Callable[[str], None]) -> Callable[[Path], str]:
    """`node(folder)`: the program, with what the folder's package.json asks for installed beside it on first use."""

    def call(folder: Path) -> str:
        program, npm = shutil.which("node"), shutil.which("npm")
        if program is None or npm is None:
            missing("no node/npm on this machine")
        with FileLock(Path(tempfile.gettempdir()) / f"genomics-pipeline-{folder.name}.lock"):
            lock = (folder / "package-lock.json").read_bytes()
            installed = folder / "node_modules" / ".installed"
            if not installed.exists() or installed.read_bytes() != lock:
                command = [npm, "ci", "--no-fund", "--no-audit", "--ignore-scripts"]
                ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
                if ended.returncode:
                    missing(f"npm could not install {folder.name}: {ended.stderr.strip()[-300:]}")
                installed.write_bytes(lock)
        return str(program)

    return call
