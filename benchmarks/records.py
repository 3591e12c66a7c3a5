"""Records in batches: `genomics-pipeline execute` beside the raw parsing of the same file.

An ItemReader over JSON Lines, CSV or Parquet, batches of 1,000, Express children of one Pass state, a ResultWriter of
all rows; and children of one item without batches. The engine's time is that of the whole command, with its start-up;
each child's end is on disk before it is counted. The limit is to parse the file once and do nothing else, in this
process: orjson for each block of JSON Lines, Arrow for CSV and Parquet. The result rows repeat each input and output as
escaped JSON, so the disk has to take more than twice the bytes of the records.

Options: the numbers of records of JSONL, CSV and PARQUET, and of ONE, children of one item; 0 leaves a kind out.
Without them 10,000,000, 3,000,000, 3,000,000 and 1,000,000.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.csv
import pyarrow.parquet

from benchmarks.measure import Measurement, measure

BUCKET = "items"
RECORDS = {"JSONL": 10_000_000, "CSV": 3_000_000, "PARQUET": 3_000_000, "ONE": 1_000_000}
BATCH = 1_000
BLOCK_BYTES = 1 << 20
GOALS = {"JSONL": 500_000, "CSV": 300_000, "PARQUET": 300_000, "ONE": 80_000}
MEMORY_GOAL_MIB = 500
NAMES = ["id", "account", "amount", "merchant", "time", "note"]


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the table: the engine over one file, and the raw parsing of that file."""

    kind: str
    records: int
    measured: Measurement
    limit_s: float

    def __str__(self) -> str:
        rate, limit, goal = self.records / self.measured.seconds, self.records / self.limit_s, GOALS[self.kind]
        memory, most = self.measured.peak_mib, MEMORY_GOAL_MIB
        cells = [f"{self.kind:8} {self.records:>11,} {rate:>11,.0f} {goal:>8,} {_verdict(rate >= goal)}"]
        cells += [f"{memory:>9.0f} {most:>5} {_verdict(memory < most)} {limit:>12,.0f} {rate / limit:>6.2f}"]
        return " ".join(cells)


def _verdict(is_met: bool) -> str:
    return "met   " if is_met else "missed"


def write_lines(folder: Path, records: int) -> None:
    """Write records of 200 bytes as JSON Lines."""
    with (folder / "items.jsonl").open("wb") as lines:
        for values in _records(records):
            lines.write(orjson.dumps(dict(zip(NAMES, values, strict=True))) + b"\n")


def write_table(folder: Path, records: int) -> None:
    """Write the same records as CSV."""
    with (folder / "items.csv").open("w") as table:
        table.write(",".join(NAMES) + "\n")
        for values in _records(records):
            table.write(",".join(map(str, values)) + "\n")


def write_parquet(folder: Path, records: int) -> None:
    """Write the same records as Parquet."""
    write_table(folder, records)
    times = pyarrow.csv.ConvertOptions(column_types={"time": pyarrow.string()})  # text, as in the other files
    table = pyarrow.csv.read_csv(folder / "items.csv", convert_options=times)
    pyarrow.parquet.write_table(table, folder / "items.parquet")


def _records(records: int) -> Iterator[list[Any]]:
    randomness = random.Random(1)
    for number in range(records):
        account, merchant = randomness.randrange(10**8), randomness.randrange(10**6)
        amount = randomness.randrange(10**6) / 100
        yield [number, f"A{account:08}", amount, f"M{merchant:06}", "2026-11-29T16:22:59Z", "x" * 84]


def document(input_type: str, batch: int | None) -> dict[str, Any]:
    """Return the state machine."""
    header = {"CSVHeaderLocation": "FIRST_ROW"} if input_type == "CSV" else {}
    state: dict[str, Any] = {
        "Type": "Map",
        "Label": "Records",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": input_type, **header},
            "Parameters": {"Bucket": BUCKET, "Key": f"items.{input_type.lower()}"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "Pass",
            "States": {"Pass": {"Type": "Pass", "End": True}},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": BUCKET, "Prefix": "results"},
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
        },
        "End": True,
    }
    if batch is not None:
        state["ItemBatcher"] = {"MaxItemsPerBatch": batch}
    return {"StartAt": "Records", "States": {"Records": state}}


def measure_engine(folder: Path, kind: str, records: int) -> Measurement:
    """Measure `genomics-pipeline execute`.

    Raises:
        RuntimeError: if not every record succeeded.
    """
    input_type, batch = ("JSONL", None) if kind == "ONE" else (kind, BATCH)
    results, journal = folder / "buckets" / BUCKET / "results", folder / "journal"
    (folder / "definition.json").write_text(json.dumps(document(input_type, batch)))
    argv = [sys.executable, "-m", "genomics_pipeline", "execute", "definition.json", "--root", "buckets"]
    measured = measure([*argv, "--journal", "journal", "--json"], env=os.environ, cwd=folder)
    (last,) = (line for line in (journal / "execution.jsonl").read_bytes().splitlines() if line.startswith(b'{"run"'))
    if (counts := json.loads(last)["run"]["itemCounts"])["resultsWritten"] != records:
        raise RuntimeError(f"not every record succeeded: {counts}")
    shutil.rmtree(results)
    shutil.rmtree(journal)
    return measured


def parse_lines(file: Path) -> None:
    """Parse JSON Lines, each block of whole lines at once."""
    rest = b""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            whole, _, rest = (rest + block).rpartition(b"\n")
            if whole:
                orjson.loads(b"[" + whole.replace(b"\n", b",") + b"]")


def parse_csv(file: Path) -> None:
    """Parse CSV in blocks of Arrow."""
    options = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(NAMES, pyarrow.string()))
    for _ in pyarrow.csv.open_csv(file, convert_options=options):
        pass


def parse_parquet(file: Path) -> None:
    """Read Parquet in blocks of Arrow."""
    for _ in pyarrow.parquet.ParquetFile(file).iter_batches():
        pass


WRITERS = {"JSONL": write_lines, "CSV": write_table, "PARQUET": write_parquet, "ONE": write_lines}
LIMITS: dict[str, Callable[[Path], None]] = {
    "JSONL": parse_lines,
    "CSV": parse_csv,
    "PARQUET": parse_parquet,
    "ONE": parse_lines,
}


def main(arguments: list[str]) -> None:
    """Print the table, each rate and peak of memory beside its goal.

    Args:
        arguments: The numbers of records, in the order of `RECORDS`.
    """
    numbers = dict(zip(RECORDS, map(int, arguments), strict=False))
    heads = [f"{'':8} {'records':>11} {'records/s':>11} {'goal':>8} {'':6}", f"{'peak MiB':>9} {'goal':>5} {'':6}"]
    print(*heads, f"{'raw parse/s':>12} {'ratio':>6}")
    for kind, records in (numbers if arguments else RECORDS).items():
        if records:
            print(measure_kind(kind, records), flush=True)


def measure_kind(kind: str, records: int) -> Case:
    """Write records, and measure the engine and the raw parsing over them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bucket = folder / "buckets" / BUCKET
        bucket.mkdir(parents=True)
        WRITERS[kind](bucket, records)
        os.sync()  # the engine shares the disk with nothing written before
        measured = measure_engine(folder, kind, records)
        started = time.perf_counter()
        LIMITS[kind](bucket / f"items.{'jsonl' if kind == 'ONE' else kind.lower()}")
        return Case(kind, records, measured, time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1:])
