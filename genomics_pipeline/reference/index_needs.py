"""The memory, disk and time that the building of several indexes takes, before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.reference.sizes import duration, in_units


def needed_memory_mib(kinds: Sequence[IndexKind], fasta_bytes: int) -> int:
    """Return the memory in MiB that the most demanding of some kinds takes; they are built one by one."""
    return max((kind.rate.memory_mib(fasta_bytes) for kind in kinds), default=0)


def needs(kinds: Sequence[IndexKind], fasta_bytes: int) -> str:
    """Return what the building takes, for people: memory at the peak, disk, time.

    Args:
        kinds: The kinds to build.
        fasta_bytes: The size of the plain FASTA file.

    >>> from genomics_pipeline.reference.index_kinds import INDEX_KINDS
    >>> needs([INDEX_KINDS["minibwa"]], 40_000_000)
    'at most 687 MiB of memory, 90 MB of disk, a few seconds'
    """
    disk = sum(kind.rate.file_bytes(fasta_bytes) for kind in kinds)
    seconds = sum(kind.rate.seconds(fasta_bytes) for kind in kinds)
    memory = f"{needed_memory_mib(kinds, fasta_bytes):,} MiB"
    return f"at most {memory} of memory, {in_units(disk, 'B')} of disk, {duration(seconds)}"


def refuse_short_memory(
    reference: str, kinds: Sequence[IndexKind], fasta_bytes: int, memory_mib: int, advice: str
) -> None:
    """Refuse to begin what this machine has no memory for.

    Args:
        reference: The path or URI of the reference.
        kinds: The kinds to build.
        fasta_bytes: The size of the plain FASTA file.
        memory_mib: The memory that may be used.
        advice: What to do.

    Raises:
        DataError: with each kind that takes more.
    """
    problems = [
        Problem(
            f"to build its index for {kind.name} takes about {needed:,} MiB of memory, found {memory_mib:,} MiB; "
            f"{advice}",
            reference,
        )
        for kind in kinds
        if (needed := kind.rate.memory_mib(fasta_bytes)) > memory_mib
    ]
    if problems:
        raise DataError(problems)
