"""Files of a step on Lambda: those that it reads in parts, and the outputs that it writes into the run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.step import REGION_INDEXES, OutputSpec, StepSpec
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.stores.given_file import find_index
from genomics_pipeline.stores.protocol import DeniedAccess, MissingObject, Store

_FILES = "files = true in step.toml, of the input with the records, or a parameter that is ranged"


class ProgramMisfit(Exception):
    """The error of a step's program that defines no ``handle``, lacks an output, or whose result is not JSON."""


class RecordFile:
    """A file that a record names, read in parts of one version.

    Attributes:
        size_bytes: Its size.
        version: A text that changes when its content does.
    """

    def __init__(self, store: Store, uri: str) -> None:
        try:
            found = store.stat(uri)
        except DataError as error:
            raise as_os_error(error) from None
        if found is None:
            raise FileNotFoundError("expected a file, found no such file")
        self.size_bytes = found.size_bytes
        self.version = found.version
        self._store = store
        self._uri = uri

    def read(self, start: int, size_bytes: int) -> bytes:
        """Return a part of the content, by one request where its storage sends parts.

        Args:
            start: The place of the part's first byte, from 0.
            size_bytes: The size of the part, which ends where the file does.

        Raises:
            OSError: for a file that cannot be read, or that was changed in the meantime.
        """
        if start >= self.size_bytes:
            return b""
        try:
            return self._store.read_part(self._uri, start, size_bytes, self.version).data
        except DataError as error:
            raise as_os_error(error) from None


def as_os_error(error: DataError) -> OSError:
    """Return an error of a store as Python's own, which programs of steps know."""
    kinds = {DeniedAccess: PermissionError, MissingObject: FileNotFoundError}
    kind = next((kind for cause, kind in kinds.items() if isinstance(error, cause)), OSError)
    return kind("; ".join(one.message for one in error.problems))


class FunctionFiles:
    """The files of one call of a function, in a folder that is removed at its end.

    Args:
        step: The step.
        store: The store of the files.
        run: The place of the run.
        folders: The folder below the run of each output.
        intermediate: Whether the outputs are only for a later stage.
    """

    def __init__(
        self, step: StepSpec, store: Store, run: RunPlace, folders: Mapping[str, str], *, intermediate: bool = False
    ) -> None:
        self._step = step
        self._store = store
        self._run = run
        self._folders = folders
        self._intermediate = intermediate
        self._scratch: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()

    @property
    def scratch(self) -> Path:
        """The folder, which is made when it is first needed."""
        if self._scratch is None:
            self._scratch = TemporaryDirectory(prefix="call-")
        return Path(self._scratch.name)

    def file(self, uri: str) -> RecordFile:
        """Return a file that is read in parts; see `Batch.file`."""
        self._refuse_unless_read("batch.file")
        return RecordFile(self._store, uri)

    def excerpt(self, uri: str, regions: Sequence[str]) -> str:
        """Return a file of this machine with the records of some regions; see `Batch.excerpt`."""
        self._refuse_unless_read("batch.excerpt")
        try:
            if (local := self._store.local(uri)) is not None:
                return str(local)
            from genomics_pipeline.worker.excerpt import spans_of  # here, since few programs read excerpts
            from genomics_pipeline.worker.ranged import Excerpts, RemoteFile

            if (index := find_index(uri, REGION_INDEXES, self._store)) is None:
                raise MissingObject(f"{uri}.tbi")
            folder = self._folder("excerpts")
            excerpts = Excerpts(self._store, spans_of(regions, 0), threading.Event())
            file, beside = (RemoteFile.given(one, self._store) for one in (uri, index))
            return str(excerpts.fetch(file, beside, folder).path)
        except DataError as error:
            raise as_os_error(error) from None

    def output(self, name: str) -> str:
        """Return the path at which the program writes an output; see `Batch.output`."""
        if name not in self._step.outputs:
            known = ", ".join(self._step.outputs) or "none"
            raise KeyError(f"batch.output: expected one of the outputs of step.toml ({known}), found {name!r}")
        return str(self._folder("outputs", new=False) / self._step.outputs[name].path)

    def save(self) -> dict[str, str]:
        """Move the outputs into the run, and return their URIs.

        Raises:
            ProgramMisfit: for an output that the program did not write.
        """
        saved = {}
        for name, spec in self._step.outputs.items():
            path = self._folder("outputs", new=False) / spec.path
            if not path.is_file():
                if spec.optional:
                    continue
                raise ProgramMisfit(f"output {name}: expected a file at batch.output({name!r}), found none")
            uri = self._run.uri(f"{self._folders[name].rstrip('/')}/{spec.path}")
            for index in _indexes(path, spec):
                self._store.publish(index, f"{uri}{index.suffix}", intermediate=self._intermediate)
            self._store.publish(path, uri, intermediate=self._intermediate)
            saved[name] = uri
        return saved

    def write_results(self, stage: str, lines: bytes) -> None:
        """Write the file of results of a stage."""
        self._store.write(self._run.uri(run_layout.record_results(stage)), lines)

    def _folder(self, name: str, new: bool = True) -> Path:
        parent = self.scratch / name
        parent.mkdir(exist_ok=True)
        if not new:
            return parent
        folder = parent / str(len(list(parent.iterdir())))
        folder.mkdir()
        return folder

    def _refuse_unless_read(self, call: str) -> None:
        if not self._step.reads_files:
            raise TypeError(f"{call}: expected {_FILES}; found none")


def _indexes(path: Path, spec: OutputSpec) -> list[Path]:
    """Return the indexes beside an output.

    Raises:
        ProgramMisfit: if there is none of those that it should have.
    """
    found = [index for suffix in spec.indexes if (index := Path(f"{path}.{suffix}")).is_file()]
    if spec.indexes and not found:
        expected = " or ".join(f"{path.name}.{suffix}" for suffix in spec.indexes)
        raise ProgramMisfit(f"output {spec.name}: expected its index beside it ({expected}), found none")
    return found
