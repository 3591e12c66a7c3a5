"""A run's folder: its files by name, its lock, and `run.json`."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError

# No S3 bucket can have upper-case letters, so this one never hides a real bucket.
BUCKET = "RUN"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs in a folder.

    Attributes:
        pid: Its id.
        host: Its machine.
        started: When it began, in seconds since the epoch: another process of that id has another time.
    """

    pid: int
    host: str
    started: float


class RunFolder:
    """Paths and records below one run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.manifest = self.path / run_layout.MANIFEST
        self.intervals = self.path / run_layout.INTERVALS
        self.definition = self.path / run_layout.DEFINITION
        self.input = self.path / run_layout.INPUT
        self.failures = self.path / run_layout.FAILURES
        self.results = self.path / run_layout.RESULTS
        self.scratch = self.path / run_layout.SCRATCH
        self._record = self.path / run_layout.RECORD
        self._holder = self.path / run_layout.HOLDER

    @property
    def name(self) -> str:
        """The run's name: the folder's, with what AWS refuses in a name replaced by ``-``."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.path.name)[:60] or "run"

    def journal(self, execution: str) -> Path:
        """The folder of that execution's journal."""
        return self.path / run_layout.journal(execution)

    def digest(self) -> str:
        """One sha256 over what decides an execution: the definition, its input and both item files."""
        files = (self.definition, self.input, self.manifest, self.intervals)
        return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()

    def record(self) -> dict[str, Any]:
        """What ``run.json`` says, empty where nothing was run yet.

        Raises:
            RunError: if the file is not ours.
        """
        if not self._record.exists():
            return {}
        try:
            found = json.loads(self._record.read_bytes())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RunError(f"{self._record}: expected a JSON object, found something else; is this a run's folder?")
        return found

    def save(self, record: dict[str, Any]) -> None:
        """Replace ``run.json`` atomically."""
        self.write(self._record, json.dumps(record, indent=2) + "\n")

    def write(self, path: Path, text: str | Iterable[str]) -> None:
        """Replace a file of the run atomically, by a text or by its parts, which may be too many to hold."""
        part = path.with_name(f".{path.name}.part")
        with part.open("w", encoding="utf-8") as file:
            file.writelines([text] if isinstance(text, str) else text)
        part.replace(path)

    def create(self) -> None:
        """Make the folder; one that holds other things than a run is refused.

        Raises:
            UsageError: if the folder exists and is not a run's, or cannot be made.
        """
        try:
            if self.path.exists() and not self.path.is_dir():
                raise UsageError(f"--out {self.path}: expected a folder, found a file")
            ours = self._record.exists() or (self.path / run_layout.ENGINE).exists()
            if self.path.is_dir() and any(self.path.iterdir()) and not ours:
                raise UsageError(f"--out {self.path}: expected a new folder or an earlier run, found other files in it")
            (self.path / run_layout.ENGINE).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out {self.path}: expected a folder that can be written to: {error.strerror}") from None

    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED or ABORTED, which a run is whose process was killed; empty where none began."""
        recorded = str(self.record().get("status", ""))
        return "ABORTED" if recorded == "RUNNING" and self.holder() is None else recorded

    def holder(self) -> Holder | None:
        """The process that runs in this folder; None where there is none any more."""
        import psutil

        try:
            found = Holder(**json.loads(self._holder.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        if found.host != socket.gethostname():
            return found
        try:
            return found if psutil.Process(found.pid).create_time() == found.started else None
        except psutil.NoSuchProcess:
            return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the kernel lets go of it however the process ends.

        Raises:
            RunError: if another process holds it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / run_layout.LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(f"{self.path}: another process is running in this folder; wait for it, or end it") from None
        shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed process left
        try:
            self._hold()
            yield
        finally:
            self._holder.unlink(missing_ok=True)
            lock.release()

    def _hold(self) -> None:
        import psutil

        holder = Holder(os.getpid(), socket.gethostname(), psutil.Process().create_time())
        self.write(self._holder, json.dumps(asdict(holder)) + "\n")
