"""The list of a stage's outputs that the jobs of a run share: what it saves, and jobs that fail or are lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.result_rows import ended_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord, FileRecord, OutputRecord, write_completion
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.gathered_outputs import GatheredOutputs, list_uri, read_list, write_list
from genomics_pipeline.stores.protocol import TransferFailed
from genomics_pipeline.worker import shared_list
from genomics_pipeline.worker.find_input import find_input
from genomics_pipeline.worker.inputs import Input
from genomics_pipeline.worker.shared_list import CLAIM_S, PAUSE_S, Waiting, shared_outputs
from tests.fakes.memory_store import MemoryStore
from tests.patience import PATIENCE_S
from tests.runs.records import NO_PROVENANCE

RUN = RunPlace("r", "b", "runs/r/")
SPEC = InputSpec("gvcfs", "files", ("tbi",), missing=True, ranged=True)
STARTED = "2026-01-01T00:00:00+00:00"
LIST = "s3://b/list.jsonl"
MADE = GatheredOutputs((("a", OutputRecord("results/a", 1, "0" * 64, (FileRecord("results/a.i", 2, "1" * 64),), "v")),))


class Counted(MemoryStore):
    """A store that counts its requests by method."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str] = Counter()

    def stat(self, uri: str) -> Any:
        self.requests["stat"] += 1
        return super().stat(uri)

    def read(self, uri: str) -> bytes:
        self.requests["read"] += 1
        return super().read(uri)

    def create(self, uri: str, data: bytes) -> bool:
        self.requests["create"] += 1
        return super().create(uri, data)


def cohort(samples: int, folder: Path) -> tuple[Counted, TaskPayload]:
    """Return a run in which a stage is done for all samples but the last, and the payload of a job over an interval."""
    store, names = Counted(), [f"s{number}" for number in range(samples)]
    store.write(RUN.uri("manifest.jsonl"), "".join(f'{{"sample":"{name}","lanes":[]}}\n' for name in names).encode())
    child = {"status": "SUCCEEDED", "name": "n", "start": 1, "stop": 2, "output": "{}"}
    rows = [
        ended_row({**child, "input": json.dumps({"item": {"sample": name, "lanes": []}})}, "m") for name in names[:-1]
    ]
    to = Destination(store, "b", "runs/r/map-runs/Sample", "NONE", "JSONL", 1 << 20)
    to.write("arn", "uuid", rows, folder)
    for name in names[:-1]:
        index = FileRecord(f"results/{name}.tbi", 1, "1" * 64)
        outputs = {"gvcf": OutputRecord(f"results/{name}.g.vcf.gz", 3, "0" * 64, (index,), "v")}
        write_completion(store, RUN, CompletionRecord("calling", name, NO_PROVENANCE, STARTED, 1, 1, 1, 1, outputs))
    store.requests.clear()
    item = {"interval": "00001", "regions": ["chr1:1-9"]}
    upstream = {"calling": [to.manifest("uuid")]}
    inputs = {"gvcfs": "calling.gvcf"}
    return store, TaskPayload("join", "join", "interval", RUN, "", {}, inputs, {}, (item,), upstream)


def find(store: Counted, payload: TaskPayload) -> Input:
    return find_input(payload, SPEC, payload.items[0], store, Path("cache"))


def test_only_the_first_job_reads_the_records_of_samples(tmp_path: Path) -> None:
    requests = []
    for samples in (20, 200):
        store, payload = cohort(samples, tmp_path)
        first = find(store, payload)
        assert sum(store.requests.values()) >= samples
        store.requests.clear()
        second = find(store, payload)
        requests.append(sum(store.requests.values()))
        assert second == first
        assert [file.uri for file in first.files] == [RUN.uri(f"results/s{n}.g.vcf.gz") for n in range(samples - 1)]
        assert first.files[0].made_by == ("calling", "s0")
        assert (first.missing, first.regions) == ((f"s{samples - 1}",), ("chr1:1-9",))
    assert requests[0] == requests[1] <= 4  # however many samples: the list, and the gVCFs that the run was given


def test_a_stage_over_the_cohort_and_a_run_here_need_no_list(tmp_path: Path) -> None:
    store, payload = cohort(3, tmp_path)
    object.__setattr__(payload, "scope", "cohort")
    find(store, payload)
    assert not store.requests["create"]
    assert not [uri for uri in store.objects if "calling.gvcf" in uri]


def test_a_given_gvcf_costs_two_requests_before_it_is_read(tmp_path: Path) -> None:
    store, payload = cohort(3, tmp_path)
    find(store, payload)
    store.requests.clear()
    find(store, payload)
    without = store.requests["stat"]
    lines = []
    for name in ("x", "y"):
        for ending in ("", ".csi", ".tbi") if name == "x" else ("", ".csi"):
            store.write(f"s3://b/{name}.g.vcf.gz{ending}", b"1")
        lines.append(json.dumps({"sample": name, "gvcf": f"s3://b/{name}.g.vcf.gz"}))
    store.write(RUN.uri("gvcfs.jsonl"), "\n".join(lines).encode())
    store.requests.clear()
    spec = replace(SPEC, indexes=("tbi", "csi"))
    found = find_input(payload, spec, payload.items[0], store, Path("cache"))
    assert store.requests["stat"] - without == 5  # of y, the index that it lacks is asked for, too
    assert [file.indexes[0].uri.rpartition(".")[2] for file in found.files[-2:]] == ["tbi", "csi"]
    assert [len(file.indexes) for file in found.files[-2:]] == [1, 1]
    whole = find_input(payload, replace(spec, ranged=False), payload.items[0], store, Path("cache"))
    assert [len(file.indexes) for file in whole.files[-2:]] == [2, 1]


def test_another_execution_has_another_list() -> None:
    one, two = {"Bucket": "b", "Key": "1/manifest.json"}, {"Bucket": "b", "Key": "2/manifest.json"}
    keys = [("s", "o", [one]), ("s", "o", [two]), ("s", "o", [one, two]), ("s", "p", [one]), ("s", "o", [])]
    assert len({list_uri(RUN, *key) for key in keys}) == len(keys)


def test_a_list_is_read_as_it_was_written() -> None:
    store = MemoryStore()
    assert read_list(store, LIST) is None
    made = GatheredOutputs(MADE.done, ("b", "c"))
    write_list(store, LIST, made)
    assert read_list(store, LIST) == made
    write_list(store, LIST, GatheredOutputs())
    assert read_list(store, LIST) == GatheredOutputs()


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [],
        lambda lines: lines[:-1],
        lambda lines: [*lines, "[]"],
        lambda lines: [*lines[:-1], lines[-1].replace("results/a", "/etc/passwd")],
        lambda lines: [*lines[:-1], lines[-1].replace('"item":"a"', '"item":"../a"')],
        lambda lines: [*lines[:-1], lines[-1].replace("0000", "xxxx")],
    ],
)
def test_a_list_of_another_form_is_refused_and_not_relied_on(change: Callable[[list[str]], list[str]]) -> None:
    store = MemoryStore()
    write_list(store, LIST, MADE)
    store.objects[LIST] = "\n".join(change(store.objects[LIST].decode().splitlines())).encode()
    with pytest.raises(UnreadableRecord, match=r"list\.jsonl(:\d)?: expected a list of outputs, found"):
        read_list(store, LIST)
    assert shared_outputs(store, LIST, lambda: MADE) == MADE


class Clock:
    """A clock; `then` happens at the first wait."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.seconds, self.waits, self.then = 0.0, 0, then

    def pause(self, seconds: float) -> None:
        self.seconds, self.waits = self.seconds + seconds, self.waits + 1
        if self.waits == 1:
            self.then()

    @property
    def waiting(self) -> Waiting:
        return Waiting(self.pause, lambda: self.start + self.seconds)

    start = 0.0


def never() -> GatheredOutputs:
    pytest.fail("made a second time")


def claimed() -> tuple[MemoryStore, float]:
    """Return a store in which another job has claimed the list, and when it did so."""
    store = MemoryStore()
    assert store.create(f"{LIST}.1", b"")
    info = store.stat(f"{LIST}.1")
    assert info is not None
    return store, info.modified


def test_a_job_waits_for_the_list_that_another_one_makes() -> None:
    store, start = claimed()
    clock = Clock(lambda: write_list(store, LIST, MADE))
    clock.start = start
    assert shared_outputs(store, LIST, never, clock.waiting) == MADE
    assert clock.waits == 1


def test_jobs_that_begin_at_once_make_one_list() -> None:
    store, waits, made = MemoryStore(), Semaphore(0), []

    def make() -> GatheredOutputs:
        made.append(1)
        for _ in range(7):  # jobs wait for this one
            assert waits.acquire(timeout=PATIENCE_S)
        return MADE

    def job(_: int) -> GatheredOutputs:
        looks = count()

        def pause(_: float) -> None:
            if next(looks) == 0:
                waits.release()

        return shared_outputs(store, LIST, make, Waiting(pause, lambda: 0))

    with ThreadPoolExecutor(8) as jobs:
        assert list(jobs.map(job, range(8))) == [MADE] * 8
    assert len(made) == 1


def test_a_claim_that_is_too_old_no_longer_counts() -> None:
    store, start = claimed()
    clock = Clock()
    clock.start = start
    assert shared_outputs(store, LIST, lambda: MADE, clock.waiting) == MADE
    assert CLAIM_S < clock.seconds <= CLAIM_S + PAUSE_S
    assert shared_outputs(store, LIST, never, clock.waiting) == MADE
    later = Clock()
    later.start = start + CLAIM_S + 1
    other, _ = claimed()
    assert shared_outputs(other, LIST, lambda: MADE, later.waiting) == MADE
    assert later.waits == 1


def test_jobs_that_wait_fail_by_what_their_files_are() -> None:
    store, start = claimed()

    def fail() -> GatheredOutputs:
        raise DataError("calling: expected it to be done for a, found no step.json")

    def end_other_job() -> None:
        with pytest.raises(DataError):
            shared_list._Round(store, f"{LIST}.1").make(LIST, fail)

    clock = Clock(end_other_job)
    clock.start = start
    with pytest.raises(DataError, match="found no step"):
        shared_outputs(store, LIST, never, clock.waiting)
    # but not the jobs of a rerun, which find that problem solved
    assert shared_outputs(store, LIST, lambda: MADE, Clock().waiting) == MADE


def test_another_job_makes_a_list_that_failed_by_what_passes() -> None:
    store = MemoryStore()

    def fail() -> GatheredOutputs:
        raise TransferFailed("s3://b/a", "expected an object that can be read: 503")

    with pytest.raises(TransferFailed):
        shared_outputs(store, LIST, fail)
    assert shared_outputs(store, LIST, lambda: MADE, Clock(never).waiting) == MADE
