"""A task's inputs: where they lie, what identifies their content, and as local files."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import GIVEN, READS, REFERENCE
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.protocol import ANY, Expected, MissingObject, Store
from genomics_pipeline.worker.streams import Streams
from genomics_pipeline.worker.upstream import gathered, in_parallel


@dataclass(frozen=True, slots=True)
class Staging:
    """How inputs become local.

    Attributes:
        store: Where they lie.
        streams: Takes those that are streamed.
        cancelled: Set when it must end.
    """

    store: Store
    streams: Streams
    cancelled: threading.Event


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file, its indexes, what changes when its content does, and what its content must be when it is read."""

    uri: str
    version: str
    indexes: tuple[str, ...] = ()
    expected: Expected = ANY

    def stage(self, staging: Staging, folder: Path, stream: bool) -> str:
        """A local path of it, its indexes beside it."""
        local = staging.store.local(self.uri)
        if local is None:
            folder.mkdir(parents=True)
        if stream and local is None:
            path = folder / self.uri.rsplit("/", 1)[-1]
            staging.streams.open(self.uri, self.expected, path)
            return str(path)
        for index in self.indexes:
            staging.store.fetch(index, folder, ANY, staging.cancelled)
        return str(staging.store.fetch(self.uri, folder, self.expected, staging.cancelled))


@dataclass(frozen=True, slots=True)
class Input:
    """One input of one task, found but not yet local.

    Attributes:
        spec: Its declaration.
        files: In order.
        lanes: Of reads: the lanes with the places of their files in `files`.
        source: Of an output of an earlier stage over the same item: ``<stage>.<output>``.
    """

    spec: InputSpec
    files: tuple[InputFile, ...]
    lanes: tuple[tuple[str, int, int | None], ...] = ()
    source: str | None = None

    def digest(self) -> str:
        """Of everything in it."""
        parts = [self.spec.name, *(file.version for file in self.files), repr(self.lanes)]
        return sha256("\0".join(parts).encode()).hexdigest()

    def local(self, staging: Staging, folder: Path) -> Any:
        """What ``task.json`` says of it."""
        if self.spec.type == "reference":
            return self.files[0].uri
        folders = [folder / self.spec.name / str(number) for number in range(len(self.files))]
        paths = [file.stage(staging, each, self.spec.stream) for file, each in zip(self.files, folders, strict=True)]
        if self.spec.type == "reads":
            return [
                {"lane": lane, "fastq_1": paths[first], "fastq_2": None if second is None else paths[second]}
                for lane, first, second in self.lanes
            ]
        return paths if self.spec.type == "files" else paths[0]


def find_input(payload: TaskPayload, spec: InputSpec, item: Mapping[str, Any], store: Store) -> Input:
    """Find one input of a task.

    Raises:
        DataError: if it is not there.
    """
    source = payload.inputs[spec.name]
    if source == READS:
        return _reads(spec, item, store)
    if source == GIVEN:
        return _given(spec, item["files"][spec.name], store)
    if source == REFERENCE:
        path = prepare(payload.reference, spec.indexes, store, None)
        return Input(spec, (_versioned(str(path), store),))
    stage, _, output = source.partition(".")
    if stage in payload.upstream:
        items = gathered(store, payload.run, stage, payload.upstream[stage])
        return Input(spec, tuple(in_parallel(lambda each: _output(payload, stage, each, output, store), items)))
    own = item_id(item)
    if record := read_completion(store, payload.run, stage, own):
        return Input(spec, (_published(payload, record, output),), source=source)
    return Input(spec, (_output(payload, stage, "cohort", output, store, own),))  # its one output serves every item


def _reads(spec: InputSpec, item: Mapping[str, Any], store: Store) -> Input:
    files: list[InputFile] = []
    lanes: list[tuple[str, int, int | None]] = []
    for lane in item["lanes"]:
        uris = [lane["fastq_1"], *([lane["fastq_2"]] if lane["fastq_2"] else [])]
        lanes.append((lane["lane"], len(files), len(files) + 1 if len(uris) == 2 else None))
        files += [_versioned(uri, store) for uri in uris]
    return Input(spec, tuple(files), tuple(lanes))


def _given(spec: InputSpec, uris: Sequence[str], store: Store) -> Input:
    """Files that the item names itself, each with those of its indexes that lie beside it."""
    found = []
    for uri in uris:
        beside = (f"{uri}.{ending}" for ending in spec.indexes)
        indexes = tuple(index for index in beside if store.stat(index))
        if spec.indexes and not indexes:
            expected = " or ".join(f"{uri}.{ending}" for ending in spec.indexes)
            raise DataError(f"{uri}: expected its index beside it ({expected}), found none")
        found.append(replace(_versioned(uri, store), indexes=indexes))
    return Input(spec, tuple(found))


def _versioned(uri: str, store: Store) -> InputFile:
    found = store.stat(uri)
    if found is None:
        raise MissingObject(uri)
    return InputFile(uri, f"{uri} {found.version}", expected=Expected(version=found.version))


def _output(
    payload: TaskPayload, stage: str, item: str, name: str, store: Store, wanted: str | None = None
) -> InputFile:
    record = read_completion(store, payload.run, stage, item)
    if record is None:
        raise DataError(f"{stage}: expected it to be done for {wanted or item}, found no step.json")
    return _published(payload, record, name)


def _published(payload: TaskPayload, record: CompletionRecord, name: str) -> InputFile:
    output, uri = record.outputs[name], payload.run.uri
    indexes = tuple(map(uri, output.indexes))
    return InputFile(uri(output.key), output.sha256, indexes, Expected(sha256=output.sha256))
