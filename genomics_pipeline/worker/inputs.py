"""The inputs of a task: what identifies the content of their files, and their staging to local files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from genomics_pipeline.model.plain_path import file_name
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.stores.protocol import ANY, Expected, Store
from genomics_pipeline.worker.excerpt import spans_of
from genomics_pipeline.worker.ranged import AT_ONCE, Excerpts, RemoteFile
from genomics_pipeline.worker.streams import Streams
from genomics_pipeline.worker.verified import VerifiedFiles


@dataclass(frozen=True, slots=True)
class Staging:
    """The means of making inputs local.

    Attributes:
        store: The store of the inputs.
        streams: The named pipes of the streamed inputs.
        cancelled: Set when the task must end.
        verified: The outputs of the run that are known to be as recorded.
        read_bytes: The bytes that were read of each file of which there is an excerpt only, by its URI.
        parameter_bytes: The bytes of each parameter's file with its index, of an excerpt those that were read.
        names: The URI of each copy, excerpt and pipe by its path, without secrets.
    """

    store: Store
    streams: Streams
    cancelled: threading.Event
    verified: VerifiedFiles
    read_bytes: dict[str, int] = field(default_factory=dict)
    parameter_bytes: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def fetch(self, uri: str, folder: Path, expected: Expected) -> str:
        """Return the path of a local file with the content that is expected, in a folder if it is a copy."""
        path = Path(self.store.fetch(uri, folder, expected, self.cancelled))
        if expected.sha256 is not None:
            self.verified.check(uri, expected.sha256, self.cancelled)
        return self.named(path, uri) if path.is_relative_to(folder) else str(path)

    def named(self, path: Path, uri: str) -> str:
        """Return the path of a copy, an excerpt or a pipe, whose URI is noted."""
        self.names[str(path)] = without_secrets(uri)
        return str(path)

    def with_names(self, text: str) -> str:
        """Return a text with URIs in place of the paths of copies, which end with the task."""
        for path in sorted(self.names, key=len, reverse=True):  # an index has the name of its file, and more
            text = text.replace(path, self.names[path])
        return text


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of an input.

    Attributes:
        uri: The URI of the file.
        version: A text that changes when the content does.
        size_bytes: Its size.
        indexes: Its indexes.
        expected: The properties that the content must have when it is read.
        made_by: The stage and the item that it is an output of; None for a file of the user's.
        stored_version: `ObjectInfo.version` of an output when it was published; empty where it is not recorded.
    """

    uri: str
    version: str
    size_bytes: int
    indexes: tuple[InputFile, ...] = ()
    expected: Expected = ANY
    made_by: tuple[str, str] | None = None
    stored_version: str = ""

    def remote(self) -> RemoteFile:
        """Return the file as one that is read in parts."""
        version = self.expected.version or self.stored_version
        return RemoteFile(self.uri, self.size_bytes, version, self.expected.sha256)

    def stage_excerpt(self, staging: Staging, folder: Path, excerpts: Excerpts) -> str:
        """Make a part of the file local, if it is remote, and return the path of that part, or of the file.

        Args:
            staging: The means of making it local.
            folder: A folder for the excerpt, which does not exist yet.
            excerpts: The excerpts of the task.
        """
        if staging.store.local(self.uri) is not None:
            return self.stage(staging, folder, stream=False)
        folder.mkdir(parents=True)
        path, staging.read_bytes[self.uri] = excerpts.fetch(self.remote(), self.indexes[0].remote(), folder)
        return staging.named(path, self.uri)

    def stage(self, staging: Staging, folder: Path, stream: bool) -> str:
        """Make the file and its indexes local, side by side, and return the file's path.

        Args:
            staging: The means of making it local.
            folder: A folder for copies, which does not exist yet.
            stream: True if the file may be a named pipe.
        """
        local = staging.store.local(self.uri)
        if local is None:
            folder.mkdir(parents=True)
        if stream and local is None:
            path = folder / file_name(self.uri)
            staging.streams.open(self.uri, self.expected, path)
            return staging.named(path, self.uri)
        for file in (*self.indexes, self):
            fetched = staging.fetch(file.uri, folder, file.expected)
        return fetched


class InputLane(NamedTuple):
    """A lane of reads.

    Attributes:
        lane: Its name.
        library: Its library; None for the sample's only one.
        files: The index of the file of each column in `Input.files`.
        start: The stage that its file starts at; None for reads to align.
    """

    lane: str
    library: str | None
    files: tuple[tuple[str, int], ...]
    start: str | None = None

    @property
    def read_twice(self) -> list[int]:
        """The files whose first reads are looked at before all are read."""
        return [number for column, number in self.files if column in ("bam", "cram") and self.start is None]

    def local(self, paths: Sequence[str]) -> dict[str, Any]:
        """Return the lane in ``task.json``: its file or files by column; ``fastq_2`` is null of a single FASTQ file."""
        members = {column: paths[number] for column, number in self.files}
        return {
            "lane": self.lane,
            "library": self.library,
            **({"fastq_2": None} if "fastq_1" in members else {}),
            **members,
            **({"start": self.start} if self.start else {}),
        }


@dataclass(frozen=True, slots=True)
class Input:
    """An input of one task, which exists but is not local yet.

    Attributes:
        spec: Its declaration.
        files: Its files, in order.
        lanes: The lanes of reads.
        source: ``<stage>.<output>`` if the input is an output of an earlier stage over the same item.
        missing: The ids of the items that have no file, if the step asks for them.
        regions: The regions of the item, if the input is ranged.
        content: What identifies the content of each file, of an input whose files earlier runs may have packed.
        packed: The numbers of the files that earlier runs packed, which are not read.
        notes: What the log of the task says of that.
    """

    spec: InputSpec
    files: tuple[InputFile, ...]
    lanes: tuple[InputLane, ...] = ()
    source: str | None = None
    missing: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    packed: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return a sha256 of everything in the input."""
        parts = [self.spec.name, *(file.version for file in self.files), repr(self.lanes), *self.missing]
        return sha256("\0".join(parts).encode()).hexdigest()

    def read_files(self) -> Iterator[InputFile]:
        """Yield the files that are read."""
        return (file for number, file in enumerate(self.files) if number not in self.packed)

    def all_files(self) -> Iterator[InputFile]:
        """Yield the files that are read, and their indexes."""
        for file in self.read_files():
            yield from (file, *file.indexes)

    def size_bytes(self, read_bytes: Mapping[str, int]) -> int:
        """Return the size of the files and their indexes; 0 of a reference, which hosts keep in a cache.

        Args:
            read_bytes: What was read of each file, with its index, of which there is an excerpt only, by its URI.
        """
        if self.spec.type == "reference":
            return 0
        return sum(
            read_bytes.get(file.uri) or sum(one.size_bytes for one in (file, *file.indexes))
            for file in self.read_files()
        )

    def local(self, staging: Staging, folder: Path) -> Any:
        """Make the input local and return its value in ``task.json``."""
        if self.spec.type == "reference":
            return self.files[0].uri
        folders = {number: folder / self.spec.name / str(number) for number in range(len(self.files))}
        for number in self.packed:
            del folders[number]
        made = self._excerpts(staging, folders) if self.regions else self._copies(staging, folders)
        if self.packed:
            return [made.get(number) for number in range(len(self.files))]
        paths = list(made.values())
        if self.spec.type == "reads":
            return [lane.local(paths) for lane in self.lanes]
        return paths if self.spec.type == "files" else paths[0]

    def _copies(self, staging: Staging, folders: Mapping[int, Path]) -> dict[int, str]:
        """Make files local, each in its folder, and return their paths by number."""
        in_pieces = self._streamed()
        return {
            number: self.files[number].stage(staging, copies, number in in_pieces) for number, copies in folders.items()
        }

    def _excerpts(self, staging: Staging, folders: Mapping[int, Path]) -> dict[int, str]:
        """Make what files have of the item's regions local, several at once, and return the paths by number."""
        excerpts = Excerpts(staging.store, spans_of(self.regions, self.spec.margin_bp), staging.cancelled)
        with ThreadPoolExecutor(AT_ONCE) as readers:
            waiting = {
                number: readers.submit(self.files[number].stage_excerpt, staging, folder, excerpts)
                for number, folder in folders.items()
            }
            try:
                return {number: one.result() for number, one in waiting.items()}
            except BaseException:
                readers.shutdown(wait=False, cancel_futures=True)
                raise

    def _streamed(self) -> set[int]:
        """Return the indexes of the files that may be named pipes: not of BAM and CRAM files to align, read twice."""
        if not self.spec.stream:
            return set()
        twice = {number for lane in self.lanes for number in lane.read_twice}
        return set(range(len(self.files))) - twice
