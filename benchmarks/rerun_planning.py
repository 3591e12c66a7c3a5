"""Planning of a rerun over a million failed or pending children, compared with parsing the same lines.

The rows are the engine's, with inputs of the germline pipeline, for two lengths of a failed child's row: 4.2 KB, with a
cause of Batch (2.6 KB before it is quoted), and 1 KB. Every way reads the file through `result_rows`, on one core;
those that only parse show the cost of a line in `orjson` and in `json`. The ways run in turns; processor time is
measured, which other processes disturb less. The peak is that of a separate process, also with a tenth of the rows.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measure import measure
from genomics_pipeline.engine.distributed_map.result_rows import ended_row, pending_row
from genomics_pipeline.engine.distributed_map.result_writer import Destination
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.runs.reruns.items import plan_rerun, row_label
from genomics_pipeline.stores.local import LocalStore

CHILDREN = 1_000_000
ROUNDS = 3
GOAL = 200_000
BATCH_CAUSE_BYTES = 2_600
KINDS = ("FAILED", "PENDING")
Details = dict[str, str]


def child_input(number: int, batch: int) -> dict[str, Any]:
    """Return a child's input, as in an execution of the germline pipeline."""
    place = {"name": "cohort-7", "bucket": "genomics-123456789012", "prefix": "runs/cohort-7/"}
    shared = {
        "run": place,
        "reference": "s3://genomics-123456789012/references/GRCh38",
        "parameters": {"alignment": {}},
    }
    if batch == 1:
        return {"item": item(number), **shared}
    return {"BatchInput": shared, "Items": [{"item": item(number * batch + place)} for place in range(batch)]}


def item(number: int) -> dict[str, Any]:
    """Return a sample of one lane."""
    name = f"NA{number:08}"
    fastq = {f"fastq_{read}": f"s3://reads-123456789012/{name}_R{read}.fastq.gz" for read in (1, 2)}
    return {"sample": name, "lanes": [{"lane": "L001", **fastq}]}


def cause(number: int, size: int) -> str:
    """Return a cause of the definition's Fail state, with the detail of a Batch job in it, JSON in JSON."""
    job = {
        "Attempts": [{"Container": {"ExitCode": 137, "LogStreamName": f"alignment/default/{number:032x}"}}],
        "Container": {"Environment": [], "ExitCode": 137, "Reason": "OutOfMemoryError: Container killed"},
        "JobId": f"{number:08x}-6e6b-4d4b-8f6b-0a1d7e0d5c2a",
        "JobName": f"NA{number:08}",
        "Status": "FAILED",
    }
    failure = {"stage": "alignment", "class": "out_of_memory", "error": "States.TaskFailed", "tried": [], "cause": ""}
    while True:
        text = compact({**failure, "cause": compact(job)})
        if len(text) >= size:
            return text
        job["Container"]["Environment"] += [{"Name": "GENOMICS_PIPELINE_TASK", "Value": '{"stage":"alignment"}'}]  # type: ignore[index]


def children(count: int, size: int, batch: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows of children, half of them failed and half pending."""
    for number in range(count // 2):
        end = {
            "status": "FAILED",
            "name": f"{number:08x}-4a9b-332a-9e94-7604fd4f2b67",
            "error": "States.TaskFailed",
            "cause": cause(number, size),
            "input": compact(child_input(number, batch)),
            "start": 1_790_204_391.865,
            "stop": 1_790_204_399.951,
        }
        yield ended_row(end, "germline/Sample")
    for number in range(count // 2, count):
        yield pending_row(child_input(number, batch))


def read(folder: Path, details: Details) -> Iterator[Iterator[ResultRow]]:
    """Yield the rows of failed children, then those of pending children."""
    store = LocalStore({"b": folder})
    return (result_rows(store, details, kind) for kind in KINDS)


def parsing(loads: Callable[[bytes], Any]) -> Callable[[Path, Details], None]:
    """Return a function that parses each row."""

    def call(folder: Path, details: Details) -> None:
        for source in read(folder, details):
            for row in source:
                loads(row.line)

    return call


def reading(folder: Path, details: Details) -> None:
    """Read each row."""
    for source in read(folder, details):
        for _ in source:
            pass


def planning(classes: bool) -> Callable[[Path, Details], None]:
    """Return a function that plans a rerun, with or without a filter by class."""

    def call(folder: Path, details: Details) -> None:
        map_runs = [chain.from_iterable(read(folder, details))]
        with (folder / "manifest.jsonl").open("w+b") as out:
            plan = plan_rerun(map_runs, out, labels=partial(map, row_label) if classes else None, done=lambda _: ())
        if plan.filtered or plan.repeated or not plan.items:
            raise RuntimeError(f"not every item was planned: {plan}")

    return call


WAYS = {
    "rows only read": reading,
    "orjson.loads": parsing(orjson.loads),
    "json.loads": parsing(json.loads),
    "planning": planning(classes=False),
    "planning by class": planning(classes=True),
}


def peak(count: int, folder: Path, details: Details) -> float:
    """Return the peak memory of planning, in MiB."""
    planned = f"planning(False)(Path({str(folder)!r}), {details!r})"
    code = f"from pathlib import Path; from benchmarks.rerun_planning import planning; {planned}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return measure([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[1]).peak_mib


def series(count: int, size: int, batch: int = 1) -> float:
    """Print the time of each way, and return the rate of planning in records per second.

    Args:
        count: The number of children.
        size: The bytes of a cause.
        batch: The number of items of a child.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        to = Destination(LocalStore({"b": folder}), "b", "map-runs/Sample", "NONE", "JSONL")
        to.write("arn", "uuid", children(count, size, batch), folder)
        details = to.manifest("uuid")
        with next(iter((folder / "map-runs/Sample/uuid").glob("FAILED_0.jsonl"))).open("rb") as lines:
            longest = len(lines.readline())
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, call in WAYS.items():
                started = time.process_time()
                call(folder, details)
                seconds[way].append(time.process_time() - started)
        print(f"{count:,} children of {batch}, half failed ({longest:,} bytes), half pending")
        best = {way: min(durations) for way, durations in seconds.items()}
        for way, duration in best.items():
            ratio = best["orjson.loads"] / duration
            print(f"  {way:20} {duration:8.2f} s {count / duration:11,.0f} records/s {ratio:6.2f} of orjson's")
        print(f"  peak of planning     {peak(count, folder, details):8.0f} MiB")
        return count / best["planning"]


def main() -> None:
    """Print the tables and the goal."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CHILDREN
    series(count // 10, BATCH_CAUSE_BYTES)
    rate = series(count, BATCH_CAUSE_BYTES)
    series(count, 200)
    series(count // 10, BATCH_CAUSE_BYTES, batch=10)
    print(f"planning at {count:,} children {rate:,.0f} records/s  (goal: at least {GOAL:,}, its peak that of a tenth)")


if __name__ == "__main__":
    main()
