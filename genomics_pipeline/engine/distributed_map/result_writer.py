"""ResultWriter, which writes the ends of a Map Run's children in AWS's files and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from genomics_pipeline.engine.distributed_map.result_rows import WriterRow, transform_row
from genomics_pipeline.engine.row_file import Framing, RowFile
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import RESULT_WRITER_FAILED, StatesError, too_large
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.json_text import compact, dumps, loads
from genomics_pipeline.stores.protocol import Store

FileEntry = dict[str, Any]  # a file in the manifest: Key, Size
KINDS = ("FAILED", "PENDING", "SUCCEEDED")
_BUFFER_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """``WriterConfig``: the form of the results."""

    transformation: str
    output_type: str

    @classmethod
    def of(cls, visit: Visit) -> WriterConfig:
        """Return the configuration of a Map state.

        The default transformation is NONE with a destination, and COMPACT, the outputs alone, without one.
        """
        writer = visit.state.get("ResultWriter", {})
        config = writer.get("WriterConfig", {})
        default = "NONE" if "Resource" in writer else "COMPACT"
        return cls(config.get("Transformation", default), config.get("OutputType", "JSON"))


@dataclass(frozen=True, slots=True)
class Destination:
    """The destination and the form of a Map Run's result files.

    Attributes:
        store: The store that holds the bucket.
        bucket: ``Bucket``.
        prefix: ``Prefix``.
        transformation: ``Transformation``: ``NONE``, ``COMPACT`` or ``FLATTEN``.
        output_type: ``OutputType``: ``JSON`` or ``JSONL``.
        max_file_bytes: The maximum size of a file, unless a single row is larger.
    """

    store: Store
    bucket: str
    prefix: str
    transformation: str
    output_type: str
    max_file_bytes: int = quotas.RESULT_FILE.value

    @classmethod
    def of(cls, visit: Visit) -> Destination | None:
        """Return the destination of a Map state; None if it does not write results.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        writer = visit.state.get("ResultWriter", {})
        if "Resource" not in writer:
            return None
        arguments = visit.arguments(writer, "ResultWriter/")
        members = arguments if isinstance(arguments, dict) else {}
        bucket, prefix = members.get("Bucket"), members.get("Prefix", "")
        if not (isinstance(bucket, str) and bucket and isinstance(prefix, str)):
            cause = f"ResultWriter: expected strings in Bucket and Prefix, found {compact(arguments)}"
            raise StatesError(RESULT_WRITER_FAILED, cause)
        config = WriterConfig.of(visit)
        return cls(visit.execution.engine.store, bucket, prefix, config.transformation, config.output_type)

    def key(self, folder: str, name: str) -> str:
        """Return the key of a file in a folder of a Map Run."""
        return f"{self.prefix.rstrip('/')}/{folder}/{name}".lstrip("/")

    def is_result_file(self, rows: RowFile) -> bool:
        """Return whether a file of rows of successes, as they are, can be a result file."""
        return self.transformation == "NONE" and rows.size < self.max_file_bytes

    def manifest(self, folder: str) -> dict[str, str]:
        """Return ``ResultWriterDetails`` of a Map Run."""
        return {"Bucket": self.bucket, "Key": self.key(folder, run_layout.RESULT_MANIFEST)}

    def succeeded_files(self, folder: str) -> list[FileEntry] | None:
        """Return the SUCCEEDED files in the manifest of a Map Run's folder; None if there is no manifest.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        uri = f"s3://{self.bucket}/{self.key(folder, run_layout.RESULT_MANIFEST)}"
        try:
            if self.store.stat(uri) is None:
                return None
            files: list[FileEntry] = loads(self.store.read(uri))["ResultFiles"]["SUCCEEDED"]
        except (PipelineError, OSError, LookupError, ValueError) as error:
            raise StatesError(RESULT_WRITER_FAILED, f"{uri}: {error}") from error
        return files

    def write(
        self,
        map_run_arn: str,
        folder: str,
        rows: Iterable[tuple[str, WriterRow]],
        scratch: Path,
        before: Sequence[FileEntry] | None = None,
        succeeded: RowFile | None = None,
    ) -> None:
        """Write the files of a Map Run, each of them atomically, and the manifest last.

        Args:
            map_run_arn: The Map Run's ARN.
            folder: See `run_layout.redrive_folder`.
            rows: Pairs of ``SUCCEEDED``, ``FAILED`` or ``PENDING`` and a row, in the order of the files.
            scratch: A folder for incomplete files.
            before: The SUCCEEDED files from before a redrive; after a redrive there is always another one, even if it
                is empty.
            succeeded: A file with the rows of successes, if they are not among `rows`.

        Raises:
            StatesError: ``States.ResultWriterFailed``.
        """
        files = {kind: _FileSeries(self, folder, kind, scratch) for kind in KINDS}
        try:
            for kind, row in rows:
                for data in transform_row(kind, row, self.transformation):
                    files[kind].add(data)
            if succeeded is not None:
                files["SUCCEEDED"].adopt(succeeded)
            if before is not None:
                files["SUCCEEDED"].ensure_file()
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
    """The files of one kind; when one is full, another one is opened."""

    def __init__(self, destination: Destination, folder: str, kind: str, scratch: Path) -> None:
        self._destination, self._folder, self._kind = destination, folder, kind
        self._part = scratch / f"{folder.replace('/', '.')}.{kind}.part"
        self._file: IO[bytes] | None = None
        self._size = 0
        self._is_adopted = False
        self._done: list[dict[str, Any]] = []
        self._framing = Framing.of(destination.output_type)

    def add(self, data: bytes) -> None:
        if self._file is not None and self._size + len(data) + 2 > self._destination.max_file_bytes:
            self._close()
        if self._file is None:
            self._open()
        else:
            data = self._framing.between + data
        self._write(data)

    def adopt(self, rows: RowFile) -> None:
        """Make a whole file of rows the only file."""
        self._part.unlink(missing_ok=True)
        self._size = rows.copy_to(self._part)
        self._is_adopted = True

    def ensure_file(self) -> None:
        """Open the first file, which may stay empty."""
        if self._file is None and not self._done and not self._is_adopted:
            self._open()

    def _open(self) -> None:
        self._part.unlink(missing_ok=True)  # left by a killed process
        self._file = self._part.open("xb", _BUFFER_BYTES)
        self._write(self._framing.first)

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self._size += len(data)

    def _close(self) -> None:
        assert self._file is not None
        if self._size or self._framing.first:  # an empty JSONL file has no line end
            self._write(self._framing.last)
        self._file.close()
        self._publish()

    def _publish(self) -> None:
        destination = self._destination
        key = destination.key(self._folder, f"{self._kind}_{len(self._done)}.{destination.output_type.lower()}")
        destination.store.publish(self._part, f"s3://{destination.bucket}/{key}")
        self._done.append({"Key": key, "Size": self._size})
        self._file, self._size = None, 0

    def finish(self) -> list[dict[str, Any]]:
        if self._file is not None:
            self._close()
        elif self._is_adopted:
            self._publish()
        return self._done

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)


def state_output(rows: Iterable[tuple[str, WriterRow]], name: str, transformation: str) -> list[Any]:
    """Return the result of a Map state without a destination: the values that a file would contain.

    Args:
        rows: As for `Destination.write`.
        name: The state's name.
        transformation: ``WriterConfig.Transformation``; ``COMPACT`` without a ResultWriter.

    Raises:
        StatesError: ``States.DataLimitExceeded`` as soon as the values exceed the limit.
    """
    values: list[bytes] = []
    size = 1  # two brackets, and one comma less than values
    for kind, row in rows:
        for data in transform_row(kind, row, transformation):
            size += len(data) + 1
            if size > quotas.PAYLOAD.value:
                # For a Map: aws-samples/review-and-assessment-powered-by-intelligent-documentation#58.
                raise too_large(name)
            values.append(data)
    return [loads(data) for data in values]
