"""ResultWriter: what became of a Map Run's children, in the files and shapes that AWS writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine.clock import timestamp
from genomics_pipeline.engine.errors import RESULT_WRITER_FAILED, StatesError
from genomics_pipeline.engine.execution import ARN
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.model.errors import PipelineError

if TYPE_CHECKING:
    from genomics_pipeline.stores.protocol import Store

Row = dict[str, Any]
MAX_FILE_BYTES = 5_000_000_000
KINDS = ("FAILED", "PENDING", "SUCCEEDED")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a Map Run's result files go, and how they are written."""

    store: Store
    bucket: str
    prefix: str
    transformation: str
    output_type: str
    max_file_bytes: int = MAX_FILE_BYTES

    @classmethod
    def of(cls, visit: Visit) -> Destination | None:
        """The destination of a Map state; None where nothing is written."""
        writer = visit.state.get("ResultWriter", {})
        if "Resource" not in writer:
            return None
        arguments = visit.arguments(writer, "ResultWriter/")
        config = writer.get("WriterConfig", {})
        return cls(
            visit.execution.engine.store,
            arguments["Bucket"],
            arguments.get("Prefix", ""),
            config.get("Transformation", "NONE"),
            config.get("OutputType", "JSON"),
        )

    def key(self, uuid: str, name: str) -> str:
        """The key of a file of a Map Run."""
        return f"{self.prefix.rstrip('/')}/{uuid}/{name}".lstrip("/")

    def manifest(self, uuid: str) -> dict[str, str]:
        """``ResultWriterDetails`` of a Map Run."""
        return {"Bucket": self.bucket, "Key": self.key(uuid, "manifest.json")}

    def write(self, map_run_arn: str, uuid: str, rows: Iterable[tuple[str, Row]], scratch: Path) -> None:
        """Write all files of a Map Run, each of them whole or not at all, the manifest last.

        Args:
            map_run_arn: The Map Run.
            uuid: Its UUID.
            rows: (``SUCCEEDED``, ``FAILED`` or ``PENDING``; row) in the order they are to stand in.
            scratch: A folder for the files while they grow.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        files = {kind: _Files(self, uuid, kind, scratch) for kind in KINDS}
        try:
            for kind, row in rows:
                for text in self._texts(kind, row):
                    files[kind].add(text)
            written = {kind: files[kind].finish() for kind in KINDS}
            manifest = {"DestinationBucket": self.bucket, "MapRunArn": map_run_arn, "ResultFiles": written}
            self.store.write(f"s3://{self.bucket}/{self.key(uuid, 'manifest.json')}", compact(manifest).encode())
        except (PipelineError, OSError) as error:
            raise StatesError(RESULT_WRITER_FAILED, f"s3://{self.bucket}/{self.prefix}: {error}") from error
        finally:
            for unfinished in files.values():
                unfinished.discard()

    def _texts(self, kind: str, row: Row) -> Iterator[str]:
        if kind != "SUCCEEDED" or self.transformation == "NONE":
            yield compact(row)
            return
        output = json.loads(row["Output"])
        flat = self.transformation == "FLATTEN" and isinstance(output, list)
        yield from map(compact, output if flat else [output])


class _Files:
    """The files of one kind; a new one begins when the last is full."""

    def __init__(self, to: Destination, uuid: str, kind: str, scratch: Path) -> None:
        self._to, self._uuid, self._kind = to, uuid, kind
        self._part = scratch / f"{uuid}.{kind}.part"
        self._file: Any = None
        self._size = 0
        self._done: list[dict[str, Any]] = []
        self._lines = to.output_type == "JSONL"

    def add(self, text: str) -> None:
        data = text.encode()
        if self._file is not None and self._size + len(data) + 2 > self._to.max_file_bytes:
            self._close()
        if self._file is None:
            self._file = self._part.open("wb")
            self._put(b"" if self._lines else b"[")
        elif not self._lines:
            self._put(b",")
        self._put(data + (b"\n" if self._lines else b""))

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)

    def _close(self) -> None:
        self._put(b"" if self._lines else b"]")
        self._file.close()
        name = f"{self._kind}_{len(self._done)}.{self._to.output_type.lower()}"
        key = self._to.key(self._uuid, name)
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


def ended_row(end: Row, machine: str) -> tuple[str, Row]:
    """A finished child's row, from its journal record."""
    succeeded = end["status"] == "SUCCEEDED"
    row = {
        "ExecutionArn": f"{ARN}:execution:{machine}:{end['name']}",
        "Input": end["input"],
        "InputDetails": {"Included": True},
        "Name": end["name"],
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "StartDate": timestamp(end["start"]),
        "StateMachineArn": f"{ARN}:stateMachine:{machine}",
        "Status": end["status"],
        "StopDate": timestamp(end["stop"]),
    }
    if succeeded:
        row["Output"] = end["output"]
        row["RedriveStatus"] = "NOT_REDRIVABLE"
        row["RedriveStatusReason"] = "Execution is SUCCEEDED and cannot be redriven"
    else:
        row["RedriveStatus"] = "REDRIVABLE_BY_MAP_RUN"
        row |= {"Error": end["error"], "Cause": end["cause"]} if "error" in end else {}
    return "SUCCEEDED" if succeeded else "FAILED", dict(sorted(row.items()))


def pending_row(value: Any) -> tuple[str, Row]:
    """The row of a child that was never started."""
    return "PENDING", {"Input": compact(value), "InputDetails": {"Included": True}, "Status": "PENDING"}


def compact(value: Any) -> str:
    """JSON text without spaces, characters beyond ASCII kept."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
