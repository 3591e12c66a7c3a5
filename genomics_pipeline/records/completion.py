"""`step.json`: what ran over one item, and what came of it. Written last, so that it means "done"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.stores.protocol import MissingObject, Store


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """One published file.

    Attributes:
        key: Its key, below the run's prefix.
        size_bytes: Its size.
        sha256: Of its content, in hexadecimal.
        indexes: Keys of its indexes.
    """

    key: str
    size_bytes: int
    sha256: str
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionRecord:
    """One step over one item, done.

    Attributes:
        stage: The stage.
        item: The item's id.
        step: The step's name.
        version: The step's version.
        fingerprint: sha256 of everything the outputs depend on.
        started: When, ISO 8601 in UTC.
        seconds: How long it took, staging included.
        vcpus: Cores it was given.
        memory_mib: Memory it was given.
        peak_memory_mib: See `worker.process.ProcessEnd`.
        parameters: All of them, resolved.
        outputs: By name.
        sources: sha256 of each output of an earlier stage of the item that went in, by ``<stage>.<output>``.
        reused: It was found done, not run now; never written.
    """

    stage: str
    item: str
    step: str
    version: str
    fingerprint: str
    started: str
    seconds: float
    vcpus: int
    memory_mib: int
    peak_memory_mib: int
    parameters: Mapping[str, Any]
    outputs: Mapping[str, OutputRecord]
    sources: Mapping[str, str] = field(default_factory=dict)
    reused: bool = False

    def to_json(self) -> dict[str, Any]:
        """The object that ``step.json`` holds."""
        found = asdict(self)
        del found["reused"]
        return found


def read_completion(store: Store, run: RunPlace, stage: str, item: str) -> CompletionRecord | None:
    """The record of a step over an item; None where it is not done, or was by another version of ours."""
    try:
        found = json.loads(store.read(_uri(run, stage, item)))
        outputs = {
            name: OutputRecord(**{**output, "indexes": tuple(output["indexes"])})
            for name, output in found.pop("outputs").items()
        }
        return CompletionRecord(**found, outputs=outputs, reused=True)
    except (MissingObject, LookupError, TypeError):
        return None


def is_done(store: Store, run: RunPlace, stage: str, item: str) -> bool:
    """Whether a step is done over an item, and what it was made of is still what the stages before it have made."""
    record = read_completion(store, run, stage, item)
    return record is not None and all(
        _is_made(store, run, source, item, sha256) for source, sha256 in record.sources.items()
    )


def _is_made(store: Store, run: RunPlace, source: str, item: str, sha256: str) -> bool:
    stage, _, name = source.partition(".")
    record = read_completion(store, run, stage, item)
    output = record.outputs.get(name) if record else None
    return output is not None and output.sha256 == sha256 and is_done(store, run, stage, item)


def write_completion(store: Store, run: RunPlace, record: CompletionRecord) -> None:
    """Write ``step.json``."""
    text = json.dumps(record.to_json(), indent=2, ensure_ascii=False) + "\n"
    store.write(_uri(run, record.stage, record.item), text.encode())


def delete_completion(store: Store, run: RunPlace, stage: str, item: str) -> None:
    """Take ``step.json`` away, where there is one: in a bucket with versions, a deletion is an object too."""
    uri = _uri(run, stage, item)
    if store.stat(uri):
        store.delete(uri)


def _uri(run: RunPlace, stage: str, item: str) -> str:
    return run.uri(run_layout.completion_record(stage, item))
