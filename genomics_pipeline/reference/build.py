"""The building of indexes, in a process that is killed when this one is interrupted.

bwa's and samtools' functions return after up to an hour, and no signal is handled before.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from glob import escape
from pathlib import Path
from tempfile import mkdtemp

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.build_process import MESSAGES
from genomics_pipeline.reference.cache import INDEXING
from genomics_pipeline.reference.index_kinds import IndexKind
from genomics_pipeline.reference.sizes import duration, in_units, refuse_full_disk
from genomics_pipeline.stores.publish import publish_files


class KilledBuild(DataError):
    """The error of a process that was killed while it built indexes, as the kernel does where memory is short."""


SHORT_BYTES = 300_000  # indexed in less time than it takes to start a process


def build_indexes(fasta: Path, kinds: Sequence[IndexKind], uri: str, note: Callable[[str], None]) -> None:
    """Build indexes in a folder of their own, then move them beside the FASTA file; its lock must be held.

    Args:
        fasta: The FASTA file, in a folder that can be written to.
        kinds: The kinds, in an order in which they can be built.
        uri: The name of the FASTA file in messages.
        note: Shows a line of progress.

    Raises:
        DataError: if one cannot be built, or there is no space for them.
    """
    size = fasta.stat().st_size
    names = ", ".join(kind.name for kind in kinds)
    refuse_full_disk(fasta.parent, sum(kind.rate.file_bytes(size) for kind in kinds), f"the indexes of {uri} ({names})")
    seconds = sum(kind.rate.seconds(size) for kind in kinds)
    note(f"reference: building indexes of {uri} ({names}; {in_units(size, 'B')}): {duration(seconds)}, once")
    prefix = f"{INDEXING}{fasta.name}-"
    for left in fasta.parent.glob(f"{escape(prefix)}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=prefix, dir=fasta.parent))
    link = folder / fasta.name
    try:
        link.symlink_to(fasta)
        if size <= SHORT_BYTES:
            for kind in kinds:
                kind.build(link, uri)
        else:
            _build_in_process(link, kinds, uri)
        for kind in kinds:
            publish_files(list(zip(kind.files(link), kind.files(fasta), strict=True)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _build_in_process(link: Path, kinds: Sequence[IndexKind], uri: str) -> None:
    command = [sys.executable, "-m", "genomics_pipeline.reference.build_process", str(os.getpid()), str(link), uri]
    command += [kind.name for kind in kinds]
    # In a session of its own, so that Ctrl-C reaches this process only, which then kills the other.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            process.wait()
        except BaseException:
            process.kill()
            raise
    if process.returncode == -signal.SIGKILL:
        advice = "it may have run out of memory; build them on a machine with more, and place them beside the file"
        raise KilledBuild(Problem(f"the building of its indexes was killed: {advice}", uri))
    if process.returncode:
        file = link.with_name(MESSAGES)
        ended = f"the building of its indexes ended with exit code {process.returncode}"
        messages = json.loads(file.read_bytes()) if file.exists() else [ended]
        raise DataError([Problem(message, uri) for message in messages])
