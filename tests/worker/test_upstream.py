"""The items that a stage gathers: those that are done, by all executions of the run."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.result_rows import ended_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import CompletionRecord, OutputRecord, write_completion
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import MissingObject
from genomics_pipeline.worker.upstream import gathered_items, missing_words
from tests.runs.records import NO_PROVENANCE

Row = dict[str, Any]
RUN = RunPlace("r", "run", "")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "run").mkdir()
    return LocalStore({"run": tmp_path / "run"})


def child(number: int, child_input: Any, status: str = "SUCCEEDED") -> tuple[str, Row]:
    """Return a child's row, as AWS and the engine write it."""
    end = {"output": "{}"} if status == "SUCCEEDED" else {"error": "E", "cause": "c"}
    name = f"child-{number}"
    return ended_row(
        {"status": status, "name": name, "input": json.dumps(child_input), "start": 1, "stop": 2, **end}, "m"
    )


def write_results(
    store: LocalStore, rows: list[tuple[str, Row]], tmp_path: Path, size: int = 1 << 20, uuid: str = "uuid"
) -> dict[str, str]:
    to = Destination(store, "run", "map-runs/Sample", "NONE", "JSONL", size)
    to.write("arn", uuid, rows, tmp_path)
    return to.manifest(uuid)


def item(**values: Any) -> Row:
    return {"item": values, "stage": "alignment"}


def manifest(store: LocalStore, *samples: str) -> None:
    """Write the run's manifest."""
    store.write("s3://run/manifest.jsonl", "".join(f'{{"sample":"{name}","lanes":[]}}\n' for name in samples).encode())


def batch(number: int, *samples: str, status: str = "SUCCEEDED") -> tuple[str, Row]:
    items = [item(sample=name, lanes=[]) for name in samples]
    return child(number, {"Items": items, "BatchInput": {"run": {}}}, status)


def write_done(store: LocalStore, stage: str, item: str, content: str, **sources: str) -> None:
    """Write an output with this content and its record; it was made from other stages' outputs with their contents."""
    key = f"results/{stage}/{item}.txt"
    store.write(RUN.uri(key), content.encode())
    outputs = {"out": OutputRecord(key, len(content), digest(content))}
    digests = {f"{source}.out": digest(content_of_source) for source, content_of_source in sources.items()}
    started = "2026-01-01T00:00:00+00:00"
    write_completion(store, RUN, CompletionRecord(stage, item, NO_PROVENANCE, started, 1, 1, 1, 1, outputs, digests))


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def gather(store: LocalStore, *map_runs: dict[str, str], stage: str = "calling") -> list[str]:
    return list(gathered_items(store, RUN, stage, map_runs).done)


def test_single_items_in_the_manifests_order(store: LocalStore, tmp_path: Path) -> None:
    manifest(store, "b", "c", "a", "pending")
    rows = [
        child(1, item(sample="a", lanes=[])),
        child(2, item(sample="c", lanes=[]), "FAILED"),
        child(3, item(sample="b", lanes=[])),
    ]
    details = write_results(store, rows, tmp_path)
    assert details == {"Bucket": "run", "Key": "map-runs/Sample/uuid/manifest.json"}
    assert gather(store, details) == ["b", "a"]
    assert gathered_items(store, RUN, "calling", [details]).missing == ("c", "pending")


def test_batches_of_intervals(store: LocalStore, tmp_path: Path) -> None:
    names = [["00003", "00001"], ["00002"]]
    store.write("s3://run/intervals.jsonl", "".join(f'{{"interval":"0000{n}"}}\n' for n in (1, 2, 3)).encode())
    rows = [
        child(number, {"Items": [item(interval=name, regions=[]) for name in batch], "BatchInput": {"run": {}}})
        for number, batch in enumerate(names)
    ]
    assert gather(store, write_results(store, rows, tmp_path)) == ["00001", "00002", "00003"]


def test_missing_intervals_are_given_with_their_regions(store: LocalStore, tmp_path: Path) -> None:
    lines = [
        '{"interval":"00001","regions":["chr1:1-9","chr2:1-5"]}',
        '{"interval":"00002","regions":["chr2:6-9"]}',
        '{"interval":"00003","uri":"s3://run/items/intervals/00003.json"}',
    ]
    store.write("s3://run/intervals.jsonl", "".join(f"{line}\n" for line in lines).encode())
    store.write("s3://run/items/intervals/00003.json", b'{"interval":"00003","regions":["chr3:1-7"]}')
    details = write_results(store, [child(1, item(interval="00002", regions=[]))], tmp_path)
    items = gathered_items(store, RUN, "calling", [details])
    assert items.missing == ("00001", "00003")
    assert missing_words(store, RUN, items) == ("00001 (chr1:1-9 chr2:1-5)", "00003 (chr3:1-7)")
    manifest(store, "a", "b")
    samples = write_results(store, [child(1, item(sample="a", lanes=[]))], tmp_path, uuid="2")
    assert missing_words(store, RUN, gathered_items(store, RUN, "calling", [samples])) == ("b",)


def test_several_files(store: LocalStore, tmp_path: Path) -> None:
    manifest(store, *(f"s{number}" for number in range(1, 10)))
    rows = [child(number, item(sample=f"s{number}", lanes=[])) for number in range(9, 0, -1)]
    details = write_results(store, rows, tmp_path, size=1000)
    result_manifest = json.loads(store.read("s3://run/" + details["Key"]))
    assert len(result_manifest["ResultFiles"]["SUCCEEDED"]) > 2
    assert gather(store, details) == [f"s{number}" for number in range(1, 10)]


def test_without_successes_nothing_is_gathered(store: LocalStore, tmp_path: Path) -> None:
    assert gather(store) == []
    assert gather(store, write_results(store, [], tmp_path)) == []
    manifest(store, "a")
    assert gather(store, write_results(store, [child(1, item(sample="a"), "FAILED")], tmp_path)) == []


def test_done_items_of_a_failed_batch_are_gathered(store: LocalStore, tmp_path: Path) -> None:
    manifest(store, "done", "no_record", "well", "stale", "half", "cut")
    rows = [batch(1, "half", "stale", "no_record", "done", "cut", status="FAILED"), batch(2, "well")]
    for name in ("done", "stale", "half", "cut"):
        write_done(store, "calling", name, "called", alignment="aligned")
    for name in ("done", "cut"):
        write_done(store, "alignment", name, "aligned")
    store.write(RUN.uri("results/alignment/cut.txt"), b"align")
    write_done(store, "alignment", "stale", "aligned anew")  # another item failed before this one was called again
    assert gather(store, write_results(store, rows, tmp_path)) == ["done", "well"]


def test_an_item_is_done_only_if_all_its_sources_are_current(store: LocalStore, tmp_path: Path) -> None:
    manifest(store, "a", "b")
    details = write_results(store, [batch(1, "a", "b", status="FAILED")], tmp_path)
    for name in ("a", "b"):
        write_done(store, "calling", name, "3", alignment="2")
        write_done(store, "alignment", name, "2", trimming="1")
    write_done(store, "trimming", "a", "1")
    write_done(store, "trimming", "b", "another")
    assert gather(store, details) == ["a"]


def test_an_unknown_record_does_not_count(store: LocalStore, tmp_path: Path) -> None:
    manifest(store, "a")
    store.write("s3://run/steps/calling/a/step.json", b'{"outputs": {}, "colour": "blue"}')
    assert gather(store, write_results(store, [batch(1, "a", status="FAILED")], tmp_path)) == []


def test_of_several_executions_the_newest_counts_and_each_item_is_gathered_once(
    store: LocalStore, tmp_path: Path
) -> None:
    manifest(store, "fixed", "well", "broken", "twice", "never")
    first = [
        child(1, item(sample="fixed"), "FAILED"),
        child(2, item(sample="never"), "FAILED"),
        *(child(number, item(sample=name)) for number, name in enumerate(("well", "broken", "twice"), 3)),
    ]
    second = [
        child(1, item(sample="twice")),
        child(2, item(sample="fixed")),
        child(3, item(sample="broken"), "FAILED"),
    ]
    both = [write_results(store, rows, tmp_path, uuid=uuid) for uuid, rows in (("1", first), ("2", second))]
    assert gather(store, *both) == ["fixed", "well", "twice"]
    assert gathered_items(store, RUN, "calling", both).missing == ("broken", "never")
    assert gather(store, both[0]) == ["well", "broken", "twice"]


GOOD = json.dumps(child(1, item(sample="a", lanes=[]))[1])


ROW = "a child execution's row (ResultWriter's Transformation NONE)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[]", ROW),
        ("7", ROW),
        ("{}", ROW),
        ('{"Input": 7, "Status": "x"}', ROW),
        ('{"Input": "{}"}', ROW),
        ('{"Input": "7", "Status": "x"}', "a child's items in Input"),
        ('{"Input": "{}", "Status": "x"}', "a child's items in Input"),
        ('{"Input": "{\\"Items\\": [7]}", "Status": "x"}', "a child's items in Input"),
        ('{"Input": "{\\"item\\": 7}", "Status": "x"}', "a child's items in Input"),
    ],
)
def test_a_malformed_line_is_reported(store: LocalStore, line: str, expected: str) -> None:
    store.write("s3://run/x/m.json", b'{"ResultFiles": {"SUCCEEDED": [{"Key": "x/SUCCEEDED_0.jsonl"}]}}')
    store.write("s3://run/x/SUCCEEDED_0.jsonl", f"{GOOD}\n{line}\n{GOOD}\n".encode())
    with pytest.raises(DataError) as error:
        gather(store, {"Bucket": "run", "Key": "x/m.json"})
    shown = line if expected == ROW else json.loads(line)["Input"]
    assert str(error.value) == f"{store.local('s3://run/x/SUCCEEDED_0.jsonl')}:2: expected {expected}, found {shown!r}"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"ResultFiles": {}}', '{"ResultFiles": {"SUCCEEDED": [7]}}'])
def test_a_malformed_manifest_is_reported(store: LocalStore, text: str) -> None:
    store.write("s3://run/x/m.json", text.encode())
    with pytest.raises(DataError) as error:
        gather(store, {"Bucket": "run", "Key": "x/m.json"})
    assert str(error.value).startswith(f"s3://run/x/m.json: expected ResultWriter's manifest, found {text!r}")


def test_missing_files(store: LocalStore) -> None:
    with pytest.raises(MissingObject, match=r"^s3://run/x/m\.json: expected a file, found none$"):
        gather(store, {"Bucket": "run", "Key": "x/m.json"})
    store.write("s3://run/x/m.json", b'{"ResultFiles": {"SUCCEEDED": [{"Key": "x/x"}]}}')
    with pytest.raises(MissingObject, match=r"^s3://run/x/x: expected a file, found none$"):
        gather(store, {"Bucket": "run", "Key": "x/m.json"})
