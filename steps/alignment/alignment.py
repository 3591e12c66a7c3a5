"""Reads of one sample to sorted, duplicate-marked, indexed alignments: bwa mem in process, samtools in forks."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from struct import pack
from typing import Any

import pysam
from aligner import Aligner
from crew import Crew, CrewFailed
from fastq import BadReads
from index import BwaFailed
from lanes import Lane, open_lanes
from metrics import STATS_OPTIONS, Counts, summarise
from samtools_chain import Chain, ChainFailed, Command

BAD_INPUT = 65  # EX_DATAERR of sysexits.h
KILLED = 128 + signal.SIGKILL  # what a program ends with that is killed for its memory
SORT_SHARE = 0.4  # of the memory; bwa's index and batches need the rest
BAM_LEVEL = 4  # of zlib, which the wheels carry: 40 % less time than 6 for 5 % more bytes


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
    except BwaFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (ChainFailed, CrewFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return KILLED if error.killed else 1
    genome_bp = sum(length for _, length in contigs(task))
    metrics = summarise(counts, stats_file(task), genome_bp)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(metrics, indent=2) + "\n")
    return 0


def align(task: dict[str, Any], lanes: Sequence[Lane]) -> Counts:
    """Align all lanes into the chain of samtools commands that ends in the output file.

    Raises:
        BadReads: for reads that cannot be used.
        BwaFailed: if bwa cannot be used.
        CrewFailed: if a worker was killed.
        ChainFailed: if samtools failed.
    """
    batches = (batch for number, lane in enumerate(lanes) for batch in lane.batches(number))
    # Forks before the index is loaded, while they cost little: reading begins meanwhile.
    crew = Crew(batches, task["vcpus"])
    samtools = Chain(commands(task, any(lane.paired for lane in lanes)), ends(task))
    total = Counts()
    try:
        aligner = Aligner(reference(task), lanes)
        with os.fdopen(samtools.input, "wb") as pipe:
            pipe.write(in_bam(header(task, lanes)))
            for records, counts in crew.results(aligner.align):
                pipe.write(records)
                total = total.plus(counts)
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


def in_bam(header: pysam.AlignmentHeader) -> bytes:
    """A header as an uncompressed BAM file begins."""
    text = str(header).encode()
    names = [name.encode() + b"\0" for name in header.references]
    sequences = [
        pack("<i", len(name)) + name + pack("<i", length) for name, length in zip(names, header.lengths, strict=True)
    ]
    return b"".join([b"BAM\1", pack("<i", len(text)), text, pack("<i", len(names)), *sequences])


def commands(task: dict[str, Any], paired: bool) -> list[Command]:
    """What turns bwa's output into sorted alignments: mates fixed, sorted, duplicates marked."""
    scratch = task["scratch"]
    each_mib = max(16, int(task["memory_mib"] * SORT_SHARE / task["vcpus"]))
    sort = ["sort", "--no-PG", *threads(task), "-m", f"{each_mib}M", "-T", f"{scratch}/sort", "-u", "-o", "-", "-"]
    if not task["parameters"]["mark_duplicates"]:
        return [sort]
    fixmate: list[Command] = [["fixmate", "--no-PG", "-m", "-u", "-", "-"]] if paired else []
    return [*fixmate, sort, ["markdup", "--no-PG", "-T", f"{scratch}/markdup", "-u", "-", "-"]]


def ends(task: dict[str, Any]) -> list[tuple[Command, str | None]]:
    """What reads the sorted alignments, at the same time: the file with its index, and its statistics."""
    output, cram = task["outputs"]["alignment"], task["parameters"]["format"] == "cram"
    kind = ["-O", "cram", "-T", reference(task)] if cram else ["-O", f"bam,level={BAM_LEVEL}"]
    target = f"{output}##idx##{output}.{'crai' if cram else 'bai'}"
    view = ["view", "--no-PG", *threads(task), *kind, "--write-index", "-o", target, "-"]
    return [(view, None), (["stats", *STATS_OPTIONS, "-"], str(stats_file(task)))]


def threads(task: dict[str, Any]) -> list[str]:
    """samtools' option for threads beside its own."""
    return ["-@", str(task["vcpus"])]


def stats_file(task: dict[str, Any]) -> Path:
    """What samtools stats prints."""
    return Path(task["scratch"]) / "stats.txt"


def reference(task: dict[str, Any]) -> str:
    """The FASTA file."""
    return str(task["inputs"]["reference"])


def contigs(task: dict[str, Any]) -> list[tuple[str, int]]:
    """Name and length of each sequence of the reference, in its order."""
    lines = Path(f"{reference(task)}.fai").read_text().splitlines()
    return [(fields[0], int(fields[1])) for fields in (line.split("\t") for line in lines)]


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stderr.flush()
    os._exit(code)  # freeing bwa's index piece by piece takes longer than ending
