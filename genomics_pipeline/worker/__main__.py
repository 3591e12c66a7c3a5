"""The program that a container runs, as its first process: one task, from the environment.

========================================  ========================================================================
``GENOMICS_PIPELINE_TASK``                the payload: JSON, or the ``s3://`` URI of it
``GENOMICS_PIPELINE_STEP``                the step's folder
``GENOMICS_PIPELINE_SCRATCH``             a folder for temporary files
``GENOMICS_PIPELINE_VCPUS``               cores; all there are where it is not set
``GENOMICS_PIPELINE_MEMORY_MIB``          memory; the container's limit where it is not set
``GENOMICS_PIPELINE_BUCKETS``             JSON: folders here by bucket, for runs that lie on this machine
``AWS_BATCH_JOB_ID``                      set by AWS Batch, with ``AWS_BATCH_JOB_ATTEMPT``
========================================  ========================================================================

It ends with the step's exit code, and with 143 (128 + SIGTERM) when it was told to end, whatever came of that: AWS
Batch takes 0 for success.
"""

from __future__ import annotations

import os
import signal
import sys

from genomics_pipeline.worker.first_process import TOLD, below_first_process

TOLD_EXIT_CODE = 143


def run() -> int:
    """Run the task; what this process is to end with.

    SIGTERM and SIGINT interrupt what runs, so that it cleans up; a second one does not interrupt that.
    """
    told: list[int] = []

    def interrupt_once(number: int, _: object) -> None:
        for each in TOLD:
            signal.signal(each, signal.SIG_IGN)
        told.append(number)
        raise KeyboardInterrupt

    code = TOLD_EXIT_CODE
    try:
        for number in TOLD:
            signal.signal(number, interrupt_once)
        from genomics_pipeline.worker.container import main  # takes a moment in which signals must not be lost

        code = main(sys.argv[1:], os.environ)
    except KeyboardInterrupt:
        print("error: told to end (SIGTERM): spot host lost, timeout or cancelled", file=sys.stderr)
    return TOLD_EXIT_CODE if told else code


if __name__ == "__main__":
    sys.exit(below_first_process(run))
