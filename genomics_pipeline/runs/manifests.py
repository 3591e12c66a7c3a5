"""Sample sheets: reading them, and checking the files that they name."""

from __future__ import annotations

import gzip
import posixpath
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import BinaryIO, cast

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.manifest import parse_sheet
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.stores.protocol import Store

COMPARED_RECORDS = 1000
_PLAIN = (".csv", ".tsv", ".json", ".jsonl")


def read_manifest(uri: str) -> list[Sample]:
    """Return the samples of a sheet at a path or any URI that smart-open reads.

    Raises:
        DataError: if the sheet cannot be read; with all problems in it.
    """
    try:
        with _open(uri) as stream:
            text = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"expected UTF-8, found byte 0x{error.object[error.start]:02x}; save the sheet as UTF-8"
        raise DataError(Problem(message, uri, line)) from None
    except Exception as error:  # smart-open raises the exceptions of many libraries
        if _is_missing(error):
            raise DataError(Problem("expected a sample sheet, found no such file", uri)) from None
        raise DataError(Problem(f"expected a readable sample sheet: {error}", uri)) from None
    base = posixpath.dirname(uri) if "://" in uri else str(Path(uri).absolute().parent)
    return parse_sheet(text, uri, base)


def _open(uri: str) -> BinaryIO:
    """Open a sheet; a plain file without smart-open, whose import takes longer than the reading."""
    if "://" not in uri and Path(uri).suffix in _PLAIN:
        return Path(uri).open("rb")
    from smart_open import open as smart_open

    return smart_open(uri, "rb")


def _is_missing(error: Exception) -> bool:
    """Return whether an error of smart-open means that there is no such file; for S3 it wraps the error of boto3."""
    response = getattr(getattr(error, "backend_error", None), "response", {})
    return isinstance(error, FileNotFoundError) or response.get("Error", {}).get("Code") == "NoSuchKey"


def file_problems(samples: Iterable[Sample], store: Store) -> Iterator[Problem]:
    """Yield the problems at the beginnings of the FASTQ files that a manifest names."""
    for sample in samples:
        for lane in sample.lanes:
            names: list[list[str]] = []
            for uri in filter(None, (lane.fastq_1, lane.fastq_2)):
                try:
                    names.append(_read_names(uri, store))
                except DataError as error:
                    yield from (
                        Problem(f"sample {sample.sample}, lane {lane.lane}: {one.message}", uri)
                        for one in error.problems
                    )
            if len(names) == 2 and (message := _disagreement(*names)):
                assert lane.fastq_2 is not None
                yield Problem(f"sample {sample.sample}, lane {lane.lane}: {message}", lane.fastq_2)


def _read_names(uri: str, store: Store) -> list[str]:
    """Return the names of a FASTQ file's first reads, without ``/1`` and comments."""
    if store.stat(uri) is None:
        raise DataError("expected a FASTQ file, found no such file")
    try:
        with store.open(uri) as raw:
            stream = gzip.GzipFile(fileobj=raw) if uri.endswith(".gz") else raw
            lines = list(islice(cast(Iterator[bytes], stream), 4 * COMPARED_RECORDS))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"expected a whole gzip file: {error}") from None
    except OSError as error:
        raise DataError(f"expected a readable file: {error.strerror or error}") from None
    if not lines:
        raise DataError("expected reads, found an empty file")
    for number, line in enumerate(lines[::4], 1):
        if not line.startswith(b"@") or not line[1:].split():
            raise DataError(f"record {number}: expected '@' and a read's name, found {line[:20]!r}; is this FASTQ?")
    return [line[1:].split()[0].removesuffix(b"/1").removesuffix(b"/2").decode("latin-1") for line in lines[::4]]


def _disagreement(first: Sequence[str], second: Sequence[str]) -> str | None:
    for number, (one, other) in enumerate(zip_longest(first, second), 1):
        if one != other:
            expected = "the end of the file, as in the mates' file" if one is None else f"the mate of {one}"
            return f"record {number}: expected {expected}, found {other or 'the end of the file'}"
    return None
