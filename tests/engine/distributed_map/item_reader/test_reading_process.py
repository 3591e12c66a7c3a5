"""The second process in which large files are read: it yields what this process would, and hides no error."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet as arrow_parquet

from genomics_pipeline.engine.distributed_map.item_reader import ItemReader, objects, reading_process
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.stores.local import Folders, LocalStore
from tests.engine.distributed_map.item_reader.conftest import texts_of

ROWS = [{"n": number, "text": f"é {number}"} for number in range(20_000)]
COMPACT = b"".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for row in ROWS)
SPACED = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def parquet() -> bytes:
    out = io.BytesIO()
    arrow_parquet.write_table(pyarrow.Table.from_pylist(ROWS), out)
    return out.getvalue()


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that writes a file and returns its reader, which uses two processes on any machine."""
    monkeypatch.setattr(reading_process, "LEAST_BYTES", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)

    def call(name: str, content: bytes, **config: Any) -> ItemReader:
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "b" / name).write_bytes(content)
        return ItemReader(LocalStore(Folders(tmp_path)), f"s3://b/{name}", False, ReaderConfig(**config))

    return call


def refuse_reading_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> Any:
        raise AssertionError("read in this process")

    monkeypatch.setattr(objects, "stream_texts", refuse)


@pytest.mark.parametrize(
    ("name", "content", "config"),
    [
        ("k.jsonl", SPACED, {"input_type": "JSONL"}),
        ("k.jsonl.gz", gzip.compress(SPACED), {"input_type": "JSONL"}),
        ("k.json", json.dumps({"a": ROWS}).encode(), {"input_type": "JSON", "items_pointer": "/a"}),
        ("k.csv", b"".join(b"%d;x\n" % number for number in range(9999)), {"csv_headers": ["n", "é"]}),
        ("k.parquet", parquet(), {"input_type": "PARQUET"}),
    ],
)
def test_items_are_read_in_another_process(
    reader: Any, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, config: dict[str, Any]
) -> None:
    if name == "k.csv":
        config = {"input_type": "CSV", "csv_delimiter": ";", **config}
    with monkeypatch.context() as patch:
        patch.setattr(reading_process, "LEAST_BYTES", 1 << 40)
        alone = texts_of(reader(name, content, **config))
    assert len(alone) > 9000
    refuse_reading_here(monkeypatch)
    assert texts_of(reader(name, content, **config)) == alone


def test_halves_of_json_lines_are_counted_in_two_processes(reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    count_lines = objects.count_lines

    def count_here(*arguments: Any) -> Any:
        counted.append(count_lines(*arguments))
        return counted[-1]

    monkeypatch.setattr(objects, "count_lines", count_here)
    compact = reader("k.jsonl", COMPACT, input_type="JSONL")
    assert (compact.count(), len(compact.compact_versions)) == (len(ROWS), 1)
    mixed = reader("k.jsonl", COMPACT * 2 + SPACED, input_type="JSONL")
    assert (mixed.count(), mixed.compact_versions) == (3 * len(ROWS), {})
    assert 9_000 < counted[0][0] < 11_000
    assert (25_000 < counted[1][0] < 35_000, counted[1][1], len(counted)) == (True, True, 2)


@pytest.mark.parametrize("most", [1, 9_999, 15_000, 20_000, 30_000])
def test_items_up_to_the_most_are_counted(reader: Any, most: int) -> None:
    lines = reader("k.jsonl", COMPACT, input_type="JSONL", max_items=most)
    assert lines.count() == min(most, len(ROWS))


@pytest.mark.parametrize(
    ("kind", "lines", "cause"),
    [
        ("JSONL", [SPACED, b"x\n", SPACED], "line 20001, column 1: unexpected character, expected a JSON value"),
        ("JSONL", [b"x\n", SPACED, b"y\n"], "line 1, column 1: unexpected character, expected a JSON value"),
        ("JSONL", [SPACED, SPACED, b"\xef\xbb\xbf1\n", b"2\n" * 9], "line 40001, column 1: UTF-8 byte order mark"),
        ("JSONL", [b'"' + b"x" * 9_000_000 + b'"\n'], "expected lines of at most 8388608 bytes, found a longer one"),
        (
            "CSV",
            [b"a,b\n", b"1,2\n" * 99_999, b"\xff,3\n"],
            "line 100001: expected UTF-8, found the byte 0xff of another encoding",
        ),
        ("PARQUET", [b"none"], "expected Parquet: "),
    ],
)
def test_errors_are_those_of_one_process(reader: Any, kind: str, lines: list[bytes], cause: str) -> None:
    unreadable = reader(f"k.{kind.lower()}", b"".join(lines), input_type=kind)
    for read in (lambda: texts_of(unreadable), unreadable.count):
        with pytest.raises(StatesError) as raised:
            read()
        assert str(raised.value.cause).startswith(f"{unreadable.uri}: {cause}")


def test_a_byte_order_mark_within_a_file_is_no_start(reader: Any) -> None:
    lines = b"1\n" * 50_000
    with pytest.raises(StatesError, match="line 50001, column 1: UTF-8 byte order mark"):
        reader("k.jsonl", lines + b"\xef\xbb\xbf1\n" + lines[:-8], input_type="JSONL").count()


def test_items_before_an_error_are_yielded_once(reader: Any) -> None:
    chunks = reader("k.jsonl", SPACED * 3 + b"x\n", input_type="JSONL").chunks()
    seen: list[bytes] = []
    with pytest.raises(StatesError, match="line 60001"):
        seen.extend(text for chunk in chunks for text in chunk.texts)
    assert seen == (COMPACT * 3).splitlines()[: len(seen)]
    assert len(seen) > 40_000


def test_the_process_ends_when_nobody_wants_its_items(reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = []

    class Kept(reading_process.ReadingProcess):
        def __enter__(self) -> Any:
            processes.append(self._process)
            return super().__enter__()

    monkeypatch.setattr(objects, "ReadingProcess", Kept)
    chunks = reader("k.jsonl", SPACED * 20, input_type="JSONL").chunks()
    next(chunks)
    chunks.close()
    assert [process.poll() for process in processes] == [-9]


def test_one_core_reads_alone(reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    monkeypatch.setattr(objects, "ReadingProcess", None)
    lines = reader("k.jsonl", SPACED, input_type="JSONL")
    assert (lines.count(), len(texts_of(lines))) == (len(ROWS), len(ROWS))
