"""Commands of bcftools and samtools, each in this process."""

from __future__ import annotations

import pysam.bcftools
import pysam.samtools
from common.program import StepError
from common.provenance import log_messages
from pysam.utils import SamtoolsError


def bcftools(command: str, *argv: str) -> None:
    """Run one bcftools command, which must name its output file, in this process.

    Raises:
        StepError: with bcftools' message, if it failed.
    """
    try:
        run_command = getattr(pysam.bcftools, command)
        run_command(*argv, catch_stdout=False)
        log_messages(f"bcftools {command}", run_command.get_messages())
    except SamtoolsError as error:
        raise StepError(f"bcftools {command}: {error}") from None


def samtools(command: str, *argv: str) -> None:
    """Run one samtools command, which must name its output file, in this process.

    Raises:
        StepError: with samtools' message, if it failed.
    """
    try:
        getattr(pysam.samtools, command)(*argv, catch_stdout=False)
    except SamtoolsError as error:
        raise StepError(f"samtools {command}: {error}") from None
