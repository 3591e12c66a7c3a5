"""Bad FASTQ files for the pipeline preflight, each of which must fail with exactly the message beside it.

Files of more than a megabyte are judged by their beginnings and ends only, so that those here are larger.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.stores.compression import FIRST_BYTES, open_decompressed
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.function_files import FunctionFiles
from genomics_pipeline.worker.lambda_batch import Batch
from genomics_pipeline.worker.step_function import load_handle
from tests.corpus.test_fastq import FASTQ, GENERATED, case_names, write_case
from tests.corpus.test_fastq_checks import LATE, OTHERWISE

END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
TRANSFER = "the file is truncated; transfer it again"
WHOLE = "expected a whole gzip file"


def test_a_function_and_a_run_know_the_same_compressions() -> None:
    """Check the two tables of first bytes, and the messages: neither of the programs can import the other's."""
    sys.path.insert(0, str(load_step("preflight").path))
    try:
        file_kinds = import_module("file_kinds")
    finally:
        sys.path.pop(0)
    assert {**file_kinds.COMPRESSED, b"\x1f\x8b": "gzip"} == FIRST_BYTES
    for start in file_kinds.COMPRESSED:
        with pytest.raises(DataError) as raised:
            open_decompressed(BytesIO(start + bytes(99)))
        assert str(raised.value) == file_kinds.compression_problem(start)


@cache
def fastq(reads: int = 25_000, index: str = "ACGTACGT", mate: int = 1) -> bytes:
    """Return reads as a sequencer names them, of more than a megabyte when they are compressed."""
    random = Random(mate)
    bases = "".join(random.choices("ACGT", k=100 * reads))
    qualities = "".join(random.choices("F:,#", (8, 2, 1, 1), k=100 * reads))
    records = [
        f"@A00:1:FC:1:1101:{place // 100}:7 {mate}:N:0:{index}\n{bases[place : place + 100]}\n+\n"
        f"{qualities[place : place + 100]}\n"
        for place in range(0, 100 * reads, 100)
    ]
    return "".join(records).encode()


@cache
def gz(reads: int = 25_000, index: str = "ACGTACGT", mate: int = 1) -> bytes:
    return gzip.compress(fastq(reads, index, mate), 6, mtime=0)


def bgzf(text: bytes, end: bytes = END) -> bytes:
    """Return text in blocks (SAM specification, 4.1)."""
    blocks = []
    for start in range(0, len(text), 0xFF00):
        part = text[start : start + 0xFF00]
        raw = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = raw.compress(part) + raw.flush()
        header = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (len(data) + 25).to_bytes(2, "little")
        blocks.append(header + data + zlib.crc32(part).to_bytes(4, "little") + len(part).to_bytes(4, "little"))
    return b"".join(blocks) + end


Pair = dict[str, bytes]
CASAVA = "liver_ACGTACGT_L001_R{}_001.fastq.gz"

# Name -> the files of a lane, and the message for it.
BAD: dict[str, tuple[Callable[[], Pair], str]] = {
    "truncated_gzip": (
        lambda: {"a.fastq.gz": gz()[:-25_000]},
        f"a.fastq.gz: {WHOLE}, found its end within a block of deflate: {TRANSFER}",
    ),
    "truncated_in_the_trailer": (
        lambda: {"a.fastq.gz": gz()[:-7]},
        f"a.fastq.gz: {WHOLE}, found its end within a block of deflate: {TRANSFER}",
    ),
    "truncated_small_gzip": (
        lambda: {"a.fastq.gz": gz(2000)[:-9]},
        f"a.fastq.gz: {WHOLE}: Compressed file ended before the end-of-stream marker was reached",
    ),
    "truncated_bgzf": (
        lambda: {"a.fastq.gz": bgzf(fastq())[:-300]},
        f"a.fastq.gz: {WHOLE}, found the end within a block of BGZF: {TRANSFER}",
    ),
    "truncated_text": (
        lambda: {"a.fastq": fastq()[:-60]},
        f"a.fastq: expected whole records, found the end of the file within one: {TRANSFER}",
    ),
    "truncated_before_compression": (
        lambda: {"a.fastq.gz": bgzf(fastq()[:-60])},
        f"a.fastq.gz: expected whole records, found the end of the file within one: {TRANSFER}",
    ),
    "incomplete_download": (
        lambda: {"a.fastq.gz": gz()[:-100_000] + bytes(100_000)},
        f"a.fastq.gz: {WHOLE}, found zeros at its end: {TRANSFER}",
    ),
    "damaged_last_block": (
        lambda: {"a.fastq.gz": bgzf(fastq())[:-200] + b"?" + bgzf(fastq())[-199:]},
        f"a.fastq.gz: {WHOLE}: Error -3 while decompressing data: incorrect data check",
    ),
    "empty": (
        lambda: {"a.fastq.gz": b""},
        "a.fastq.gz: expected reads, found none: the file is empty; give the sample's reads, or leave this lane out of "
        "the sample sheet",
    ),
    "empty_member": (
        lambda: {"a.fastq.gz": END},
        "a.fastq.gz: expected reads, found none: the file is empty; give the sample's reads, or leave this lane out of "
        "the sample sheet",
    ),
    "missing": (
        lambda: {"a.fastq.gz": gz(5), "!b.fastq.gz": b""},
        "b.fastq.gz: expected a FASTQ file, found no such file",
    ),
    "other_mates": (
        lambda: {
            "a_R1.fastq.gz": gz(50),
            "a_R2.fastq.gz": gzip.compress(fastq(50, mate=2).replace(b":3:7 ", b":99:7 ")),
        },
        "a_R2.fastq.gz: record 4: expected the mate of A00:1:FC:1:1101:3:7, found A00:1:FC:1:1101:99:7",
    ),
    "fewer_mates": (
        lambda: {"a_R1.fastq.gz": bgzf(fastq()), "a_R2.fastq.gz": bgzf(fastq(24_990, mate=2))},
        "a_R2.fastq.gz: expected the mate of A00:1:FC:1:1101:24999:7 as the last read, found A00:1:FC:1:1101:24989:7: "
        "the files have other numbers of reads",
    ),
    "phred64": (
        lambda: {"a.fastq": GENERATED["phred64"]()[0]},
        "a.fastq: record 1: expected Phred+33 qualities, found 'B' to 'h' in the first 1200 records, as in Phred+64: "
        "set alignment.quality_encoding=phred64 to convert them, or phred33 to take them as they are",
    ),
    "damaged_small_gzip": (
        lambda: {"a.fastq.gz": GENERATED["damaged_content"]()[0]},
        f"a.fastq.gz: {WHOLE}, found content that its checksum does not fit; transfer it again",
    ),
    "other_bytes_behind": (
        lambda: {"a.fastq.gz": gz(10) + b"<html>"},
        f"a.fastq.gz: {WHOLE}, found other bytes behind it; transfer it again",
    ),
    "html_page": (
        lambda: {"a.fastq.gz": b"<!DOCTYPE html>\n<html><title>403 Forbidden</title>"},
        "a.fastq.gz: expected FASTQ, found an HTML page, such as the error of a server; transfer the file again",
    ),
    "error_of_s3": (
        lambda: {"a.fastq.gz": b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'},
        "a.fastq.gz: expected FASTQ, found an XML document, such as the error of a server; transfer the file again",
    ),
    "bam": (
        lambda: {"a.fastq.gz": bgzf(b"BAM\1\0\0\0\0")},
        "a.fastq.gz: expected FASTQ, found a BAM file; name it in the column bam",
    ),
    "cram": (
        lambda: {"a.fastq.gz": b"CRAM\x03\x00" + bytes(40)},
        "a.fastq.gz: expected FASTQ, found a CRAM file; name it in the column cram",
    ),
    "sam": (
        lambda: {"a.fastq": b"@HD\tVN:1.6\n@SQ\tSN:1\tLN:9\n"},
        "a.fastq: expected FASTQ, found a SAM file; convert it to BAM, and name that in the column bam",
    ),
    "fasta": (lambda: {"a.fastq": b">r1\nACGT\n"}, "a.fastq: expected FASTQ, found FASTA, which has no qualities"),
    "gzip_twice": (
        lambda: {"a.fastq.gz": gzip.compress(gz(10), 0)},
        "a.fastq.gz: expected FASTQ, found gzip again: it was compressed twice; decompress it once",
    ),
    "zstd": (
        lambda: {"a.fastq.gz": b"\x28\xb5\x2f\xfd\x24\0"},
        "a.fastq.gz: expected a plain or gzip file, found zstd; decompress it, or compress it with gzip",
    ),
    "tar": (
        lambda: {"a.fastq": b"a.fastq".ljust(257, b"\0") + b"ustar" + bytes(250)},
        "a.fastq: expected FASTQ, found a tar archive; extract its files first",
    ),
    "other_index_than_the_name": (
        lambda: {CASAVA.format(1): gz(200, "TTTTACGT"), CASAVA.format(2): gz(200, "TTTTACGT", 2)},
        f"{CASAVA.format(1)}: expected reads with the index ACGTACGT, as in the file's name, found TTTTACGT",
    ),
}


def look(*lanes: dict[str, Any], **parameters: str) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Return the rows that the step finds in lanes, and the message for each lane that cannot be used."""
    values = {"read_layout": "auto", "quality_encoding": "auto", **parameters}
    store, step = RoutedStore(lambda: pytest.fail("no file is in S3")), load_step("preflight")
    files = FunctionFiles(step.spec, store, RunPlace("r", "b", ""), {})
    batch = Batch(list(lanes), len(lanes), values, {}, "", files)
    rows = load_handle(step)(batch)
    json.dumps(rows)
    return rows, dict(batch.failures())


def lane(folder: Path, files: Pair, **more: str) -> dict[str, Any]:
    """Write the files of a lane, but for those that begin with an exclamation mark, and return its record."""
    for name, data in files.items():
        if not name.startswith("!"):
            (folder / name).write_bytes(data)
    paths = [str(folder / name.lstrip("!")) for name in files]
    return {"sample": "liver", "lane": "L001", **dict(zip(("fastq_1", "fastq_2"), paths, strict=False)), **more}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_have_their_message(name: str, tmp_path: Path) -> None:
    make, message = BAD[name]
    rows, failures = look(lane(tmp_path, make()))
    assert rows == []
    assert [one.replace(f"{tmp_path}/", "") for one in failures.values()] == [f"sample liver, lane L001: {message}"]


# Preflight names what these are.
NAMED = {"bam_in_gzip", "damaged_content", "fasta"}


@pytest.mark.parametrize("name", sorted({*case_names(), *GENERATED} - LATE - NAMED))
def test_beginnings_are_judged_as_before_a_run(name: str, tmp_path: Path) -> None:
    message = (FASTQ / f"{name}.expected").read_text("utf-8").removeprefix("error: ").strip()
    message = message.replace("set read_layout", "set alignment.read_layout").replace(
        "set quality", "set alignment.quality"
    )
    files = dict(zip(("fastq_1", "fastq_2"), map(str, write_case(name, tmp_path)), strict=False))
    _, failures = look({"sample": "a", "lane": "L1", **files})
    found = failures[0].replace(f"{tmp_path}/", "").removeprefix("sample a, lane L1: ")
    assert found.partition(";")[0] == OTHERWISE.get(name, message).partition(";")[0]


GOOD: dict[str, tuple[Callable[[], Pair], dict[str, Any]]] = {
    "gzip": (lambda: {"a.fastq.gz": gz()}, {"compression": "gzip", "end": "whole", "records_read": 1000}),
    "several_members": (lambda: {"a.fastq.gz": gz() + gz(10)}, {"compression": "gzip", "end": "whole"}),
    "padded": (lambda: {"a.fastq.gz": gz() + bytes(512)}, {"end": "whole"}),
    "bgzf": (lambda: {"a.fastq.gz": bgzf(fastq())}, {"compression": "bgzf", "end": "whole"}),
    "bgzf_without_end": (lambda: {"a.fastq.gz": bgzf(fastq(), b"")}, {"end": "no BGZF end"}),
    "one_block_of_deflate": (lambda: {"a.fastq.gz": one_block()}, {"end": "unknown"}),
    "small": (lambda: {"a.fastq": fastq(3)}, {"compression": "none", "encoding": "phred33", "longest": 100}),
    "pair": (
        lambda: {CASAVA.format(1): gz(), CASAVA.format(2): gz(mate=2)},
        {"layout": "paired", "index": "ACGTACGT", "flow_cell_lane": "1"},
    ),
    "no_line_end": (lambda: {"a.fastq": fastq(3)[:-1]}, {"end": "whole"}),
}


def one_block() -> bytes:
    """Return gzip without blocks that have codes of their own, in whose end nothing can be found."""
    raw = zlib.compressobj(1, zlib.DEFLATED, 31, 8, zlib.Z_FIXED)
    return raw.compress(fastq()) + raw.flush()


@pytest.mark.parametrize("name", GOOD)
def test_good_files_have_a_row(name: str, tmp_path: Path) -> None:
    make, facts = GOOD[name]
    rows, failures = look(lane(tmp_path, make()))
    assert failures == {}
    assert len(rows) == len(make())
    assert [{name: row[name] for name in facts} for row in rows] == [facts] * len(rows)


@pytest.mark.parametrize("level", [1, 6, 9])
def test_a_cut_at_any_place_is_found(level: int, tmp_path: Path) -> None:
    data, random = gzip.compress(fastq(), level, mtime=0), Random(level)
    for _ in range(8):
        cut = random.randrange(2, len(data) - (1 << 20) - 1)
        _, failures = look(lane(tmp_path, {"a.fastq.gz": data[:-cut]}))
        assert failures, cut


def test_lanes_of_a_library_have_one_index(tmp_path: Path) -> None:
    first = lane(tmp_path, {"a.fastq.gz": gz(200)})
    other = {"of_library": first["fastq_1"]}
    lanes = [first, lane(tmp_path, {"b.fastq.gz": gz(200)}, **other)]
    assert look(*lanes)[1] == {}
    lanes.append(lane(tmp_path, {"c.fastq.gz": gz(200, "GGGGACGT")}, **other))
    (message,) = look(*lanes)[1].values()
    assert message.replace(f"{tmp_path}/", "") == (
        "sample liver, lane L001: c.fastq.gz: expected reads with the index ACGTACGT, as in a.fastq.gz, found GGGGACGT"
        "; if they are of two libraries of the sample, name these in the column library"
    )


def test_parameters_are_those_of_the_alignment(tmp_path: Path) -> None:
    file = lane(tmp_path, BAD["phred64"][0]())
    rows, failures = look(file, quality_encoding="phred64")
    assert (rows[0]["encoding"], failures) == ("phred64", {})
    second = lane(tmp_path, {"r2.fastq": fastq(5, mate=2)})
    assert look(second, read_layout="single")[1] == {}
    assert "expected single reads, found the second read" in look(second)[1][0]


@pytest.mark.parametrize(
    "record", [3, {}, {"sample": "a", "lane": "b"}, {"sample": "a", "lane": "b", "fastq_1": "x", "fastq_2": 3}]
)
def test_other_records_are_failures(record: object) -> None:
    assert look(record)[1][0].startswith("expected ")  # type: ignore[arg-type]
