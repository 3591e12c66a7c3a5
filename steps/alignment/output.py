"""The outputs that are made of the sorted alignments: their file with its index, and those of quality control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from common.fai import needs_csi, read_contigs
from common.provenance import HTSLIB_VERSION, SAMTOOLS_VERSION, log_commands, log_messages, write_versions
from cram import enter_scratch, remove_reference_path
from read_fields import BOTH
from samtools_chain import Command, Consumer, Reader, command_of, samtools_consumer
from sorted_outputs import Passing, write_outputs
from targets import target_statistics

CRAM_VERSION = "3.0"  # tools of before 2023 cannot read 3.1, which samtools writes by itself
BAM_LEVEL = 4  # of zlib, which the wheel of samtools carries


def view_commands(task: dict[str, Any], shared_tag: str | None) -> list[Command]:
    """Return the command that writes the alignments with their index; none if this program does.

    This program writes BAM with a BAI index. samtools writes CRAM and CSI, and takes tags out of records. It gets one
    thread for CRAM: with more, the order in which they end chooses codecs, and so the bytes (jkbonfield/io_lib#48).
    One takes little longer than ``samtools stats``, which reads beside it (575,000 and 783,000 reads a second).

    Args:
        task: The task.
        shared_tag: A tag that duplicates share, which is left out if it is for local use.
    """
    output = task["outputs"]["alignment"]
    csi = needs_csi(read_contigs(reference(task)).values())
    if is_cram(task):
        fasta, output = enter_scratch(reference(task), output, task["scratch"])
        kind, index = ["-O", f"cram,version={CRAM_VERSION}", "-T", fasta], "crai"
    elif csi or shared_tag == BOTH:
        kind, index = ["-O", f"bam,level={BAM_LEVEL}"], "csi" if csi else "bai"
        kind += threads(task)
    else:
        return []
    target = f"{output}##idx##{output}.{index}"
    without = ["-x", BOTH] if shared_tag == BOTH else []
    return [["view", "--no-PG", *without, *kind, "--write-index", "-o", target, "-"]]


def sorted_reader(
    task: dict[str, Any], view: Sequence[Command], passing: Passing | None = None, with_quality: bool = True
) -> Reader:
    """Return the program that reads the sorted alignments, and copies them to those of `output_commands`.

    Args:
        task: The task.
        view: The command that writes the alignments, if any; else this program does.
        passing: Passes the sorted records on.
        with_quality: This program also writes the files of quality control.
    """
    contigs, bam = read_contigs(reference(task)), None if view else task["outputs"]["alignment"]
    name = "quality control" if view else "writing BAM"
    return Reader(
        name, partial(write_outputs, task, contigs, quality_file(task) if with_quality else None, bam, passing)
    )


def output_commands(task: dict[str, Any], view: Sequence[Command]) -> list[Consumer]:
    """Return the commands of samtools that get copies of the sorted alignments.

    Args:
        task: The task.
        view: The command that writes them, if any.
    """
    contigs, scratch, outputs = read_contigs(reference(task)), task["scratch"], task["outputs"]
    consumers = [samtools_consumer(command, scratch) for command in view]
    consumers.append(samtools_consumer(["stats", "-"], scratch, outputs["stats"]))
    if regions := task["parameters"]["regions"]:
        consumers.append(target_statistics(regions, contigs, scratch, outputs["target_stats"]))
    return consumers


def finish_cram(task: dict[str, Any]) -> None:
    """Remove the path of the reference from the header of the alignments, if they are CRAM."""
    if is_cram(task):
        remove_reference_path(task["outputs"]["alignment"], task["scratch"])


def report_programs(task: dict[str, Any], programs: Sequence[dict[str, str]], messages: Sequence[Path]) -> None:
    """Print what ran and what it said, and write the versions.

    Args:
        task: The task.
        programs: The lines of the programs.
        messages: The files for what commands of samtools said.
    """
    tools = programs[1:]  # the first is this one
    log_commands([line["CL"] for line in tools])
    for file in messages:
        log_messages(command_of(file), file.read_text())
    own = {"samtools": SAMTOOLS_VERSION, "htslib": HTSLIB_VERSION}  # whether or not it wrote the alignments
    write_versions(task, {line["PN"]: line["VN"] for line in tools} | own)


def is_cram(task: dict[str, Any]) -> bool:
    """Return whether the alignments are written as CRAM."""
    return bool(task["parameters"]["format"] == "cram")


def threads(task: dict[str, Any]) -> list[str]:
    """Return samtools' option for the number of threads."""
    return ["-@", str(task["vcpus"])]


def quality_file(task: dict[str, Any]) -> Path:
    """Return the path of the metrics that quality control hands to this process."""
    return Path(task["scratch"]) / "quality.json"


def reference(task: dict[str, Any]) -> str:
    """Return the path of the reference's FASTA file."""
    return str(task["inputs"]["reference"])
