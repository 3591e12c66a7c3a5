"""Reads of one sample to sorted, duplicate-marked, indexed alignments: bwa mem in process, samtools in forks."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pysam
from fastq import BadReads
from lanes import Lane, open_lanes
from metrics import STATS_OPTIONS, Counts, summarise
from pairs import complete
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
    except ChainFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    stats = Path(task["scratch"]) / "stats.txt"
    threads = ["-@", str(task["vcpus"] - 1)]
    run(["stats", *STATS_OPTIONS, *threads, "-r", reference(task), task["outputs"]["alignment"]], str(stats))
    genome_bp = sum(length for _, length in contigs(task))
    Path(task["outputs"]["metrics"]).write_text(json.dumps(summarise(counts, stats, genome_bp), indent=2) + "\n")
    return 0


def align(task: dict[str, Any], lanes: Sequence[Lane]) -> Counts:
    """Align all lanes into the chain of samtools commands that ends in the output file.

    Raises:
        BadReads: for reads that cannot be used; the chain is ended first.
        ChainFailed: if samtools failed.
    """
    header = pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"},
            "SQ": [{"SN": name, "LN": length} for name, length in contigs(task)],
            "RG": [lane.read_group for lane in lanes],
        }
    )
    counts = Counts()
    samtools = Chain(commands(task, any(lane.paired for lane in lanes)))
    try:
        with os.fdopen(samtools.input, "wb") as pipe, pysam.AlignmentFile(pipe, "wbu", header=header) as out:
            for record in aligned(task, lanes):
                counts.add(record.flag)
                out.write(record)
    except OSError:
        samtools.wait()  # a command that ended early says why
        raise
    samtools.wait()
    return counts


def aligned(task: dict[str, Any], lanes: Sequence[Lane]) -> Iterator[pysam.AlignedSegment]:
    """Every alignment of every lane, with its read group."""
    from pybwa import BwaMem, BwaMemOptions, BwaVerbosity, set_bwa_verbosity

    set_bwa_verbosity(BwaVerbosity.QUIET)
    aligner = BwaMem(prefix=reference(task))
    for lane in lanes:
        options = BwaMemOptions(
            threads=task["vcpus"], interleaved_paired_end=lane.paired, chunk_size=1 << 30
        ).finalize()
        identity = lane.read_group["ID"]
        for batch in lane.batches():
            reads = aligner.align(batch, options)
            if lane.paired:
                complete(reads)
            for record in chain.from_iterable(reads):
                record.set_tag("RG", identity, "Z")
                yield record


def commands(task: dict[str, Any], paired: bool) -> list[Command]:
    """What turns bwa's output into the file: mates fixed, sorted, duplicates marked, indexed."""
    vcpus, scratch = task["vcpus"], task["scratch"]
    each_mib = max(16, int(task["memory_mib"] * SORT_SHARE / vcpus))
    threads = ["-@", str(vcpus - 1)]
    final = ["-O", task["parameters"]["format"], "--reference", reference(task), "--write-index"]
    output = task["outputs"]["alignment"]
    index = "crai" if task["parameters"]["format"] == "cram" else "bai"
    target = f"{output}##idx##{output}.{index}"
    marked = task["parameters"]["mark_duplicates"]
    sort = ["sort", "--no-PG", *threads, "-m", f"{each_mib}M", "-T", f"{scratch}/sort"]
    fixmate: list[Command] = [["fixmate", "--no-PG", "-m", "-u", "-", "-"]] if paired and marked else []
    if not marked:
        return [*fixmate, [*sort, *final, "-o", target, "-"]]
    mark = ["markdup", "--no-PG", *threads, "-T", f"{scratch}/markdup", *final, "-", target]
    return [*fixmate, [*sort, "-u", "-o", "-", "-"], mark]


def reference(task: dict[str, Any]) -> str:
    """The FASTA file."""
    return str(task["inputs"]["reference"])


def contigs(task: dict[str, Any]) -> list[tuple[str, int]]:
    """Name and length of each sequence of the reference, in its order."""
    lines = Path(f"{reference(task)}.fai").read_text().splitlines()
    return [(fields[0], int(fields[1])) for fields in (line.split("\t") for line in lines)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
