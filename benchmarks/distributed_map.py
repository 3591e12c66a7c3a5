"""A Distributed Map of one Pass state: `genomics-pipeline execute` compared with emulators of Step Functions.

All run the same document: an ItemReader over a JSON array in a bucket, STANDARD children, no limit of concurrency, a
ResultWriter. The engine's time is that of the whole command, with its start-up (the row of 1 item); each child's end is
on disk before it is counted, and result files are written. An emulator's time is from StartExecution to the end that
DescribeExecution reports, in a running server; emulators keep everything in memory and write no results. The long
runs of the engine read JSON Lines, since a JSON array is parsed as a whole.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.emulators import EMULATORS, Emulator, serve
from benchmarks.measure import Measurement, Peak, measure

BUCKET = "items"
ROLE = "arn:aws:iam::000000000000:role/benchmark"
SIDE_BY_SIDE = 10_000
HERE_ONLY = (100_000, 1_000_000)
ROUNDS = 3
LIMIT_S = 240
LOCALSTACK = "LocalStack: skipped, its newest release needs Python 3.13; 4.9.2 was measured at about 550 children/s"
OURS = "genomics-pipeline"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    items: int
    measured: Measurement
    durable: bool

    @property
    def rate(self) -> float:
        """The rate, in children per second."""
        return self.items / self.measured.seconds

    def __str__(self) -> str:
        seconds, peak = self.measured.seconds, self.measured.peak_mib
        durable = "yes" if self.durable else "no"
        return f"{self.name:20} {self.items:>10,} {seconds:>9.2f} {self.rate:>11,.0f} {peak:>9.0f}  {durable}"


def document(input_type: str) -> dict[str, Any]:
    """Return the state machine."""
    item = {"Type": "Pass", "End": True}
    state = {
        "Type": "Map",
        "Label": "Items",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": input_type},
            "Parameters": {"Bucket": BUCKET, "Key": f"items.{input_type.lower()}"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Item",
            "States": {"Item": item},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": BUCKET, "Prefix": "results"},
        },
        "End": True,
    }
    return {"StartAt": "Items", "States": {"Items": state}}


def lines(items: int) -> Iterator[str]:
    """Return the items, each as JSON."""
    return (f'{{"sample":"S{number:08}"}}' for number in range(items))


def array(items: int) -> str:
    """Return the items as one JSON array."""
    return "[" + ",".join(lines(items)) + "]"


def measure_engine(items: int, input_type: str) -> Row:
    """Measure `genomics-pipeline execute` in a fresh folder.

    Raises:
        RuntimeError: if not every item succeeded.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bucket = folder / "buckets" / BUCKET
        bucket.mkdir(parents=True)
        with (bucket / f"items.{input_type.lower()}").open("w") as file:
            file.writelines([array(items)] if input_type == "JSON" else (f"{line}\n" for line in lines(items)))
        (folder / "definition.json").write_text(json.dumps(document(input_type)))
        (folder / "input.json").write_text("{}")
        argv = [sys.executable, "-m", "genomics_pipeline", "execute", "definition.json", "--input", "input.json"]
        argv += ["--root", "buckets", "--journal", "journal", "--json"]
        measured = measure(argv, env=os.environ, cwd=folder)
        (manifest,) = bucket.glob("results/*/manifest.json")
        result_files = json.loads(manifest.read_bytes())["ResultFiles"]
        if [len(result_files[kind]) for kind in ("SUCCEEDED", "FAILED", "PENDING")] != [1, 0, 0]:
            raise RuntimeError(f"not every item succeeded: {result_files}")
    return Row(OURS, items, measured, durable=True)


def measure_emulator(emulator: Emulator, items: int) -> Row:
    """Measure the document in an emulator of its own.

    Raises:
        RuntimeError: if it does not end in time, or not every item succeeded.
    """
    with serve(emulator) as server:
        storage, functions = server.client("s3"), server.client("stepfunctions")
        storage.create_bucket(Bucket=BUCKET)
        storage.put_object(Bucket=BUCKET, Key="items.json", Body=array(items).encode())
        definition = json.dumps(document("JSON"))
        response = functions.create_state_machine(name="benchmark", definition=definition, roleArn=ROLE)
        machine = response["stateMachineArn"]
        started = time.perf_counter()
        with Peak(server.process.pid) as peak:
            execution = functions.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
            end = server.wait_for_end(execution, LIMIT_S)
            seconds = time.perf_counter() - started
        (run,) = functions.list_map_runs(executionArn=execution)["mapRuns"]
        succeeded = functions.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]["succeeded"]
        if (end["status"], succeeded) != ("SUCCEEDED", items):
            raise RuntimeError(f"{end['status']}, {succeeded} of {items} items succeeded: {end.get('cause')}")
    return Row(emulator.release, items, Measurement(seconds, peak.mib), durable=False)


def median_row(rows: list[Row]) -> Row:
    """Return the row with the median time, with the largest peak of all."""
    row = sorted(rows, key=lambda row: row.measured.seconds)[len(rows) // 2]
    peak = max(row.measured.peak_mib for row in rows)
    return Row(row.name, row.items, Measurement(row.measured.seconds, peak), row.durable)


def side_by_side() -> list[Row]:
    """Measure the engine and every installed emulator in turns, and return the engine's row first."""
    present = [emulator for emulator in EMULATORS if emulator.program.exists()]
    for emulator in EMULATORS:
        if emulator not in present:
            print(f"SKIPPED {emulator.name}: expected {emulator.program}; `make bench` installs it")
    rows: dict[str, list[Row]] = {OURS: []}
    for _ in range(ROUNDS):
        rows[OURS].append(measure_engine(SIDE_BY_SIDE, "JSON"))
        for emulator in list(present):
            try:
                rows.setdefault(emulator.name, []).append(measure_emulator(emulator, SIDE_BY_SIDE))
            except Exception as error:
                print(f"{emulator.release}: {error}")
                present.remove(emulator)  # an emulator that failed once is not measured again
    return [median_row(measured) for measured in rows.values() if measured]


def main() -> None:
    """Print the table, the ratios and the goals."""
    print(LOCALSTACK)
    start_up = median_row([measure_engine(1, "JSON") for _ in range(ROUNDS)])
    first, *others = side_by_side()
    series = [
        median_row([measure_engine(SIDE_BY_SIDE, "JSONL") for _ in range(ROUNDS)]),
        *(measure_engine(n, "JSONL") for n in HERE_ONLY),
    ]
    print(f"{'':20} {'items':>10} {'seconds':>9} {'children/s':>11} {'peak MiB':>9}  durable")
    print(*(start_up, first, *others, *series), sep="\n")
    started = first.items / (first.measured.seconds - start_up.measured.seconds)
    for row in others:
        whole, apart = first.rate / row.rate, started / row.rate
        print(f"ratio to {row.name:18} {apart:8.1f}  start-up apart, as that of emulators; {whole:.1f} with ours")
    if others:
        best = max(row.rate for row in others)
        print(f"ratio to the best emulator {started / best:9.1f}  (goal: at least 3.0, start-up apart)")
    last = series[-1]
    print(f"children/s at {last.items:,}    {last.rate:9,.0f}  (goal: at least 20,000, durable)")
    print(f"peak at {last.items:,}          {last.measured.peak_mib:9.0f}  MiB (goal: below 500)")
    paces = [(row.measured.seconds - start_up.measured.seconds) / row.items * 1e6 for row in series]
    shown = ", ".join(f"{pace:.1f} at {row.items:,}" for pace, row in zip(paces, series, strict=True))
    print(
        f"microseconds an item, start-up apart: {shown}  (goal: the same; now {paces[-1] / statistics.mean(paces):.2f}"
        " of their mean)"
    )


if __name__ == "__main__":
    main()
