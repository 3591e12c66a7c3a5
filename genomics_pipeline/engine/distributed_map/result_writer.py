"""ResultWriter: what became of a Map Run's children, in the files and shapes that AWS writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.engine.redrive import NOT_REDRIVABLE
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import RESULT_WRITER_FAILED, StatesError, too_large
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.json_text import compact, dumps, loads
from genomics_pipeline.stores.protocol import Store

WriterRow = dict[str, Any]
File = dict[str, Any]  # Key, Size
KINDS = ("FAILED", "PENDING", "SUCCEEDED")
_INCLUDED = {"Included": True}
_BUFFER_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """``WriterConfig``: how results are shaped."""

    transformation: str
    output_type: str

    @classmethod
    def of(cls, visit: Visit) -> WriterConfig:
        """That of a Map state: outputs alone unless it says otherwise; whole rows where they are written."""
        writer = visit.state.get("ResultWriter", {})
        config = writer.get("WriterConfig", {})
        default = "NONE" if "Resource" in writer else "COMPACT"
        return cls(config.get("Transformation", default), config.get("OutputType", "JSON"))


@dataclass(frozen=True, slots=True)
class Destination:
    """The place of a Map Run's result files, and their form."""

    store: Store
    bucket: str
    prefix: str
    transformation: str
    output_type: str
    max_file_bytes: int = quotas.RESULT_FILE.value

    @classmethod
    def of(cls, visit: Visit) -> Destination | None:
        """Return the destination of a Map state; None where nothing is written.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        writer = visit.state.get("ResultWriter", {})
        if "Resource" not in writer:
            return None
        arguments = visit.arguments(writer, "ResultWriter/")
        given = arguments if isinstance(arguments, dict) else {}
        bucket, prefix = given.get("Bucket"), given.get("Prefix", "")
        if not (isinstance(bucket, str) and bucket and isinstance(prefix, str)):
            cause = f"ResultWriter: expected strings in Bucket and Prefix, found {compact(arguments)}"
            raise StatesError(RESULT_WRITER_FAILED, cause)
        config = WriterConfig.of(visit)
        return cls(visit.execution.engine.store, bucket, prefix, config.transformation, config.output_type)

    def key(self, folder: str, name: str) -> str:
        """Return the key of a file in a folder of a Map Run."""
        return f"{self.prefix.rstrip('/')}/{folder}/{name}".lstrip("/")

    def manifest(self, folder: str) -> dict[str, str]:
        """Return ``ResultWriterDetails`` of a Map Run."""
        return {"Bucket": self.bucket, "Key": self.key(folder, run_layout.RESULT_MANIFEST)}

    def succeeded(self, folder: str) -> list[File] | None:
        """Return what the manifest in a folder of a Map Run calls SUCCEEDED; None where there is no manifest.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        uri = f"s3://{self.bucket}/{self.key(folder, run_layout.RESULT_MANIFEST)}"
        try:
            if self.store.stat(uri) is None:
                return None
            files: list[File] = loads(self.store.read(uri))["ResultFiles"]["SUCCEEDED"]
        except (PipelineError, OSError, LookupError, ValueError) as error:
            raise StatesError(RESULT_WRITER_FAILED, f"{uri}: {error}") from error
        return files

    def write(
        self,
        map_run_arn: str,
        folder: str,
        rows: Iterable[tuple[str, WriterRow]],
        scratch: Path,
        before: Sequence[File] | None = None,
    ) -> None:
        """Write all files of a Map Run, each of them whole or not at all, the manifest last.

        Args:
            map_run_arn: The Map Run.
            folder: See `run_layout.redrive_folder`.
            rows: (``SUCCEEDED``, ``FAILED`` or ``PENDING``; row) in the order they are to stand in.
            scratch: A folder for the files while they grow.
            before: Files of what succeeded before a redrive; there is one more then, be it empty.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        files = {kind: _FileSeries(self, folder, kind, scratch) for kind in KINDS}
        try:
            for kind, row in rows:
                for data in transform_row(kind, row, self.transformation):
                    files[kind].add(data)
            if before is not None:
                files["SUCCEEDED"].begin()
            written = {kind: files[kind].finish() for kind in KINDS}
            written["SUCCEEDED"] = [*(before or ()), *written["SUCCEEDED"]]
            manifest = {"DestinationBucket": self.bucket, "MapRunArn": map_run_arn, "ResultFiles": written}
            self.store.write(f"s3://{self.bucket}/{self.key(folder, run_layout.RESULT_MANIFEST)}", dumps(manifest))
        except (PipelineError, OSError, LookupError) as error:
            raise StatesError(RESULT_WRITER_FAILED, f"s3://{self.bucket}/{self.prefix}: {error}") from error
        finally:
            for unfinished in files.values():
                unfinished.discard()


class _FileSeries:
    """The files of one kind; a new one begins when the last is full."""

    def __init__(self, to: Destination, folder: str, kind: str, scratch: Path) -> None:
        self._to, self._folder, self._kind = to, folder, kind
        self._part = scratch / f"{folder.replace('/', '.')}.{kind}.part"
        self._file: IO[bytes] | None = None
        self._size = 0
        self._done: list[dict[str, Any]] = []
        lines = to.output_type == "JSONL"
        self._first, self._between, self._last = (b"", b"\n", b"\n") if lines else (b"[", b",", b"]")

    def add(self, data: bytes) -> None:
        if self._file is not None and self._size + len(data) + 2 > self._to.max_file_bytes:
            self._close()
        if self._file is None:
            self._open()
        else:
            data = self._between + data
        self._write(data)

    def begin(self) -> None:
        """The first file is there also where it stays empty."""
        if self._file is None and not self._done:
            self._open()

    def _open(self) -> None:
        self._file = self._part.open("wb", _BUFFER_BYTES)
        self._write(self._first)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self._size += len(data)

    def _close(self) -> None:
        assert self._file is not None
        if self._size or self._first:  # of lines, an empty file has not even one
            self._write(self._last)
        self._file.close()
        key = self._to.key(self._folder, f"{self._kind}_{len(self._done)}.{self._to.output_type.lower()}")
        self._to.store.publish(self._part, f"s3://{self._to.bucket}/{key}")
        self._done.append({"Key": key, "Size": self._size})
        self._file, self._size = None, 0

    def finish(self) -> list[dict[str, Any]]:
        if self._file is not None:
            self._close()
        return self._done

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)


def state_output(rows: Iterable[tuple[str, WriterRow]], name: str, transformation: str) -> list[Any]:
    """Return the Map state's own result, where nothing is written: what stands in the file, as values.

    Args:
        rows: As for `Destination.write`.
        name: The state's name.
        transformation: ``WriterConfig.Transformation``; ``COMPACT`` without a ResultWriter.

    Raises:
        StatesError: ``States.DataLimitExceeded``, as soon as there is too much.
    """
    found: list[bytes] = []
    size = 1  # brackets, and a comma less than items
    for kind, row in rows:
        for data in transform_row(kind, row, transformation):
            size += len(data) + 1
            if size > quotas.PAYLOAD.value:
                # aws-samples/review-and-assessment-powered-by-intelligent-documentation#58 has it of a Map.
                raise too_large(name)
            found.append(data)
    return [loads(data) for data in found]


def transform_row(kind: str, row: WriterRow, transformation: str) -> list[bytes]:
    """Return what stands for a row, as JSON. What did not succeed is never transformed."""
    if kind != "SUCCEEDED" or transformation == "NONE":
        return [dumps(row)]
    output: str = row["Output"]
    if transformation == "FLATTEN" and output.startswith("["):
        return list(map(dumps, loads(output)))
    return [output.encode()]


def ended_row(end: WriterRow, machine: str) -> tuple[str, WriterRow]:
    """Return a finished child's row, from its journal record; members in the order of AWS's files."""
    status, name = end["status"], end["name"]
    began, stopped = format_timestamp(end["start"]), format_timestamp(end["stop"])
    redriven = {"RedriveCount": end.get("redrives", 0)}
    if "redriven" in end:
        redriven["RedriveDate"] = format_timestamp(end["redriven"])
    execution, state_machine = f"{ARN}:execution:{machine}:{name}", f"{ARN}:stateMachine:{machine}"
    if status == "SUCCEEDED":
        return "SUCCEEDED", {
            "ExecutionArn": execution,
            "Input": end["input"],
            "InputDetails": _INCLUDED,
            "Name": name,
            "Output": end["output"],
            "OutputDetails": _INCLUDED,
            **redriven,
            "RedriveStatus": "NOT_REDRIVABLE",
            "RedriveStatusReason": NOT_REDRIVABLE.format(status),
            "StartDate": began,
            "StateMachineArn": state_machine,
            "Status": status,
            "StopDate": stopped,
        }
    told = {"Cause": end.get("cause"), "Error": end.get("error")}  # none of an aborted child, or of a bare Fail
    return "FAILED", {
        **{name: value for name, value in told.items() if value},
        "ExecutionArn": execution,
        "Input": end["input"],
        "InputDetails": _INCLUDED,
        "Name": name,
        "OutputDetails": _INCLUDED,
        **redriven,
        "RedriveStatus": "REDRIVABLE_BY_MAP_RUN",
        "StartDate": began,
        "StateMachineArn": state_machine,
        "Status": status,
        "StopDate": stopped,
    }


def pending_row(value: Any) -> tuple[str, WriterRow]:
    """Return the row of a child that was never started."""
    return "PENDING", {"Input": compact(value), "InputDetails": _INCLUDED, "Status": "PENDING"}
