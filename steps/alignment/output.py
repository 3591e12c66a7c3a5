"""The outputs that are made of the sorted alignments: their file with its index, and those of quality control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from common.fai import needs_csi, read_contigs
from common.provenance import HTSLIB_VERSION, log_commands, log_messages, write_versions
from cram import enter_scratch, remove_reference_path
from qc.consumer import write_quality
from read_fields import BOTH
from samtools_chain import Command, Consumer, command_of, samtools_consumer
from targets import target_statistics

CRAM_VERSION = "3.0"  # tools of before 2023 cannot read 3.1, which samtools writes by itself
QUALITY_CONTROL = "quality control"  # the name of a consumer
BAM_LEVEL = 4  # of zlib, which the wheels carry: 40 % less time than 6 for 5 % more bytes


def view_command(task: dict[str, Any], shared_tag: str | None) -> Command:
    """Return the command that writes the alignments with their index.

    Args:
        task: The task.
        shared_tag: A tag that duplicates share, which is left out if it is for local use.
    """
    output = task["outputs"]["alignment"]
    if is_cram(task):
        fasta, output = enter_scratch(reference(task), output, task["scratch"])
        kind, index = ["-O", f"cram,version={CRAM_VERSION}", "-T", fasta], "crai"
    else:
        kind = ["-O", f"bam,level={BAM_LEVEL}"]
        index = "csi" if needs_csi(read_contigs(reference(task)).values()) else "bai"
    target = f"{output}##idx##{output}.{index}"
    without = ["-x", BOTH] if shared_tag == BOTH else []
    return ["view", "--no-PG", *without, *threads(task), *kind, "--write-index", "-o", target, "-"]


def output_commands(task: dict[str, Any], view: Command) -> list[Consumer]:
    """Return the programs that read the sorted alignments at the same time: one writes them, the others statistics.

    Args:
        task: The task.
        view: The command that writes them.
    """
    contigs, scratch, outputs = read_contigs(reference(task)), task["scratch"], task["outputs"]
    consumers = [
        samtools_consumer(view, scratch),
        samtools_consumer(["stats", "-"], scratch, outputs["stats"]),
        Consumer(QUALITY_CONTROL, partial(write_quality, task, contigs, quality_file(task))),
    ]
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
    write_versions(task, {line["PN"]: line["VN"] for line in tools} | {"htslib": HTSLIB_VERSION})


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
