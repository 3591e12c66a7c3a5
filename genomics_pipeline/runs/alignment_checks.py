"""Checks of BAM and CRAM files by their beginnings, before a run: their format, and the sample of a BAM file."""

from __future__ import annotations

import re
from typing import BinaryIO

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store

# SAM specification, 4.2: the magic bytes, the length of the header's text in four bytes, the text.
_BAM = b"BAM\1"
_CRAM = b"CRAM"  # CRAM specification, 6
_SAMPLE = re.compile(r"^@RG\t(?:.*\t)?SM:([^\t\n]+)", re.MULTILINE)


def alignment_problem(uri: str, kind: str, sample: str, store: Store) -> str | None:
    """Return why a file cannot be used as the reads of a sample; None if its beginning shows no reason.

    Args:
        uri: The file.
        kind: bam or cram, by the column of the sheet.
        sample: The sample.
        store: The store that reads it.
    """
    try:
        if store.stat(uri) is None:
            return f"expected a {kind.upper()} file, found no such file"
        with store.open(uri) as raw, reported_damage():
            return _cram_problem(raw) if kind == "cram" else _bam_problem(open_decompressed(raw), sample)
    except DataError as error:
        return error.problems[0].message
    except OSError as error:
        return f"expected a readable file: {error.strerror or error}"


def _cram_problem(file: BinaryIO) -> str | None:
    start = file.read(len(_CRAM))
    return None if start == _CRAM else f"expected a CRAM file, found {_shown(start)}"


def _bam_problem(file: BinaryIO, sample: str) -> str | None:
    start = file.read(len(_BAM))
    if start != _BAM:
        return f"expected a BAM file, found {_shown(start)}"
    length = int.from_bytes(file.read(4), "little")
    text = file.read(min(length, budgets.FASTQ_HEAD.value)).decode("utf-8", "replace")
    others = sorted(set(_SAMPLE.findall(text)) - {sample})
    if others:
        advice = "give the sample that name in the sheet, or rename it with `samtools reheader`"
        return f"expected read groups of sample {sample} (SM), found {', '.join(others)}; {advice}"
    return None


def _shown(start: bytes) -> str:
    return f"a file that begins with {start!r}" if start else "an empty file"
