"""Sample sheets: reading them, checking the files that they name, and making one from a folder of FASTQ files."""

from __future__ import annotations

import csv
import gzip
import io
import posixpath
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import BinaryIO, cast

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.manifest import FASTQ, parse_sheet
from genomics_pipeline.model.sample import NAME, Sample
from genomics_pipeline.stores.protocol import Store

COMPARED_RECORDS = 1000
_PLAIN = (".csv", ".tsv", ".json", ".jsonl")

# The names that bcl2fastq, bcl-convert and the public archives give: SAMPLE[_S1][_L001]_R1[_001].fastq.gz and
# SAMPLE_1.fastq.gz.
_ILLUMINA = re.compile(
    r"(?P<sample>.+?)(?:_S\d+)?(?:_(?P<lane>L\d{3}))?[._](?P<read>R?[12])(?:_\d{3})?\.(?:fastq|fq)(?:\.gz)?"
)
_INDEX_READS = re.compile(r".*_I[12]_\d{3}\.(?:fastq|fq)(?:\.gz)?", re.DOTALL)  # barcodes, already used


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


def init_sheet(prefix: str, store: Store) -> str:
    """Return a sample sheet, as CSV text, of the FASTQ files below a folder or S3 prefix.

    Raises:
        DataError: if there are no FASTQ files; with all files from whose names no sample or read can be derived.
    """
    folder = prefix if prefix.endswith("/") else f"{prefix}/"
    rows: dict[tuple[str, str], dict[str, str]] = {}
    problems: list[Problem] = []
    for info in store.list(folder):
        if FASTQ.fullmatch(info.uri) and not _INDEX_READS.fullmatch(info.uri):
            problems += _add_file(info.uri, rows)
    for (sample, lane), row in rows.items():
        if "fastq_1" not in row:
            problems.append(Problem(f"expected the first reads of sample {sample}, lane {lane} too", row["fastq_2"]))
    if not rows and not problems:
        problems.append(Problem("expected FASTQ files (.fastq.gz, .fq.gz, .fastq, .fq), found none", prefix))
    if problems:
        raise DataError(problems)
    text = io.StringIO()
    columns = ("patient", "sample", "lane", "fastq_1", "fastq_2")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for (sample, lane), row in sorted(rows.items()):
        writer.writerow({"patient": sample, "sample": sample, "lane": lane, **row})
    return text.getvalue()


def _add_file(uri: str, rows: dict[tuple[str, str], dict[str, str]]) -> Iterator[Problem]:
    """Add a file to the row of its sample and lane, and yield the problems of its name."""
    name = uri.rsplit("/", 1)[-1]
    match = _ILLUMINA.fullmatch(name)
    sample = match["sample"] if match else re.sub(r"\.(fastq|fq)(\.gz)?$", "", name)
    if not NAME.fullmatch(sample):
        yield Problem(f"expected a name of letters, digits, '.', '_' and '-' for a sample, found {sample!r}", uri)
        return
    column = f"fastq_{match['read'][-1]}" if match else "fastq_1"
    row = rows.setdefault((sample, (match and match["lane"]) or "L001"), {})
    if column in row:
        yield Problem(f"expected one {column} of sample {sample} in a lane, found {row[column]} too", uri)
    row.setdefault(column, uri)


def sample_of(uri: str) -> str:
    """Return the sample in the name of a file.

    >>> sample_of("reads/NA1_S1_L001_R1_001.fastq.gz"), sample_of("s3://b/NA1.md.bam")
    ('NA1', 'NA1')
    """
    name = uri.rsplit("/", 1)[-1]
    match = _ILLUMINA.fullmatch(name)
    return match["sample"] if match else name.split(".")[0]
