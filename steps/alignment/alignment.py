"""Reads of one sample to sorted, duplicate-marked, indexed alignments: bwa mem in process, samtools in forks."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
from crew import Crew, CrewFailed
from fastq import BadReads
from lanes import Lane, open_lanes
from metrics import STATS_OPTIONS, Counts, summarise
from samtools_chain import Chain, ChainFailed, Command, run

BAD_INPUT = 65  # EX_DATAERR of sysexits.h
SORT_SHARE = 0.4  # of the memory; bwa's index and batches need the rest


def main(task_file: str) -> int:
    """Run the step; 0 when its outputs are written."""
    task = json.loads(Path(task_file).read_text())
    pysam.set_verbosity(0)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        lanes = open_lanes(task["item"]["sample"], task["inputs"]["reads"], task["parameters"]["read_layout"])
        counts = align(task, lanes)
    except BadReads as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except (ChainFailed, CrewFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    stats = Path(task["scratch"]) / "stats.txt"
    decode = ["--reference", reference(task)] if task["parameters"]["format"] == "cram" else []
    run(["stats", *STATS_OPTIONS, *threads(task), *decode, task["outputs"]["alignment"]], str(stats))
    genome_bp = sum(length for _, length in contigs(task))
    Path(task["outputs"]["metrics"]).write_text(json.dumps(summarise(counts, stats, genome_bp), indent=2) + "\n")
    return 0


def align(task: dict[str, Any], lanes: Sequence[Lane]) -> Counts:
    """Align all lanes into the chain of samtools commands that ends in the output file.

    Raises:
        BadReads: for reads that cannot be used.
        CrewFailed: if a worker was killed.
        ChainFailed: if samtools failed.
    """
    from aligner import Aligner

    crew = Crew(Aligner(reference(task), lanes).align, task["vcpus"])
    samtools = Chain(commands(task, any(lane.paired for lane in lanes)))
    batches = (batch for number, lane in enumerate(lanes) for batch in lane.batches(number))
    total = Counts()
    try:
        with os.fdopen(samtools.input, "wb") as pipe:
            pipe.write(str(header(task, lanes)).encode())
            for text, counts in crew.results(batches):
                pipe.write(text)
                total += counts
    except BrokenPipeError:
        samtools.wait()  # a command that ended early says why
        raise
    finally:
        crew.end()
    samtools.wait()
    return total


def header(task: dict[str, Any], lanes: Sequence[Lane]) -> pysam.AlignmentHeader:
    """The header that the alignments begin with."""
    return pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"},
            "SQ": [{"SN": name, "LN": length} for name, length in contigs(task)],
            "RG": [lane.read_group for lane in lanes],
        }
    )


def commands(task: dict[str, Any], paired: bool) -> list[Command]:
    """What turns bwa's output into the file: mates fixed, sorted, duplicates marked, indexed."""
    scratch, output = task["scratch"], task["outputs"]["alignment"]
    each_mib = max(16, int(task["memory_mib"] * SORT_SHARE / task["vcpus"]))
    final = ["-O", task["parameters"]["format"], "--reference", reference(task), "--write-index"]
    target = f"{output}##idx##{output}.{'crai' if task['parameters']['format'] == 'cram' else 'bai'}"
    marked = task["parameters"]["mark_duplicates"]
    sort = ["sort", "--no-PG", *threads(task), "-m", f"{each_mib}M", "-T", f"{scratch}/sort"]
    if not marked:
        return [[*sort, *final, "-o", target, "-"]]
    fixmate: list[Command] = [["fixmate", "--no-PG", "-m", "-u", "-", "-"]] if paired else []
    mark = ["markdup", "--no-PG", *threads(task), "-T", f"{scratch}/markdup", *final, "-", target]
    return [*fixmate, [*sort, "-u", "-o", "-", "-"], mark]


def threads(task: dict[str, Any]) -> list[str]:
    """samtools' option for threads beside its own."""
    return ["-@", str(task["vcpus"])]


def reference(task: dict[str, Any]) -> str:
    """The FASTA file."""
    return str(task["inputs"]["reference"])


def contigs(task: dict[str, Any]) -> list[tuple[str, int]]:
    """Name and length of each sequence of the reference, in its order."""
    lines = Path(f"{reference(task)}.fai").read_text().splitlines()
    return [(fields[0], int(fields[1])) for fields in (line.split("\t") for line in lines)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
