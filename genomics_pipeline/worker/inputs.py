"""The inputs of a task: their files, what identifies their content, and their staging to local files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import GIVEN_GVCFS, GVCF, ITEM_FILES, READS, REFERENCE
from genomics_pipeline.model.plain_path import file_name
from genomics_pipeline.model.sample import READ_COLUMNS
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import RunPlace, TaskPayload, item_id
from genomics_pipeline.model.web_uri import uri_beside
from genomics_pipeline.records.completion import FileRecord, OutputRecord, read_completion
from genomics_pipeline.records.gathered_outputs import GatheredOutputs, list_uri
from genomics_pipeline.records.given_gvcfs import GivenGvcf, read_given_gvcfs
from genomics_pipeline.reference.alternate_contigs import alt_file
from genomics_pipeline.reference.index_kinds import required_kinds
from genomics_pipeline.reference.prepare import find_prepared
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import ANY, Expected, MissingObject, Store
from genomics_pipeline.worker.excerpt import spans_of
from genomics_pipeline.worker.ranged import AT_ONCE, Excerpts, RemoteFile
from genomics_pipeline.worker.shared_list import shared_outputs
from genomics_pipeline.worker.streams import Streams
from genomics_pipeline.worker.upstream import Gather, gathered_items, in_parallel, missing_words
from genomics_pipeline.worker.verified import VerifiedFiles

Given = Callable[[Store, RunPlace], Sequence[GivenGvcf]]


@dataclass(frozen=True, slots=True)
class Staging:
    """The means of making inputs local.

    Attributes:
        store: The store of the inputs.
        streams: The named pipes of the streamed inputs.
        cancelled: Set when the task must end.
        verified: The outputs of the run that are known to be as recorded.
        read_bytes: The bytes that were read of each file of which there is an excerpt only, by its URI.
    """

    store: Store
    streams: Streams
    cancelled: threading.Event
    verified: VerifiedFiles
    read_bytes: dict[str, int] = field(default_factory=dict)

    def fetch(self, file: InputFile, folder: Path) -> str:
        """Return the path of a local file with the content that is expected."""
        path = self.store.fetch(file.uri, folder, file.expected, self.cancelled)
        if file.expected.sha256 is not None:
            self.verified.check(file.uri, file.expected.sha256, self.cancelled)
        return str(path)


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
        return str(path)

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
            return str(path)
        for index in self.indexes:
            staging.fetch(index, folder)
        return staging.fetch(self, folder)


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
    """

    spec: InputSpec
    files: tuple[InputFile, ...]
    lanes: tuple[InputLane, ...] = ()
    source: str | None = None
    missing: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return a sha256 of everything in the input."""
        parts = [self.spec.name, *(file.version for file in self.files), repr(self.lanes), *self.missing]
        return sha256("\0".join(parts).encode()).hexdigest()

    def all_files(self) -> Iterator[InputFile]:
        """Yield the files and their indexes."""
        for file in self.files:
            yield from (file, *file.indexes)

    def size_bytes(self, read_bytes: Mapping[str, int]) -> int:
        """Return the size of the files and their indexes; 0 of a reference, which hosts keep in a cache.

        Args:
            read_bytes: What was read of each file, with its index, of which there is an excerpt only, by its URI.
        """
        if self.spec.type == "reference":
            return 0
        return sum(
            read_bytes.get(file.uri) or sum(one.size_bytes for one in (file, *file.indexes)) for file in self.files
        )

    def local(self, staging: Staging, folder: Path) -> Any:
        """Make the input local and return its value in ``task.json``."""
        if self.spec.type == "reference":
            return self.files[0].uri
        folders = [folder / self.spec.name / str(number) for number in range(len(self.files))]
        paths = self._excerpts(staging, folders) if self.regions else self._copies(staging, folders)
        if self.spec.type == "reads":
            return [lane.local(paths) for lane in self.lanes]
        return paths if self.spec.type == "files" else paths[0]

    def _copies(self, staging: Staging, folders: Sequence[Path]) -> list[str]:
        """Make the files local, and return their paths."""
        in_pieces = self._streamed()
        return [
            file.stage(staging, copies, number in in_pieces)
            for number, (file, copies) in enumerate(zip(self.files, folders, strict=True))
        ]

    def _excerpts(self, staging: Staging, folders: Sequence[Path]) -> list[str]:
        """Make what the files have of the item's regions local, several at once, and return the paths."""
        excerpts = Excerpts(staging.store, spans_of(self.regions, self.spec.margin_bp), staging.cancelled)
        with ThreadPoolExecutor(AT_ONCE) as readers:
            waiting = [
                readers.submit(file.stage_excerpt, staging, folder, excerpts)
                for file, folder in zip(self.files, folders, strict=True)
            ]
            try:
                return [one.result() for one in waiting]
            except BaseException:
                readers.shutdown(wait=False, cancel_futures=True)
                raise

    def _streamed(self) -> set[int]:
        """Return the indexes of the files that may be named pipes: not of BAM and CRAM files to align, read twice."""
        if not self.spec.stream:
            return set()
        twice = {number for lane in self.lanes for number in lane.read_twice}
        return set(range(len(self.files))) - twice


def find_input(
    payload: TaskPayload,
    spec: InputSpec,
    item: Mapping[str, Any],
    store: Store,
    cache: Path,
    gather: Gather = gathered_items,
    given: Given = read_given_gvcfs,
) -> Input:
    """Find one input of a task.

    Args:
        payload: The task.
        spec: The input's declaration.
        item: The item that the task is for.
        store: The store of the input.
        cache: The user's cache folder, for references.
        gather: Returns the items of an earlier stage whose outputs are gathered.
        given: Returns the gVCFs that the run was given, which are gathered behind those of its own samples.

    Raises:
        DataError: if the input does not exist.
    """
    found = _find_input(payload, spec, item, store, cache, gather, given)
    return replace(found, regions=tuple(item.get("regions", ()))) if spec.ranged else found


def _find_input(
    payload: TaskPayload,
    spec: InputSpec,
    item: Mapping[str, Any],
    store: Store,
    cache: Path,
    gather: Gather,
    given: Given,
) -> Input:
    source = payload.inputs[spec.name]
    if source == READS:
        return _reads(spec, item, store)
    if source == ITEM_FILES:
        return _given_files(spec, item["files"][spec.name], store)
    if source == REFERENCE:
        path = find_prepared(payload.reference, spec.indexes, store, cache)
        names = [str(file) for kind in required_kinds(spec.indexes) for file in kind.files(path)]
        indexes = tuple(_stored_file(name, store) for name in names)
        fasta = replace(_stored_file(str(path), store), indexes=indexes)
        alt = alt_file(str(path))  # which changes alignments
        return Input(spec, (fasta, _stored_file(alt, store)) if store.stat(alt) else (fasta,))
    if source == GIVEN_GVCFS:
        return _given_files(spec, [gvcf.uri for gvcf in given(store, payload.run)], store)
    stage, _, output = source.partition(".")
    if stage in payload.upstream:
        outputs = _gathered(payload, stage, output, store, gather)
        files = [_output_file(payload, stage, *one) for one in outputs.done]
        more = [gvcf.uri for gvcf in given(store, payload.run)] if output == GVCF else []
        files = [*files, *_given_files(spec, more, store).files]
        return Input(spec, tuple(files), missing=outputs.missing if spec.missing else ())
    name = item_id(item)
    if (record := read_completion(store, payload.run, stage, name)) and output in record.outputs:
        return Input(spec, (_output_file(payload, stage, name, record.outputs[output]),), source=source)
    # The one output of the cohort serves every item.
    made = _output(payload, stage, "cohort", output, store, name)
    return Input(spec, (_output_file(payload, stage, "cohort", made),))


def _gathered(payload: TaskPayload, stage: str, output: str, store: Store, gather: Gather) -> GatheredOutputs:
    """Return an output of all items of an earlier stage, by the list that the jobs of a run elsewhere share."""
    map_runs = payload.upstream[stage]

    def collect() -> GatheredOutputs:
        items = gather(store, payload.run, stage, map_runs)
        found = in_parallel(lambda name: _output(payload, stage, name, output, store), items.done)
        return GatheredOutputs(tuple(zip(items.done, found, strict=True)), missing_words(store, payload.run, items))

    uri = list_uri(payload.run, stage, output, map_runs)
    if payload.scope == "cohort" or store.local(uri) is not None:  # one job; records that are at hand
        return collect()
    return shared_outputs(store, uri, collect)


def _reads(spec: InputSpec, item: Mapping[str, Any], store: Store) -> Input:
    files: list[InputFile] = []
    lanes: list[InputLane] = []
    for lane in item["lanes"]:
        uris = [(column, uri) for column in READ_COLUMNS if (uri := lane.get(column))]
        numbers = tuple((column, number) for number, (column, _) in enumerate(uris, len(files)))
        lanes.append(InputLane(lane["lane"], lane.get("library"), numbers, lane.get("start")))
        files += [_stored_file(uri, store) for _, uri in uris]
    return Input(spec, tuple(files), tuple(lanes))


def _given_files(spec: InputSpec, uris: Sequence[str], store: Store) -> Input:
    """Return files that the user named, each with the indexes beside it."""
    return Input(spec, tuple(in_parallel(lambda uri: _given_file(spec, uri, store), uris)))


def _given_file(spec: InputSpec, uri: str, store: Store) -> InputFile:
    """Return a file that the user named, with the indexes beside it.

    Raises:
        DataError: if it does not exist or cannot be read, or has no index.
    """
    indexes = tuple(_given_indexes(spec, uri, store))
    if spec.indexes and not indexes:
        expected = " or ".join(uri_beside(uri, f".{ending}") for ending in spec.indexes)
        raise DataError(f"{uri}: expected its index beside it ({expected}), found none")
    return replace(_stored_file(uri, store), indexes=indexes)


def _given_indexes(spec: InputSpec, uri: str, store: Store) -> Iterator[InputFile]:
    """Yield the indexes beside a file that the user named; of a ranged input, the first, by which it is read."""
    for ending in spec.indexes:
        with suppress(MissingObject):
            yield _stored_file(uri_beside(uri, f".{ending}"), store)
            if spec.ranged:
                return


def _stored_file(uri: str, store: Store) -> InputFile:
    """Return a file that the user named.

    Raises:
        DataError: if it does not exist, cannot be read, or is no regular file.
    """
    info = stat_given(uri, store)
    return InputFile(uri, f"{uri} {info.version}", info.size_bytes, expected=Expected(version=info.version))


def _output(
    payload: TaskPayload, stage: str, item: str, name: str, store: Store, wanted_by: str | None = None
) -> OutputRecord:
    record = read_completion(store, payload.run, stage, item)
    if record is None or name not in record.outputs:
        raise DataError(f"{stage}: expected it to be done for {wanted_by or item}, found no step.json")
    return record.outputs[name]


def _output_file(payload: TaskPayload, stage: str, item: str, output: OutputRecord) -> InputFile:
    def made(file: FileRecord, indexes: tuple[InputFile, ...] = (), version: str = "") -> InputFile:
        uri, expected = payload.run.uri(file.key), Expected(sha256=file.sha256)
        return InputFile(uri, file.sha256, file.size_bytes, indexes, expected, (stage, item), version)

    return made(output, tuple(map(made, output.indexes)), output.version)
