"""A BAM or CRAM file that is taken as aligned: checked, and passed on with all outputs of the step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aligned_file import AlignedFile, AlignedSource
from common.alignment_header import ALIGN_ADVICE, refuse_other_order
from common.dictionary import read_digests
from common.fai import read_contigs
from common.program import BadInput, say
from header import bam_header, pass_on_header
from metrics import Counts
from output import finish_cram, output_commands, reference, report_programs, sorted_reader, view_commands
from programs import pass_on_lines
from read_groups import given_groups
from samtools_chain import Chain, messages_file

START = "variant_calling"  # of a lane whose file is taken as aligned
SORTED, UNKNOWN = "coordinate", "unknown"  # of @HD SO
SORT_ADVICE = f"sort it with `samtools sort`; {ALIGN_ADVICE}"


def given_as_aligned(task: dict[str, Any]) -> AlignedFile | None:
    """Return the file of a sample that is taken as aligned; None where reads are aligned."""
    lane = task["inputs"]["reads"][0]
    if lane.get("start") != START:
        return None
    return AlignedFile(lane.get("bam") or lane["cram"], "cram" in lane, lane["lane"], lane.get("library"))


def pass_on(task: dict[str, Any], given: AlignedFile) -> Counts:
    """Check a file and write it with all outputs of the step; duplicates are kept as they are marked.

    Args:
        task: The task.
        given: The file.

    Raises:
        BadInput: for a file that cannot be taken as aligned.
        ForkFailed: if a fork was killed, or samtools failed.
    """
    if task["parameters"]["primers"]:
        expected = "expected reads to align where the parameter primers is set, found a file that is taken as aligned"
        raise BadInput(f"{given.path}: {expected}; {ALIGN_ADVICE}")
    with AlignedSource(given, reference(task), task["vcpus"]) as source:
        return _write(task, given, source)


def _write(task: dict[str, Any], given: AlignedFile, source: AlignedSource) -> Counts:
    groups = checked_groups(task, given, source.header)
    view = view_commands(task, None)
    programs = pass_on_lines(task, source.header.get("PG", ()), view)
    header = pass_on_header(task, source.header, groups, programs)
    samtools = Chain([], sorted_reader(task, view), output_commands(task, view), task["scratch"])
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from sorted_records import SortedRecords  # with numpy, which forks are to import by themselves

    records = SortedRecords(given.path, {group["ID"] for group in groups})
    try:
        with os.fdopen(samtools.input, "wb") as pipe:
            pipe.write(bam_header(header))
            for batch in source.batches():
                records.check(batch)
                pipe.write(batch.data.data)
    except BrokenPipeError:
        samtools.wait()  # raises the error of the command that ended early
        raise
    samtools.wait()
    records.refuse_unaligned()
    finish_cram(task)
    report_programs(task, programs, [messages_file(task["scratch"], command) for command in view])
    if task["parameters"]["mark_duplicates"] and not records.has_duplicates:
        say(f"note: {Path(given.path).name}: none of its reads is marked as a duplicate")
    return records.counts


def checked_groups(task: dict[str, Any], given: AlignedFile, header: Mapping[str, Any]) -> list[dict[str, str]]:
    """Check a header, and return its read groups, complete.

    Args:
        task: The task.
        given: The file.
        header: Its header.

    Raises:
        BadInput: if its reads are not aligned to the reference, not sorted, or not of the sample.
    """
    path, fasta, sample = given.path, reference(task), task["item"]["sample"]
    if not header.get("SQ"):
        expected = f"expected reads aligned to {fasta}, found unaligned ones: its header has no sequences (@SQ)"
        raise BadInput(f"{path}: {expected}; {ALIGN_ADVICE}")
    order = header.get("HD", {}).get("SO", UNKNOWN)
    if order not in (SORTED, UNKNOWN):
        raise BadInput(f"{path}: expected records sorted by position, found SO:{order} in its header; {SORT_ADVICE}")
    refuse_other_order(path, header, fasta, read_contigs(fasta), read_digests(fasta))
    if not header.get("RG"):
        advice = f"add one with `samtools addreplacerg`; {ALIGN_ADVICE}"
        raise BadInput(f"{path}: expected read groups of sample {sample} (@RG), found none; {advice}")
    return given_groups(path, header, sample, given.lane, given.library)
