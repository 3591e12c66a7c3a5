"""The folder of a run on this machine: its files, its lock and its record."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.json_text import is_text
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.holder import Holder
from genomics_pipeline.records.local_run import LocalRunRecord, read_local_run, write_local_run
from genomics_pipeline.runs.item_lines import part_lines
from genomics_pipeline.runs.leftovers import end_leftovers
from genomics_pipeline.runs.run_lock import RunLock
from genomics_pipeline.stores.local import PIECE_BYTES, LocalStore
from genomics_pipeline.stores.open_folder import refuse_leading_out
from genomics_pipeline.stores.publish import make_folders, publishing
from genomics_pipeline.stores.real_parents import follow_parents

# The bucket that stands for the folder in URIs. Names of S3 buckets have no upper-case letters: it hides no real one.
BUCKET = "RUN"
_NUMBERED = re.compile(r"-(\d{1,6})$", re.ASCII)  # the name of a journal's folder
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run."""
    return (folder / run_layout.RECORD).is_file() or (folder / run_layout.ENGINE).is_dir()


class RunFolder:
    """The folder of one run: its paths, its records and the store that reads them.

    Args:
        path: The folder, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(follow_parents(str(path.absolute())))
        self.manifest = self.path / run_layout.MANIFEST
        self.intervals = self.path / run_layout.INTERVALS
        self.definition = self.path / run_layout.DEFINITION
        self.input = self.path / run_layout.INPUT
        self.failures = self.path / run_layout.FAILURES
        self.results = self.path / run_layout.RESULTS
        self.scratch = self.path / run_layout.SCRATCH
        self.store = LocalStore({BUCKET: self.path})
        self._record = self.path / run_layout.RECORD
        self._lock = RunLock(self.path, self.store, self.uri(run_layout.HOLDER))

    @cached_property
    def name(self) -> str:
        """The name of the run, which it keeps when its folder is moved, copied or reached through a link.

        A new run is named after its folder, with ``-`` for each character that AWS refuses in a name, from the first
        letter or digit on: names of jobs begin with it.
        """
        try:
            record = self.record()
        except UnreadableRecord:
            record = None
        return record.run if record else re.sub(r"[^A-Za-z0-9._-]+", "-", self.path.name).lstrip("-._")[:60] or "run"

    def uri(self, key: str) -> str:
        """Return the URI of a file of the run, for its store, which follows no link out of the folder."""
        return f"s3://{BUCKET}/{key}"

    def refuse_links(self) -> None:
        """Refuse a folder that holds links out of it in the place of its folders.

        Raises:
            LeadsOutside: for such a link.
        """
        for name in run_layout.FOLDERS:
            refuse_leading_out(self.path / name, self.path)

    def journal(self, execution: str) -> Path:
        """Return the folder of an execution's journal.

        Raises:
            LeadsOutside: if a link leads out of the run.
        """
        journal = self.path / run_layout.journal(execution)
        refuse_leading_out(journal, self.path)
        return journal

    def digest(self) -> str:
        """Return the sha256 of the files that determine an execution: definition, input, all items and given gVCFs."""
        digest, separator = sha256(), b""
        large = sorted(str(item.relative_to(self.path)) for item in (self.path / run_layout.ITEMS).rglob("*.json"))
        given = [run_layout.GVCFS] if self.store.stat(self.uri(run_layout.GVCFS)) else []
        keys = (run_layout.DEFINITION, run_layout.INPUT, run_layout.MANIFEST, run_layout.INTERVALS)
        for key in (*keys, *given, *large):
            digest.update(separator)
            with self.store.open(self.uri(key)) as file:
                while piece := file.read(PIECE_BYTES):
                    digest.update(piece)
            separator = b"\0"
        return digest.hexdigest()

    def record(self) -> LocalRunRecord | None:
        """Return the record of the run, ``run.json``; None where nothing was run yet.

        Raises:
            UnreadableRecord: if the file is not a valid record.
        """
        return read_local_run(self.store, self.uri(run_layout.RECORD))

    def executed(self) -> LocalRunRecord:
        """Return the record of the run, as `record`.

        Raises:
            RunError: if nothing was run yet.
        """
        if (record := self.record()) is None:
            raise RunError(f"{self.path}: expected an execution, found none yet; start it with `genomics-pipeline run`")
        return record

    def next_execution(self) -> int:
        """Return the number of the next execution: also where ``run.json`` was lost, no journal has it yet."""
        try:
            record = self.record()
        except UnreadableRecord:
            record = None
        journals = (self.path / run_layout.ENGINE).glob("*-*/")
        numbers = [int(digits[1]) for journal in journals if (digits := _NUMBERED.search(journal.name))]
        return max([record.execution if record else 0, *numbers]) + 1

    def save(self, record: LocalRunRecord) -> None:
        """Replace ``run.json`` atomically, unless another process has taken the folder over."""
        if not self._lock.lost:
            write_local_run(self.store, self.uri(run_layout.RECORD), record)

    def write(self, path: Path, text: str | Iterable[str]) -> None:
        """Replace a file of the run; the new one is on disk.

        Args:
            path: The file.
            text: Its content, or the parts of a content that may be too long for memory.
        """
        with publishing(path, self.path) as file:
            file.writelines(part.encode() for part in ([text] if isinstance(text, str) else text))

    def write_parts(self, execution_input: ExecutionInput) -> None:
        """Write the parts of the manifest that several Map Runs read."""
        for number, key in enumerate(execution_input.manifests):
            if key != run_layout.MANIFEST:
                with self.manifest.open(encoding="utf-8") as lines:
                    self.write(self.path / key, part_lines(lines, number, execution_input.parts))

    def remove_items(self) -> None:
        """Remove the items that an earlier execution had in files of their own."""
        shutil.rmtree(self.path / run_layout.ITEMS, ignore_errors=True)

    def check(self) -> None:
        """Check that the folder is new, empty or holds an earlier run.

        Raises:
            UsageError: if it is a file, holds other files than a run's, is inside of another run, or has a name that
                records or programs cannot hold.
        """
        if not is_text(str(self.path)):
            raise UsageError(f"--out {self.path}: expected a path in UTF-8, found other bytes; rename that folder")
        if _CONTROLS.search(str(self.path.absolute())):  # bcftools reads lists with a path on each line
            found = f"expected a path without control characters, found {str(self.path.absolute())!r}"
            raise UsageError(f"--out: {found}; choose another folder")
        try:
            if self.path.exists() and not self.path.is_dir():
                raise UsageError(f"--out {self.path}: expected a folder, found a file")
            is_ours = self._record.exists() or (self.path / run_layout.ENGINE).exists()
            if self.path.is_dir() and any(self.path.iterdir()) and not is_ours:
                raise UsageError(f"--out {self.path}: expected a new folder or an earlier run, found other files in it")
            if not is_ours and (other := self._surrounding_run()):
                expected = f"expected a folder outside of other runs, found one of the run {other}"
                raise UsageError(f"--out {self.path}: {expected}; choose another folder")
        except OSError as error:
            raise self._unusable(error) from None

    def _surrounding_run(self) -> Path | None:
        """Return the folder of the run that this folder is inside of; None where there is none."""
        parents = self.path.resolve().parents
        return next(
            (one for one in parents if (one / run_layout.RECORD).exists() and (one / run_layout.ENGINE).exists()), None
        )

    def _unusable(self, error: OSError) -> UsageError:
        return UsageError(f"--out {self.path}: expected a folder that can be written to: {error.strerror}")

    def create(self) -> None:
        """Create the folder, or accept one that holds an earlier run.

        Raises:
            UsageError: see `check`; also if it cannot be created or written to.
        """
        self.check()
        try:
            make_folders(self.path / run_layout.ENGINE, self.path)
            with TemporaryFile(dir=self.path / run_layout.ENGINE):
                pass  # a folder that exists may be read-only
        except OSError as error:
            raise self._unusable(error) from None

    def status(self) -> str:
        """Return the status of the run: RUNNING, SUCCEEDED, FAILED or ABORTED; empty where nothing was run yet.

        A run whose process was killed is ABORTED.
        """
        record = self.record()
        if record is None:
            return ""
        return "ABORTED" if record.status == "RUNNING" and self.holder() is None else record.status

    def holder(self) -> Holder | None:
        """Return the process that runs in this folder; None where there is none."""
        return self._lock.holder()

    @contextmanager
    def lock(self, note: Callable[[str], None]) -> Iterator[None]:
        """Lock the run for this process; see `RunLock.hold`.

        Args:
            note: Shows a line to the user.

        Raises:
            RunError: if another process holds the lock.
            LeadsOutside: if a folder of the run is a link out of it.
        """
        self.refuse_links()
        with self._lock.hold(note):
            if end_leftovers(self.scratch):
                note("ended the processes that a killed run had left behind")
            shutil.rmtree(self.scratch, ignore_errors=True)  # files that a killed process left
            shutil.rmtree(self.path / run_layout.VERIFIED, ignore_errors=True)
            yield
