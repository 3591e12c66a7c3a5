"""A task's inputs: where they lie, what identifies their content, and as local files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import GIVEN, READS, REFERENCE
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import TaskPayload, item_id
from genomics_pipeline.stores.protocol import MissingObject, Store
from genomics_pipeline.worker.completion import OutputRecord, read_completion
from genomics_pipeline.worker.reference import prepare
from genomics_pipeline.worker.upstream import succeeded


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file, its indexes, and what changes when its content does."""

    uri: str
    version: str
    indexes: tuple[str, ...] = ()

    def fetch(self, store: Store, folder: Path) -> str:
        """A local path of it, its indexes beside it."""
        for index in self.indexes:
            store.fetch(index, folder)
        return str(store.fetch(self.uri, folder))


@dataclass(frozen=True, slots=True)
class Input:
    """One input of one task, found but not yet local.

    Attributes:
        spec: Its declaration.
        files: In order.
        lanes: Of reads: the lanes with the places of their files in `files`.
    """

    spec: InputSpec
    files: tuple[InputFile, ...]
    lanes: tuple[tuple[str, int, int | None], ...] = ()

    def digest(self) -> str:
        """Of everything in it."""
        parts = [self.spec.name, *(file.version for file in self.files), repr(self.lanes)]
        return sha256("\0".join(parts).encode()).hexdigest()

    def local(self, store: Store, folder: Path) -> Any:
        """What ``task.json`` says of it."""
        if self.spec.type == "reference":
            return self.files[0].uri
        folders = [folder / self.spec.name / str(number) for number in range(len(self.files))]
        for each in folders if any("://" in file.uri for file in self.files) else ():
            each.mkdir(parents=True)
        paths = [file.fetch(store, each) for file, each in zip(self.files, folders, strict=True)]
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
        items = succeeded(store, payload.upstream[stage])
        return Input(spec, tuple(_output(payload, stage, each, output, store) for each in items))
    own = item_id(item)
    # A cohort stage's one output serves every item.
    found = _output(payload, stage, own, output, store, otherwise="cohort")
    return Input(spec, (found,))


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
        found.append(InputFile(uri, _versioned(uri, store).version, indexes))
    return Input(spec, tuple(found))


def _versioned(uri: str, store: Store) -> InputFile:
    found = store.stat(uri)
    if found is None:
        raise MissingObject(uri)
    return InputFile(uri, f"{uri} {found.version}")


def _output(
    payload: TaskPayload, stage: str, item: str, name: str, store: Store, otherwise: str | None = None
) -> InputFile:
    record = read_completion(store, payload.run, stage, item)
    if record is None and otherwise:
        record = read_completion(store, payload.run, stage, otherwise)
    if record is None:
        raise DataError(f"{stage}: expected it to be done for {item}, found no step.json")
    output: OutputRecord = record.outputs[name]
    uri = payload.run.uri
    return InputFile(uri(output.key), output.sha256, tuple(map(uri, output.indexes)))
