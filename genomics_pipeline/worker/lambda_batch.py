"""The argument of ``handle`` in the program of a step on Lambda: a batch of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.worker.function_files import FunctionFiles, RecordFile


class HandledCall:
    """A call of ``handle``: the parameters, and the files that its program reads and writes.

    Attributes:
        parameters: The values of the step's parameters by name; a file is a path on this machine, and one that is
            ranged is as the user named it.
    """

    def __init__(self, parameters: Mapping[str, Any], files: FunctionFiles) -> None:
        self.parameters = dict(parameters)
        self._files = files

    @property
    def scratch(self) -> str:
        """A folder for temporary files, which is removed when the call ends."""
        return str(self._files.scratch)

    def file(self, uri: str) -> RecordFile:
        """Return a file that a record, a result or a ranged parameter names; several threads may read files.

        Args:
            uri: Its path or URI.

        Raises:
            FileNotFoundError: if there is none.
            OSError: for a file that cannot be read.
            TypeError: in a step that reads no files.
        """
        return self._files.file(uri)

    def excerpt(self, uri: str, regions: Sequence[str]) -> str:
        """Return the path of a VCF or BCF file with at least the records that overlap some regions, and its index.

        A file on this machine is that file. Of a remote one, the header and these records are read by its index.

        Args:
            uri: Its path or URI.
            regions: Regions such as ``chr1:1-5000000``, in the file's order.

        Raises:
            OSError: for a file that cannot be read, is damaged, or has no index.
            TypeError: in a step that reads no files.
        """
        return self._files.excerpt(uri, regions)

    def output(self, name: str) -> str:
        """Return the path at which the program writes an output of ``step.toml``; it is saved when ``handle`` returns.

        Args:
            name: The name of the output.

        Raises:
            KeyError: for an output that the step does not have.
        """
        return self._files.output(name)


class Batch(HandledCall):
    """A batch of records, with what a step's program may know of its task.

    Attributes:
        records: The records: a list of JSON values, or a ``pyarrow.Table`` where the step's input says ``as =
            "arrow"``.
        upstream: By input, the results of earlier stages over the same batch.
        digest: The digest of the records, by which writes to other services can be made once.
    """

    def __init__(
        self,
        records: Any,
        count: int,
        parameters: Mapping[str, Any],
        upstream: Mapping[str, Any],
        digest: str,
        files: FunctionFiles,
    ) -> None:
        super().__init__(parameters, files)
        self.records = records
        self.upstream = dict(upstream)
        self.digest = digest
        self._count = count
        self._failures: dict[int, str] = {}

    def fail(self, index: int, message: str) -> None:
        """Report that one record failed; the others of the batch are kept.

        Args:
            index: Its position among the records, from 0.
            message: The reason, for the user.

        Raises:
            ValueError: for an index without a record, which is a fault of the program.
            TypeError: for an index that is not an integer, or a message that is not text.
        """
        if isinstance(index, bool) or not isinstance(index, int) or not isinstance(message, str):
            raise TypeError(f"batch.fail: expected an integer and a text, found {index!r} and {message!r}")
        if not 0 <= index < self._count:
            raise ValueError(f"batch.fail: expected the index of one of {self._count} records, found {index}")
        self._failures.setdefault(index, message)

    def failures(self) -> list[tuple[int, str]]:
        """Return the records that failed, in their order, each with the first message that was reported."""
        return sorted(self._failures.items())
