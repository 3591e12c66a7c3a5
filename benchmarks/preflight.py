"""The pipeline preflight over 100,000 tiny FASTQ files of this machine: files a second, and memory.

The command is a whole process tree, from the sample sheet to the results on disk. The files are links to two, since
what they hold does not matter here; each is opened, read and judged by itself.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
from pathlib import Path
from random import Random

from benchmarks.measure import measure

PAIRS = 50_000  # or the first argument
PAIRS_OF_FOLDER = 500  # a file system allows 65,000 links to a file
GOAL, GOAL_MIB = 1_000, 1024


def reads(mate: int) -> bytes:
    """Return twenty reads, compressed."""
    random, records = Random(mate), []
    for number in range(20):
        bases, qualities = ("".join(random.choices(letters, k=100)) for letters in ("ACGT", "F:,#"))
        records.append(f"@A00:1:FC:1:1101:{number}:7 {mate}:N:0:ACGTACGT\n{bases}\n+\n{qualities}\n")
    return gzip.compress("".join(records).encode())


def write_cohort(folder: Path, pairs: int) -> Path:
    """Write so many pairs of files and their sheet, and return that."""
    for mate in (1, 2):
        (folder / f"R{mate}.fastq.gz").write_bytes(reads(mate))
    sheet = folder / "cohort.csv"
    with sheet.open("w") as out:
        out.write("sample,fastq_1,fastq_2\n")
        for number in range(pairs):
            here = folder / str(number // PAIRS_OF_FOLDER)
            here.mkdir(exist_ok=True)
            pair = [here / f"S{number}_R{mate}.fastq.gz" for mate in (1, 2)]
            for mate, file in enumerate(pair, 1):
                os.link(folder / f"R{mate}.fastq.gz", file)
            out.write(",".join((f"S{number}", *map(str, pair))) + "\n")
    return sheet


def main() -> None:
    """Print files a second and memory, with the goals."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        sheet = write_cohort(folder, pairs)
        argv = [sys.executable, "-m", "genomics_pipeline", "run", str(sheet), "--pipeline", "preflight", "--out", "out"]
        found = measure(argv, env=os.environ, cwd=folder)
        rate = 2 * pairs / found.seconds
        print(f"preflight: {2 * pairs:,} files in {found.seconds:.0f} s, {rate:,.0f} a second (goal: {GOAL:,})")
        print(f"preflight: {found.peak_mib:.0f} MiB (goal: less than {GOAL_MIB:,})")


if __name__ == "__main__":
    main()
