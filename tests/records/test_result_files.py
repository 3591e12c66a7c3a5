"""ResultWriter's files, written by AWS and by the engine, and malformed ones."""

from __future__ import annotations

import json
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.distributed_map.result_rows import ended_row, pending_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.records import result_file_rows, result_row
from genomics_pipeline.records.result_files import newest_details, result_rows
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import MissingObject

RECORDED = Path(__file__).parent / "data" / "result_writer"
EXPRESS = "results/express/04ece767-a4a3-4cf2-b443-48970fdad886"
STANDARD = "results/standard/2eb317d5-aa60-49ce-87b5-77b132a052b8"
ROW = "expected a child execution's row (ResultWriter's Transformation NONE)"
Row = dict[str, Any]


@pytest.fixture
def recorded() -> LocalStore:
    return LocalStore({"b": RECORDED})


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "b").mkdir()
    return LocalStore({"b": tmp_path / "b"})


def at(key: str) -> dict[str, str]:
    return {"Bucket": "b", "Key": f"{key}/manifest.json"}


def path_of(store: LocalStore, key: str) -> str:
    """Return the path of an object, which messages name."""
    return str(store.local(f"s3://b/{key}"))


def put(store: LocalStore, kind: str, *files: bytes, sizes: bool = True) -> dict[str, str]:
    """Write files of one kind and their manifest, and return its details."""
    content_by_key = {f"u/{kind}_{number}.json": data for number, data in enumerate(files)}
    for key, data in content_by_key.items():
        store.write(f"s3://b/{key}", data)
    entries = [{"Key": key, **({"Size": len(data)} if sizes else {})} for key, data in content_by_key.items()]
    store.write("s3://b/u/manifest.json", json.dumps({"ResultFiles": {kind: entries}}).encode())
    return at("u")


def test_a_recorded_map_run_after_a_redrive(recorded: LocalStore) -> None:
    # radkawar/stackd testdata/aws/stepfunctions/redrive_map.json: the newest folder has all failed or pending children.
    first, last = at(EXPRESS), at(f"{EXPRESS}/Redrive-1")
    assert newest_details(recorded, first) == newest_details(recorded, last) == last
    names = ["22315863-7f3c-3d6c-abfa-567e9af2bbd5", "2ee4cc91-aa76-3cbc-b0eb-02a64ab1d686"]
    names += ["9a5ab4d4-fad0-3cce-853e-164d848c157b"]
    for details, count in ((first, 0), (last, 1)):
        failed = list(result_rows(recorded, details, "FAILED"))
        assert [row.child["Name"] for row in failed] == names
        assert [row.child["RedriveCount"] for row in failed] == [count] * 3
        assert {(row.error, row.cause[:13]) for row in failed} == {("States.TaskFailed", "The principal")}
        pending = list(result_rows(recorded, details, "PENDING"))
        assert [json.loads(row.input_text())["index"] for row in pending] == [3, 4, 5]
        assert [(row.error, row.cause, "Name" in row.child) for row in pending] == [("", "", False)] * 3
        assert list(result_rows(recorded, details, "SUCCEEDED")) == []


def test_a_redrive_accumulates_successes_and_earlier_redrives_may_have_no_folder(recorded: LocalStore) -> None:
    # From the same recording: the execution was redriven twice, the Map Run once.
    details = newest_details(recorded, at(STANDARD))
    assert details == at(f"{STANDARD}/Redrive-2")
    succeeded = list(result_rows(recorded, details, "SUCCEEDED"))
    assert [json.loads(row.input_text())["index"] for row in succeeded] == [0, 3, 4, 5]
    assert [row.location.rpartition("/")[2] for row in succeeded] == [
        "SUCCEEDED_0.json: element 1 at byte 1",
        "SUCCEEDED_0.json: element 2 at byte 754",
    ] * 2
    assert list(result_rows(recorded, details, "FAILED")) == []


def test_the_newest_redrive_is_that_of_the_highest_number(store: LocalStore) -> None:
    assert newest_details(store, at("p/u")) == at("p/u")
    for key in ("p/u/Redrive-2", "p/u/Redrive-10", "p/u/Redrive-x", "p/u2/Redrive-99", "p/u"):
        store.write(f"s3://b/{key}/FAILED_0.json", b"[]")
    # The manifest is written last: until then it is missing, and an older one is not used instead.
    assert newest_details(store, at("p/u")) == newest_details(store, at("p/u/Redrive-2")) == at("p/u/Redrive-10")
    with pytest.raises(MissingObject):
        list(result_rows(store, newest_details(store, at("p/u")), "FAILED"))


def test_a_recorded_batch(recorded: LocalStore) -> None:
    (row,) = result_rows(recorded, at("results/csv-none"), "SUCCEEDED")
    assert json.loads(row.input_text())["BatchInput"] == {"tag": "csv-batch"}
    assert row.location == path_of(recorded, "results/csv-none/SUCCEEDED_0.jsonl:1")


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (
            "json-compact",
            'SUCCEEDED_0.json: element 1 at byte 1: {}, found \'[{{"n":0,"text":"zero"}}\'',
        ),
        ("flatten", "SUCCEEDED_0.jsonl:1: {}, found '10'"),
    ],
)
def test_files_of_outputs_alone_are_refused(recorded: LocalStore, folder: str, message: str) -> None:
    row = next(result_rows(recorded, at(f"results/{folder}"), "SUCCEEDED"))
    for read in (row.items, row.input_text, lambda: row.child):
        with pytest.raises(DataError) as error:
            read()
        assert str(error.value).startswith(f"{path_of(recorded, f'results/{folder}')}/{message.format(ROW)}")


@pytest.mark.parametrize(
    "output",
    [b'{"x":[{"a":1},{"b":2}]}', b'{"a":1}', b"[1,2]", b'"text"', b"null", b'{"Input":"{}"}', b'{"Status":"x"}'],
)
@pytest.mark.parametrize("shape", [b"[%s,%s]", b"%s\n%s\n"])
def test_files_of_any_outputs_are_refused(store: LocalStore, output: bytes, shape: bytes) -> None:
    with pytest.raises(DataError, match=r"expected a child execution's row \(ResultWriter's Transformation NONE\)"):
        [row.items() for row in result_rows(store, put(store, "SUCCEEDED", shape % (output, output)), "SUCCEEDED")]


@pytest.mark.parametrize(
    ("members", "error", "cause"),
    [
        ({"Status": "ABORTED"}, "", ""),
        ({"Status": "TIMED_OUT"}, "States.Timeout", ""),
        ({"Status": "TIMED_OUT", "Error": "Own", "Cause": "c"}, "Own", "c"),
        ({"Status": "FAILED", "Error": "E"}, "E", ""),
        ({"Status": "PENDING"}, "", ""),
    ],
)
def test_error_and_cause_may_be_missing(members: Row, error: str, cause: str) -> None:
    row = ResultRow("f", 1, json.dumps({"Input": "{}", **members}).encode())
    assert (row.error, row.cause) == (error, cause)


def failed(name: str, cause: str = "c", **child_input: Any) -> bytes:
    """Return the row of a child that failed, with a cause of some length."""
    end = {"status": "FAILED", "error": "E", "cause": cause, "name": name, "start": 1, "stop": 2}
    return compact(ended_row({**end, "input": compact(child_input)}, "m")[1]).encode()


A, B = failed("a", item={"sample": "a"}), failed("b", item={"sample": "b"})
HARD = ['},{"ExecutionArn":"x', '","InputDetails":{"Included":true', '"Input":"{}"', "\\", '\\"}', "}]", "]\n[", "é😀"]


@pytest.mark.parametrize("hard", HARD)
@pytest.mark.parametrize("array", [True, False])
def test_text_that_looks_like_the_end_of_a_row_does_not_end_it(store: LocalStore, hard: str, array: bool) -> None:
    texts = [
        failed("a", hard, item={"sample": "a", "x": hard}),
        failed(hard, item={"sample": "b"}),
        failed("c", item={}),
    ]
    data = b"[%s]" % b",".join(texts) if array else b"\n".join(texts) + b"\n"
    rows = list(result_rows(store, put(store, "FAILED", data), "FAILED"))
    assert [row.line.removesuffix(b"\n") for row in rows] == texts
    assert [row.items() for row in rows] == [[{"sample": "a", "x": hard}], [{"sample": "b"}], [{}]]
    assert [row.child["Cause"] for row in rows] == [hard, "c", "c"]


@pytest.mark.parametrize("data", [b"[]", b" [ ] ", b"", b"[\n]\n"])
def test_a_file_without_rows(store: LocalStore, data: bytes) -> None:
    assert list(result_rows(store, put(store, "FAILED", data), "FAILED")) == []


def test_an_array_with_white_space(store: LocalStore) -> None:
    children = [json.loads(failed(name, item={"sample": name})) for name in "abc"]
    data = ("\n " + json.dumps(children, indent=2) + "\n").encode()
    assert [row.items() for row in result_rows(store, put(store, "FAILED", data), "FAILED")] == [
        [{"sample": name}] for name in "abc"
    ]


def read_all(store: LocalStore, data: bytes, size: int | None = None) -> str:
    """Return the error about a file with this content, and this size in the manifest."""
    store.write("s3://b/u/f", data)
    entry = {"Key": "u/f", **({} if size is None else {"Size": size})}
    store.write("s3://b/u/manifest.json", json.dumps({"ResultFiles": {"FAILED": [entry]}}).encode())
    with pytest.raises(DataError) as error:
        [row.items() for row in result_rows(store, at("u"), "FAILED")]
    return str(error.value)


def test_a_truncated_file_is_reported_with_the_location(store: LocalStore) -> None:
    lines, array = A + b"\n" + B + b"\n", b"[" + A + b"," + B + b"]"
    file = path_of(store, "u/f")
    for cut in range(1, len(B) - 1):
        assert read_all(store, lines[: -1 - cut]).startswith(f"{file}:2: {ROW}, found ")
    place = f"{file}: element 2 at byte {len(A) + 2}"
    for cut in range(2, len(B) - 2):
        assert read_all(store, array[:-cut]).startswith(f"{place}: {ROW} and ']' at the file's end, found ")
    assert read_all(store, array[:-1]) == f"{place}: {ROW} and ']' at the file's end, found {B[-40:].decode()!r}"
    # A truncation between two rows shows only in the size.
    assert (
        read_all(store, A + b"\n", len(lines))
        == f"{file}: expected {len(lines)} bytes, as the manifest says, found {len(A) + 1}"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (A + b"\n" + A + B + b"\n", ":2: {row}"),
        (b"[" + A + B + b"]", ": element 1 at byte 1: {row}"),
        (b"[" + A + b"] [" + B + b"]", ": element 1 at byte 1: {row}"),
        (b"[" + A + b",]", ": element 1 at byte 1: {row}"),
        (b"[" + A + b",\n" + B[:-1] + b"]", f": element 2 at byte {len(A) + 3}: {{row}}"),
        (A + b"\n" + B.replace(b"Cause", b"Cau\nse") + b"\n", ":2: {row}"),
        (A + b"\n\n" + B, ":2: {row}"),
        (A + b"\n" + B.replace(b'{\\"item', b"{item"), ":2: expected a child's items in Input"),
        (A + b"\n" + B.replace(b"item", b"else"), ":2: expected a child's items in Input"),
        (b"\xff\n", ":1: {row}"),
    ],
)
def test_malformed_rows_are_reported(store: LocalStore, data: bytes, message: str) -> None:
    assert read_all(store, data).startswith(path_of(store, "u/f") + message.format(row=ROW) + ", found ")


def test_messages_quote_the_malformed_text(store: LocalStore) -> None:
    assert read_all(store, A + b"\n{not JSON\n") == (
        f"{path_of(store, 'u/f')}:2: {ROW}, found '{{not JSON': Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)"
    )
    assert read_all(store, b'{"Input":"{\\"item\\":7}","InputDetails":{"Included":true},"Status":"PENDING"}') == (
        f"{path_of(store, 'u/f')}:1: expected a child's items in Input, found '{{\"item\":7}}'"
    )


@pytest.mark.parametrize(
    ("begin", "place"),
    [
        (b"", ":1"),
        (b"[", ": element 1 at byte 1"),
        (A + b"\n", ":2"),
        (b"[" + A + b",", f": element 2 at byte {len(A) + 2}"),
    ],
)
def test_memory_is_bounded_by_the_longest_row(
    begin: bytes, place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(result_file_rows, "BLOCK_BYTES", 1 << 10)
    for module in (result_file_rows, result_row):
        monkeypatch.setattr(module, "MAX_ROW_BYTES", 1 << 12)

    class Endless(BytesIO):
        reads = 0

        def readinto(self, buffer: Any, /) -> int:
            self.reads += 1
            block = begin + b'{"' if self.reads == 1 else b"x" * len(buffer)
            buffer[: len(block)] = block
            return len(block)

    stream = Endless()

    class Store(LocalStore):
        def open(self, uri: str) -> BinaryIO:
            return stream

        def read(self, uri: str) -> bytes:
            return b'{"ResultFiles": {"FAILED": [{"Key": "u/f"}]}}'

    unending = Store({"b": tmp_path})
    with pytest.raises(DataError) as error:
        [row.items() for row in result_rows(unending, at("u"), "FAILED")]
    words = f"{ROW[:8]} {ROW[9:]} of at most 4096 bytes, found '{{\"{'x' * 38}' and more"
    assert str(error.value) == f"{path_of(unending, 'u/f')}{place}: {words}"
    assert stream.reads < 7


def test_a_missing_manifest_or_file(store: LocalStore) -> None:
    with pytest.raises(MissingObject, match=r"^s3://b/u/manifest\.json: expected a file, found none$"):
        list(result_rows(store, at("u"), "FAILED"))
    store.write("s3://b/u/manifest.json", b'{"ResultFiles":{"FAILED":[{"Key":"u/FAILED_0.json","Size":2}]}}')
    with pytest.raises(MissingObject, match=r"^s3://b/u/FAILED_0\.json: expected a file, found none$"):
        list(result_rows(store, at("u"), "FAILED"))


texts = st.text(st.sampled_from('aé\\"{}[],:\n\u2028😀'), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=3,
)
children = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING"]),
        "items": st.lists(st.dictionaries(texts, values, max_size=2), min_size=1, max_size=3),
        "batch": st.booleans(),
        "output": values,
        "cause": texts,
    }
)


def items_after_child(row: ResultRow) -> list[Any]:
    """Return a row's items, after its child was decoded."""
    assert row.child
    return list(row.items())


def as_engine_row(child: Row) -> tuple[str, Row]:
    items = [{"item": item} for item in child["items"]]
    value = {"BatchInput": {}, "Items": items} if child["batch"] else items[0]
    if child["status"] == "PENDING":
        return pending_row(value)
    end = {"output": compact(child["output"])} if child["status"] == "SUCCEEDED" else {}
    if child["status"] == "FAILED":
        end = {"error": "E", "cause": child["cause"]}
    return ended_row(
        {"status": child["status"], "name": "n", "input": compact(value), "start": 1, "stop": 2, **end}, "m"
    )


@settings(max_examples=100)
@example(
    [{"status": "SUCCEEDED", "items": [{}], "batch": False, "output": [[]], "cause": ""}], "FLATTEN", "JSONL", 1, 1
)
@given(
    st.lists(children, max_size=5),
    st.sampled_from(["NONE", "COMPACT", "FLATTEN"]),
    st.sampled_from(["JSON", "JSONL"]),
    st.sampled_from([1, 700, 2000, 10**9]),
    st.sampled_from([1, 7, 100, 1 << 17]),
)
def test_the_engines_files_are_read(
    children_written: list[Row], transformation: str, output_type: str, most: int, block: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(result_file_rows, "BLOCK_BYTES", block)
        store = LocalStore({"b": Path(folder) / "b"})
        rows = [as_engine_row(child) for child in children_written]
        destination = Destination(store, "b", "p", transformation, output_type, most)
        destination.write("arn", "u", rows, Path(folder))
        for kind in ("FAILED", "PENDING", *(["SUCCEEDED"] if transformation == "NONE" else [])):
            expected = [
                (row, child) for (row_kind, row), child in zip(rows, children_written, strict=True) if row_kind == kind
            ]
            for read_items in (ResultRow.items, items_after_child):
                rows_read = list(result_rows(store, destination.manifest("u"), kind))
                assert [read_items(row) for row in rows_read] == [
                    child["items"] if child["batch"] else child["items"][:1] for _, child in expected
                ]
                assert [dict(row.child) for row in rows_read] == [row for row, _ in expected]
        written = [json.loads(row.get("Output", "[]")) for _, row in rows]
        if transformation == "FLATTEN":  # an array of results that is empty is read as a file without rows
            written = [
                [one for one in output if one != []] if isinstance(output, list) else output for output in written
            ]
        if transformation != "NONE" and any(written):
            with pytest.raises(DataError, match="expected a child execution's row"):
                [row.items() for row in result_rows(store, destination.manifest("u"), "SUCCEEDED")]


@pytest.mark.parametrize("key", ["", "f", "../f", "/f", "u/../f", "u//f", "u2/f", "s3://b/u/f", "u/..", "u/\x1b"])
def test_keys_outside_of_the_map_run_are_refused(store: LocalStore, key: str) -> None:
    store.write("s3://b/f", b"")
    store.write("s3://b/u/manifest.json", json.dumps({"ResultFiles": {"FAILED": [{"Key": key}]}}).encode())
    with pytest.raises(DataError, match=r"outside of the Map Run's folder"):
        list(result_rows(store, {"Bucket": "b", "Key": "u/manifest.json"}, "FAILED"))
