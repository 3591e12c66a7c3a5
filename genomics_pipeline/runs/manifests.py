"""Sample sheets: reading them, and checking the files that they name."""

from __future__ import annotations

import gzip
import posixpath
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import cast

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.manifest import parse_sheet
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.runs.sheet_file import read_sheet
from genomics_pipeline.stores.protocol import Store

COMPARED_RECORDS = 1000


def read_manifest(uri: str) -> list[Sample]:
    """Return the samples of a sheet at a path or any URI that smart-open reads.

    Raises:
        DataError: if the sheet cannot be read; with all problems in it.
    """
    text = read_sheet(uri)
    shown = without_secrets(uri)
    base = posixpath.dirname(shown) if "://" in uri else str(Path(uri).absolute().parent)
    return parse_sheet(text, shown, base)


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
