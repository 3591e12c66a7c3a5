"""FASTQ files of a batch of lanes, checked by their beginnings and ends: a row for each file, a failure for each lane.

The beginnings are judged as before a run on one machine (`common.fastq_checks`). Files of another kind, truncated ones
and those of another sample have messages of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from common.fastq_checks import CheckedLane, FirstReads, Reading, check_lane
from common.fastq_head import UnusableReads
from file_end import FileEnd, file_end
from indexes import common_index, index_problem
from reads_file import ReadsFile

READERS = 8  # lanes at a time: a function mostly waits for S3
LIBRARY_RECORDS = 100  # of a file of another lane, for its index
BELOW_PHRED64, ABOVE_PHRED64 = ord(";"), ord("i")  # the qualities that Phred+64 has


@dataclass(slots=True)
class LaneReport:
    """The report of a lane.

    Attributes:
        rows: What was found in each file.
        problems: The reasons why the lane cannot be used.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def handle(batch: Any) -> list[dict[str, Any]]:
    """Return a row for each file of the lanes without problems; the other lanes are reported as failed."""
    reading = Reading(batch.parameters["read_layout"], batch.parameters["quality_encoding"])

    @cache
    def index_of(uri: str) -> str | None:
        try:
            file = ReadsFile(batch, uri)
            first = check_lane([uri], Reading("single", "phred33"), lambda _, __: file.head(LIBRARY_RECORDS)).files
        except OSError:
            return None  # it is a problem of its own lane
        return common_index(first[0]) if first else None

    def report(record: Any) -> LaneReport:
        if message := misfit(record):
            return LaneReport(problems=[message])
        found = report_lane(record, batch, reading, index_of)
        where = f"sample {record['sample']}, lane {record['lane']}"
        return LaneReport(found.rows, [f"{where}: {message}" for message in found.problems])

    with ThreadPoolExecutor(READERS) as pool:
        reports = list(pool.map(report, batch.records))
    for number, one in enumerate(reports):
        if one.problems:
            batch.fail(number, "; ".join(one.problems))
    return [row for one in reports if not one.problems for row in one.rows]


def misfit(record: Any) -> str | None:
    """Return what is wrong with a record, or None."""
    if not isinstance(record, dict):
        return "expected an object"
    for name in ("sample", "lane", "fastq_1"):
        if not isinstance(record.get(name), str):
            return f"expected text as {name}, found {record.get(name)!r}"[:200]
    for name in ("fastq_2", "of_library"):
        if not isinstance(record.get(name), str | None):
            return f"expected text or nothing as {name}, found {record.get(name)!r}"[:200]
    return None


def report_lane(record: Mapping[str, Any], batch: Any, reading: Reading, index_of: Any) -> LaneReport:
    """Return the report of a lane.

    Args:
        record: The lane.
        batch: Opens its files.
        reading: How they are to be read.
        index_of: Returns the index of the reads in a file of another lane, or None.
    """
    uris = [record["fastq_1"], *([record["fastq_2"]] if record.get("fastq_2") else [])]
    files: dict[str, ReadsFile] = {}

    def head(uri: str, records: int) -> Any:
        try:
            if uri not in files:
                files[uri] = ReadsFile(batch, uri)
            return files[uri].head(records)
        except FileNotFoundError:
            raise UnusableReads("expected a FASTQ file, found no such file") from None
        except OSError as error:
            raise UnusableReads(str(error)) from None

    lane = check_lane(uris, reading, head)
    problems = list(lane.problems)
    if problems:  # how a file ends says little about one that begins badly
        return LaneReport(problems=[f"{uri}: {message}" for uri, message in problems])
    ends = []
    for uri in uris:
        end = _end(files[uri])
        ends.append(end)
        if end.problem:
            problems.append((uri, end.problem))
    problems += _last_mates(uris, ends)
    problems += _index_problems(record, uris, lane, index_of)
    found = zip(uris, lane.files, ends, strict=True)
    rows = [_row(record, uri, files[uri], reads, len(uris), end) for uri, reads, end in found]
    return LaneReport(rows, [f"{uri}: {message}" for uri, message in problems])


def _end(file: ReadsFile) -> FileEnd:
    try:
        return file_end(file)
    except OSError as error:
        return FileEnd("unknown", problem=str(error))


def _last_mates(uris: list[str], ends: list[FileEnd]) -> list[tuple[str, str]]:
    """Return the problem of two files whose last reads are no mates."""
    if len(ends) != 2 or any(one.problem or not one.last_name for one in ends):
        return []
    first, second = (one.last_name for one in ends)
    if first == second:
        return []
    expected = f"expected the mate of {first} as the last read, found {second}"
    return [(uris[1], f"{expected}: the files have other numbers of reads")]


def _index_problems(
    record: Mapping[str, Any], uris: list[str], lane: CheckedLane, index_of: Any
) -> list[tuple[str, str]]:
    other = record.get("of_library")
    beside = index_of(other) if other else None
    found = [(uri, index_problem(uri, reads, other or "", beside)) for uri, reads in zip(uris, lane.files, strict=True)]
    return [(uri, message) for uri, message in found if message][:1]


def _row(
    record: Mapping[str, Any], uri: str, file: ReadsFile, reads: FirstReads, files: int, end: FileEnd
) -> dict[str, Any]:
    """Return what was found in a file.

    Args:
        record: Its lane.
        uri: The file.
        file: The same, opened.
        reads: Its first records.
        files: The number of files of the lane.
        end: How it ends.
    """
    names = [header.name for header in reads.headers[:2]]
    layout = "paired" if files == 2 else "interleaved" if len(names) == 2 and names[0] == names[1] else "single"
    lengths = [len(one) for one in reads.bases]
    return {
        "sample": record["sample"],
        "lane": record["lane"],
        "file": uri,
        "bytes": file.size_bytes,
        "compression": file.compression,
        "layout": layout,
        "encoding": _encoding(reads),
        "records_read": len(reads.headers),
        "shortest": min(lengths),
        "longest": max(lengths),
        "index": common_index(reads),
        "flow_cell_lane": reads.headers[0].lane,
        "end": end.state,
    }


def _encoding(reads: FirstReads) -> str:
    qualities = set(b"".join(reads.qualities))
    if any(one < BELOW_PHRED64 or one > ABOVE_PHRED64 for one in qualities):
        return "phred33"
    return "phred64" if any(one > ord("^") for one in qualities) else "unknown"
