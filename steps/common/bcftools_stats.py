"""Statistics of a VCF file, from bcftools stats."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pysam
import pysam.bcftools

from common.forks import ForkFailed, fork, wait_for

PASSING = ("-f", "PASS,.")


def write_stats(vcf: str, output: str, options: Sequence[str] = ()) -> None:
    """Write the statistics of the records that pass every filter.

    The output names the file as it is given, so bcftools runs in its folder, and the bytes do not depend on folders.

    Args:
        vcf: The absolute path of the VCF file.
        output: The absolute path of the file to write.
        options: Further options.

    Raises:
        ForkFailed: if bcftools failed.
    """

    def stats() -> None:
        os.chdir(Path(vcf).parent)
        pysam.bcftools.stats(*PASSING, *options, Path(vcf).name, catch_stdout=False, save_stdout=output)

    if code := wait_for(fork(stats, "bcftools stats")):
        raise ForkFailed(f"bcftools stats of {vcf}", code)
