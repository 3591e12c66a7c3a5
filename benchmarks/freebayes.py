"""Calls of freebayes, where it is on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.accuracy_calls import Called, plain_reference
from benchmarks.real_sets import RealSet

PROGRAM = "freebayes"


def add_freebayes_calls(called: Called, real: RealSet, folder: Path) -> None:
    """Add the calls of freebayes with its defaults, of each sample and of all together; nothing if it is not there.

    Args:
        called: The alignments.
        real: Their set.
        folder: A folder for the files.
    """
    if not shutil.which(PROGRAM):
        return
    reference = plain_reference(real, folder)

    def call(name: str, alignments: Sequence[Path]) -> Path:
        output = folder / f"{name}.freebayes.vcf"
        argv = [PROGRAM, "-f", str(reference), "-p", str(real.ploidy), "-v", str(output), *map(str, alignments)]
        subprocess.run(argv, capture_output=True, check=True)
        return output

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files = pool.map(lambda item: call(item[0], [item[1]]), called.alignments.items())
        called.calls[PROGRAM] = dict(zip(called.alignments, files, strict=True))
    joint = call("all samples", list(called.alignments.values()))
    called.calls[f"{PROGRAM}, joint"] = dict.fromkeys(called.alignments, joint)
