"""Alignment of one sample's reads, sorted, duplicates marked, indexed: the aligner in process, samtools in forks."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from aligner import Aligner, BatchAligner, aligner_class, index_bytes
from common.fai import read_contigs
from common.program import run_program
from fork_pool import make_pool
from header import bam_header, header
from lanes import Lane
from markdup_statistics import publish_statistics
from metrics import Counts, summarise
from output import (
    finish_cram,
    output_commands,
    quality_file,
    reference,
    report_programs,
    sorted_reader,
    threads,
    view_commands,
)
from pass_on import given_as_aligned, pass_on
from primers import clip_command, restore_command, strip_commands
from programs import extractions, program_lines
from qc.read_plots import write_read_plots
from qualities import Evidence, refuse_late_phred64
from read_fields import ReadFields
from read_pipe import wait_for_conversions
from read_progress import ReadProgress
from sample_lanes import open_sample
from samtools_chain import Chain, Command, messages_file
from subsample import none_taken, write_left_out
from trim_report import TrimReport
from trimmer import Trimmer
from trimming import trimming_of

SORT_SHARE = 0.4  # of the memory at most
LEAST_SORT_MIB = 16  # of a thread
PROGRAM_MIB, FORK_MIB = 360, 104  # of `local_memory` in step.toml, without the least memory of sorting


def main(task: dict[str, Any]) -> None:
    """Align the sample's lanes, or take its file as aligned, and measure the alignments.

    Raises:
        BadInput: for reads that cannot be used.
        StepError: if the aligner or samtools failed.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # Reference counts free what is done with: here and in all forks, collections would take a tenth of the time.
    gc.disable()
    given = given_as_aligned(task)
    counts, of_reads = align_sample(task) if given is None else (pass_on(task, given), {})
    outputs = task["outputs"]
    metrics = summarise(counts, Path(outputs["stats"]), quality_file(task)) | of_reads
    Path(outputs["metrics"]).write_text(json.dumps(metrics, indent=2) + "\n")
    write_read_plots(task["item"]["sample"], Path(outputs["stats"]), outputs)
    if task["parameters"]["mark_duplicates"] and given is None:
        publish_statistics(markdup_file(task), outputs["markdup"], task["scratch"])


def align_sample(task: dict[str, Any]) -> tuple[Counts, dict[str, Any]]:
    """Align the sample's lanes, and return the counts of their reads, and the metrics of reads left out and trimmed.

    Raises:
        BadInput: for reads that cannot be used.
        StepError: if the aligner or samtools failed.
    """
    lanes = open_sample(task)
    trimming, fraction = trimming_of(task["parameters"]), task["parameters"]["subsample"]
    report = TrimReport(trimming) if trimming else None
    counts = align(task, lanes, report)
    measured = {"subsample": fraction} if fraction < 1 else {}
    if report:
        report.refuse_nothing(lanes[0].files[0].path)
        report.write(task["item"]["sample"], task["outputs"])
        measured |= report.metrics()
    if not counts.reads:  # of files in BAM or CRAM
        raise none_taken(lanes[0].files[0].path, fraction)
    return counts, measured


def align(task: dict[str, Any], lanes: Sequence[Lane], report: TrimReport | None) -> Counts:
    """Align all lanes into the chain of samtools commands that ends in the output file.

    Args:
        task: The task.
        lanes: The lanes.
        report: Takes the statistics of the reads that are trimmed; None if they are not trimmed.

    Raises:
        BadInput: for reads that cannot be used.
        StepError: if the aligner cannot be used.
        ForkFailed: if a fork was killed, or samtools failed.
    """
    program = program_of(task)
    trimmer = Trimmer(report.trimming) if report else None
    heads = [lane.head(program.head_reads if lane.paired else 0) for lane in lanes]
    if trimmer:
        heads = [trimmer.head(lane, head) if all(head) else head for lane, head in zip(lanes, heads, strict=True)]
    batches = (batch for number, lane in enumerate(lanes) for batch in lane.batches(number))
    fields = read_fields(task, lanes)
    # Forked before the index is loaded: forks are still cheap, and reading overlaps with loading.
    pool = make_pool(batches, task["vcpus"])
    clips = bool(task["parameters"]["primers"])
    needs_fixmate = any(lane.paired for lane in lanes) and (clips or not program.writes_mates)
    chain = commands(task, needs_fixmate, fields.duplicates_share)
    view = view_commands(task, fields.duplicates_share)
    progress = ReadProgress(task, lanes)
    samtools = Chain(chain, sorted_reader(task, view, progress.sorted), output_commands(task, view), task["scratch"])
    programs = program_lines(task, program, lanes, [*chain, *view])
    total = Counts()
    encodings, left_out_s = [Evidence.NONE] * len(lanes), [0.0] * len(lanes)
    try:
        with os.fdopen(samtools.input, "wb") as pipe:
            pipe.write(bam_header(header(task, lanes, programs)))
            aligner = BatchAligner(program(reference(task), lanes, heads), lanes, fields, trimmer)
            for aligned in pool.results(aligner.align):
                pipe.write(aligned.records)
                progress.add(aligned)
                total = total.add(aligned.counts)
                if report:
                    report.add(aligned.trimmed)
                encodings[aligned.lane] |= aligned.encoding
                left_out_s[aligned.lane] = aligned.left_out_s
    except BrokenPipeError:
        samtools.wait()  # raises the error of the command that ended early
        raise
    finally:
        pool.end()
    samtools.wait()
    wait_for_conversions()
    for lane, seen in zip(lanes, encodings, strict=True):
        if lane.encoding == "auto":
            refuse_late_phred64(lane.files[0].path, seen)
    finish_cram(task)
    said = [one.messages for one in extractions(lanes)]
    said += [messages_file(task["scratch"], command) for command in (*chain, *view)]
    report_programs(task, programs, said)
    write_left_out(task, sum(left_out_s))
    return total


def read_fields(task: dict[str, Any], lanes: Sequence[Lane]) -> ReadFields:
    """Return the tags of the reads.

    Raises:
        BadInput: for a parameter that cannot be used.
    """
    return ReadFields(lanes, task["parameters"]["umi"], task["parameters"]["umi_pattern"])


def commands(task: dict[str, Any], needs_fixmate: bool, shared_tag: str | None) -> list[Command]:
    """Return the commands that clip primers, fix mates, sort and mark duplicates.

    Args:
        task: The task.
        needs_fixmate: The records lack what is said of mates.
        shared_tag: A tag that duplicates must share.
    """
    scratch = task["scratch"]
    thread_mib = max(LEAST_SORT_MIB, int(sort_mib(task) / task["vcpus"]))
    sort = ["sort", "--no-PG", *threads(task), "-m", f"{thread_mib}M", "-T", f"{scratch}/sort", "-u", "-o", "-", "-"]
    marks, primers = task["parameters"]["mark_duplicates"], task["parameters"]["primers"]
    fixmate: list[Command] = [["fixmate", "--no-PG", "-m", "-u", "-", "-"]] if needs_fixmate else []
    markdup: list[Command] = [["markdup", "--no-PG", *markdup_options(task, shared_tag), "-u", "-", "-"]]
    if primers:
        clip = clip_command(primers, read_contigs(reference(task)), scratch)
        return [
            *strip_commands(needs_fixmate),
            clip,
            *fixmate,
            sort,
            restore_command(reference(task)),
            *(markdup if marks else []),
        ]
    return [*fixmate, sort, *markdup] if marks else [sort]


def markdup_options(task: dict[str, Any], shared_tag: str | None) -> list[str]:
    """Return the options of markdup.

    Args:
        task: The task.
        shared_tag: A tag that duplicates must share.
    """
    parameters = task["parameters"]
    return [
        *(["-S"] if parameters["mark_supplementary"] else []),
        *(["-d", str(parameters["optical_distance"])] if parameters["optical_distance"] else []),
        *(["--barcode-tag", shared_tag] if shared_tag else []),
        *("-T", f"{task['scratch']}/markdup", "-f", str(markdup_file(task)), "--json"),
    ]


def sort_mib(task: dict[str, Any]) -> float:
    """Return the memory for sorting, which is what the index, the forks and their batches leave."""
    left = (
        task["memory_mib"]
        - (index_bytes(reference(task), program_of(task)) >> 20)
        - PROGRAM_MIB
        - task["vcpus"] * FORK_MIB
    )
    return float(min(task["memory_mib"] * SORT_SHARE, left))


def program_of(task: dict[str, Any]) -> type[Aligner]:
    """Return the class of the aligner."""
    return aligner_class(task["parameters"]["aligner"])


def markdup_file(task: dict[str, Any]) -> Path:
    """Return the path of the statistics of ``samtools markdup``."""
    return Path(task["scratch"]) / "markdup.json"


if __name__ == "__main__":
    code = run_program(main)
    sys.stderr.flush()
    os._exit(code)  # without freeing the aligner's index, which takes long
