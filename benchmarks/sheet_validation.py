"""Validation of a sample sheet of a million rows, compared with the parse of the same file by Arrow alone.

Both are whole processes, which run in turns; the best time of each counts. Arrow's reads the file into columns of text
on all cores, and checks nothing. A second sheet has two lanes a sample and a row with an error in each 10,000.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import measure

ROWS = 1_000_000
ROUNDS = 3
GOAL, GOAL_OF_ARROW, GOAL_MIB = 1_000_000, 0.5, 1024
HEADER = "patient,sex,status,sample,lane,fastq_1,fastq_2\n"
ARROW = """
import sys, pyarrow as pa, pyarrow.csv as csv
names = open(sys.argv[1]).readline().strip().split(",")
types = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
table = csv.read_csv(sys.argv[1], csv.ReadOptions(block_size=8 << 20), convert_options=types)
assert table.num_rows == int(sys.argv[2])
"""


def row(number: int, lanes: int, odd: bool) -> str:
    """Return a row of a sheet.

    Args:
        number: The number of the row.
        lanes: The lanes of each sample.
        odd: Whether its status is none.
    """
    sample, lane = f"S{number // lanes:07}", f"L{number % lanes + 1:03}"
    reads = (f"s3://reads-123456789012/run-{number % 1000}/{sample}_S1_{lane}_R{mate}_001.fastq.gz" for mate in (1, 2))
    return ",".join((f"P{number // (2 * lanes):07}", "XX", "2" if odd else "0", sample, lane, *reads)) + "\n"


def write_sheet(file: Path, rows: int, lanes: int, errors_of: int | None) -> None:
    """Write a sheet.

    Args:
        file: The file.
        rows: The number of its rows.
        lanes: The lanes of each sample.
        errors_of: The number of rows of which one has an error; None for none.
    """
    with file.open("w") as out:
        out.write(HEADER)
        out.writelines(row(one, lanes, errors_of is not None and one % errors_of == 7) for one in range(rows))


def seconds(argv: Sequence[str], status: int = 0) -> float:
    """Return the seconds of a command, which has to end with a status."""
    started = time.perf_counter()
    ended = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if ended.returncode != status:
        raise RuntimeError(f"{argv}: status {ended.returncode}")
    return time.perf_counter() - started


def main() -> None:
    """Print the table and the goals."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    command = [sys.executable, "-m", "genomics_pipeline", "manifest", "validate"]
    with tempfile.TemporaryDirectory() as name:
        valid, wrong = Path(name, "valid.csv"), Path(name, "wrong.csv")
        write_sheet(valid, rows, 1, None)
        write_sheet(wrong, rows, 2, 10_000)
        ways = {
            "Arrow's parse": ([sys.executable, "-c", ARROW, str(valid), str(rows)], 0),
            "manifest validate": ([*command, str(valid)], 0),
            "  with the manifest": ([*command, "--normalised", str(valid)], 0),
            "  with errors": ([*command, str(wrong)], 1),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, (argv, status) in ways.items():
                times[way].append(seconds(argv, status))
        peak = measure([*command, str(valid)], env=os.environ, cwd=Path.cwd()).peak_mib
    best = {way: min(found) for way, found in times.items()}
    limit = best["Arrow's parse"]
    print(f"{rows:,} rows of a sample sheet; the limit is Arrow's parse")
    for way, duration in best.items():
        print(f"  {way:20} {duration:8.2f} s {rows / duration:11,.0f} rows/s {limit / duration:6.2f} of Arrow's")
    print(f"  peak memory          {peak:8.0f} MiB (goal: less than {GOAL_MIB})")
    found = best["manifest validate"]
    goal = f"goal: at least {GOAL:,} rows/s, or {GOAL_OF_ARROW} of Arrow's"
    print(f"validating {rows / found:,.0f} rows/s, {limit / found:.2f} of Arrow's  ({goal})")


if __name__ == "__main__":
    main()
