"""CRAM files whose bytes do not depend on the folders of this machine.

samtools writes the path of the reference into each @SQ line (UR) and the first 20 characters of the file's own path
into its beginning. So it gets paths that are the same everywhere, and the path of the reference is removed at the end.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pysam
from common.forks import ForkFailed, fork, wait_for

_UR = re.compile(r"\tUR:[^\t\n]*")
_HERE = Path("/proc/self/cwd")  # samtools makes other relative paths absolute


def enter_scratch(reference: str, output: str, scratch: str) -> tuple[str, str]:
    """Make the scratch folder the current one, and return paths of the reference and the output that begin in it.

    Args:
        reference: The absolute path of a FASTA file, its index beside it.
        output: The absolute path of the CRAM file.
        scratch: The scratch folder.
    """
    os.chdir(scratch)
    for link, target in (("reference.fa", reference), ("reference.fa.fai", f"{reference}.fai")):
        Path(link).symlink_to(target)
    Path("out").symlink_to(Path(output).parent)
    return (str(_HERE / "reference.fa") if _HERE.is_dir() else reference), f"out/{Path(output).name}"


def remove_reference_path(cram: str, scratch: str) -> None:
    """Remove the path of the reference from a CRAM file's header, in place; its MD5 (M5) names the sequence.

    Args:
        cram: The file.
        scratch: A folder for a temporary file.

    Raises:
        ForkFailed: if samtools failed.
    """
    with pysam.AlignmentFile(cram, check_sq=False) as alignments:
        text = str(alignments.header)
    header = Path(scratch) / "header.sam"
    header.write_text(_UR.sub("", text))

    def reheader() -> None:
        pysam.samtools.reheader("--in-place", "--no-PG", str(header), cram, catch_stdout=False)

    if code := wait_for(fork(reheader, "samtools reheader")):
        raise ForkFailed("samtools reheader", code)
