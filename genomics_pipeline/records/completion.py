"""`step.json`: which step ran over an item, and its outputs. It is written last: an item that has it is done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from itertools import starmap
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.plain_path import is_plain_key
from genomics_pipeline.model.provenance import Difference, InputVersion, Provenance
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.differences import read_differences
from genomics_pipeline.records.failure import FailureRecord, failed_attempts_to_json, read_failed_attempts
from genomics_pipeline.records.fields import (
    GREATEST,
    SHA256,
    Fields,
    RecordKind,
    UnreadableRecord,
    delete_record,
    read_fields,
)
from genomics_pipeline.records.job import BatchAttempt, read_attempt
from genomics_pipeline.stores.open_folder import LeadsOutside
from genomics_pipeline.stores.protocol import MissingObject, ObjectReader, Store

KIND = RecordKind("a completion record", "run the step again")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One published file.

    Attributes:
        key: Its key, below the run's prefix.
        size_bytes: Its size.
        sha256: The digest of its content, in hexadecimal.
    """

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class OutputRecord(FileRecord):
    """One published output.

    Attributes:
        indexes: Its indexes.
        version: `ObjectInfo.version` when it was published, of a remote output with an index, which may be read in
            parts; empty for others.
    """

    indexes: tuple[FileRecord, ...] = ()
    version: str = ""

    @property
    def files(self) -> tuple[FileRecord, ...]:
        """Return the files of the output, in the order in which they are published: its indexes first."""
        return (*self.indexes, self)


@dataclass(frozen=True, slots=True)
class CompletionRecord:
    """A step that is done over an item.

    Attributes:
        stage: The stage.
        item: The item's id.
        provenance: Everything that the outputs depend on.
        started: The start of the step, ISO 8601 in UTC.
        seconds: The duration, staging included.
        vcpus: The number of cores that it could use.
        memory_mib: The memory that it could use.
        peak_memory_mib: See `worker.process.ProcessEnd`.
        outputs: Its outputs by name.
        sources: sha256 of each input that is an output of an earlier stage over the item, by ``<stage>.<output>``.
        intermediate: Whether only later stages need its outputs, which may expire.
        host: ``instance_type``, ``zone`` and ``market`` of the host in AWS, ``partition``, ``node`` and allocated
            ``cores`` on a Slurm cluster; empty elsewhere.
        input_bytes: The size of its input files and their indexes, without the reference; of remote files that it read
            by their index, the bytes that were read.
        parameter_bytes: The same of the files that its parameters name.
        processor_seconds: The time of its program on all cores.
        left_out_seconds: The part of that which reads took that it left out as a pilot, as far as the program says it.
        tools: The version of each tool that the program named, of this package and of Python, by name.
        because: Why the step ran: what differed from the record that was there, or that there was none.
        compared_with: The start of the step of that record, ISO 8601 in UTC; empty where there was none.
        job: The attempt of the Batch job that made it; None outside of AWS Batch and of an execution.
        submitted: The time of the job's submission, ISO 8601 in UTC; empty where it is not known.
        failed_attempts: The attempts that failed before the one that made it, see `FailureRecord.attempts`.
        reused: True if the record was read, so that the step was not run; not stored.
    """

    stage: str
    item: str
    provenance: Provenance
    started: str
    seconds: float
    vcpus: int
    memory_mib: int
    peak_memory_mib: int
    outputs: Mapping[str, OutputRecord]
    sources: Mapping[str, str] = field(default_factory=dict)
    intermediate: bool = False
    host: Mapping[str, str] = field(default_factory=dict)
    input_bytes: int = 0
    parameter_bytes: int = 0
    processor_seconds: float = 0.0
    left_out_seconds: float = 0.0
    tools: Mapping[str, str] = field(default_factory=dict)
    because: tuple[Difference, ...] = ()
    compared_with: str = ""
    job: BatchAttempt | None = None
    submitted: str = ""
    failed_attempts: tuple[FailureRecord, ...] = ()
    reused: bool = False

    @property
    def step(self) -> str:
        """The step's name."""
        return self.provenance.step

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``step.json`` holds."""
        members = asdict(replace(self, failed_attempts=()))
        del members["reused"], members["failed_attempts"]
        failed = failed_attempts_to_json("failed_attempts", self.failed_attempts)
        return {"stage": self.stage, "item": self.item, **members.pop("provenance"), **members, **failed}


def read_completion(store: ObjectReader, run: RunPlace, stage: str, item: str) -> CompletionRecord | None:
    """Read the record of a step over an item.

    Returns:
        The record. None if there is none, it cannot be read, it is of another item, or another version of this package
        wrote it: the step then runs again and replaces it.
    """
    try:
        record = _completion(read_fields(store, _uri(run, stage, item), KIND))
    except (MissingObject, UnreadableRecord):
        return None
    return record if (record.stage, record.item) == (stage, item) else None


def _completion(fields: Fields) -> CompletionRecord:
    outputs = fields.object("outputs")
    return CompletionRecord(
        stage=fields.name("stage"),
        item=fields.name("item"),
        provenance=_provenance(fields),
        started=fields.time("started"),
        seconds=fields.number("seconds"),
        vcpus=fields.integer("vcpus"),
        memory_mib=fields.integer("memory_mib"),
        peak_memory_mib=fields.integer("peak_memory_mib"),
        outputs={
            name: _ordinary_output(members) or output_of(outputs.object(name))
            for name, members in outputs.members.items()
        },
        sources=fields.object("sources").text_by_name() if fields.has("sources") else {},
        intermediate=fields.flag("intermediate"),
        host=fields.object("host").text_by_name() if fields.has("host") else {},
        input_bytes=fields.integer("input_bytes", 0),
        parameter_bytes=fields.integer("parameter_bytes", 0),
        processor_seconds=fields.number("processor_seconds"),
        left_out_seconds=fields.number("left_out_seconds") if fields.has("left_out_seconds") else 0.0,
        tools=fields.object("tools").text_by_name() if fields.has("tools") else {},
        because=read_differences(fields),
        compared_with=fields.text("compared_with") if fields.has("compared_with") else "",
        job=read_attempt(fields.object("job")) if fields.has("job") else None,
        submitted=fields.optional_time("submitted"),
        failed_attempts=read_failed_attempts(fields, "failed_attempts"),
        reused=True,
    )


def _provenance(fields: Fields) -> Provenance:
    inputs = fields.object("inputs")
    return Provenance(
        step=fields.text("step"),
        version=fields.text("version"),
        program=fields.text("program"),
        parameters=fields.object("parameters").value_by_name(),
        files=fields.object("files").text_by_name(),
        inputs={name: _input(inputs.object(name)) for name in inputs.members},
        members=fields.object("members").value_by_name(),
        publish=fields.object("publish").text_by_name(),
    )


def _input(fields: Fields) -> InputVersion:
    return InputVersion(fields.sha256("digest"), fields.integer("count", 0), fields.texts("files"))


def output_of(fields: Fields) -> OutputRecord:
    """Return the output that a record's object describes."""
    indexes = tuple(map(_file, fields.objects("indexes")))
    one = _file(fields)
    version = fields.text("version") if fields.has("version") else ""
    return OutputRecord(one.key, one.size_bytes, one.sha256, indexes, version)


def _ordinary_output(members: Any) -> OutputRecord | None:
    """Return the output of an object with valid members; None for any other, which `output_of` reads or refuses.

    It takes a third of the time: a large run has a hundred thousand outputs.
    """
    try:
        indexes, version = members["indexes"], members["version"]
        files = [(one["key"], one["size_bytes"], one["sha256"]) for one in (members, *indexes)]
    except (KeyError, TypeError):
        return None
    if type(version) is not str or type(indexes) is not list or not all(starmap(_is_file, files)):
        return None
    return OutputRecord(*files[0], tuple(starmap(FileRecord, files[1:])), version)


def _is_file(key: object, size: object, digest: object) -> bool:
    return (
        (type(key) is str and type(size) is int and type(digest) is str)
        and 0 <= size <= GREATEST
        and SHA256.fullmatch(digest) is not None
        and is_plain_key(key, run_layout.RESULTS)
    )


def _file(fields: Fields) -> FileRecord:
    key = fields.key("key", run_layout.RESULTS)
    return FileRecord(key, fields.integer("size_bytes", 0), fields.sha256("sha256"))


def is_done(store: ObjectReader, run: RunPlace, stage: str, item: str) -> bool:
    """Return whether a step is done over an item; see `done_records`."""
    return bool(done_records(store, run, (stage,), item))


def done_records(
    store: ObjectReader, run: RunPlace, stages: Iterable[str], item: str, *, may_have_expired: bool = False
) -> dict[str, CompletionRecord]:
    """Return the records of the steps that are done over an item: their outputs are whole, and their inputs current.

    Each record is read once.

    Args:
        store: The store of the run.
        run: The run.
        stages: The stages.
        item: The item's id.
        may_have_expired: Whether outputs that only later stages need may be missing.
    """
    read = cache(partial(read_completion, store, run, item=item))
    checked: dict[str, bool] = {}

    def check(stage: str) -> bool:
        if stage not in checked:
            checked[stage] = True  # meanwhile: records that name each other as sources end, too
            checked[stage] = is_whole(read(stage))
        return checked[stage]

    def is_whole(record: CompletionRecord | None) -> bool:
        if record is None:
            return False
        if not (may_have_expired and record.intermediate) and find_damage(store, run, record) is not None:
            return False
        return all(is_current(*source.partition("."), sha256) for source, sha256 in record.sources.items())

    def is_current(stage: str, _: str, name: str, sha256: str) -> bool:
        record = read(stage)
        output = record.outputs.get(name) if record else None
        return output is not None and output.sha256 == sha256 and check(stage)

    return {stage: record for stage in stages if check(stage) and (record := read(stage))}


def find_damage(store: ObjectReader, run: RunPlace, record: CompletionRecord) -> str | None:
    """Compare the sizes of a step's files with its record; return the first difference, None if there is none."""
    for output in record.outputs.values():
        for file in output.files:
            try:
                info = store.stat(run.uri(file.key))
            except (LeadsOutside, OSError) as error:
                return f"{file.key}: expected a file of {file.size_bytes} bytes: {error}"
            if info is None or info.size_bytes != file.size_bytes:
                found = "none" if info is None else f"{info.size_bytes} bytes"
                return f"{file.key}: expected a file of {file.size_bytes} bytes, found {found}"
    return None


def write_completion(store: Store, run: RunPlace, record: CompletionRecord) -> None:
    """Write ``step.json``."""
    text = json.dumps(record.to_json(), indent=2, ensure_ascii=False) + "\n"
    store.write(_uri(run, record.stage, record.item), text.encode())


def delete_completion(store: Store, run: RunPlace, stage: str, item: str) -> None:
    """Delete ``step.json`` if it exists."""
    delete_record(store, _uri(run, stage, item))


def completion_version(store: Store, run: RunPlace, stage: str, item: str) -> str | None:
    """Return the version of an item's ``step.json``, which changes when it is written; None if there is none."""
    info = store.stat(_uri(run, stage, item))
    return info.version if info else None


def _uri(run: RunPlace, stage: str, item: str) -> str:
    return run.uri(run_layout.completion_record(stage, item))
