"""The program that a container runs as its first process: one task, from the environment.

========================================  ========================================================================
``GENOMICS_PIPELINE_TASK``                the payload: JSON, or the ``s3://`` URI of it
``GENOMICS_PIPELINE_STEP``                the step's folder
``GENOMICS_PIPELINE_SCRATCH``             a folder for temporary files
``GENOMICS_PIPELINE_VCPUS``               cores; by default all that there are
``GENOMICS_PIPELINE_MEMORY_MIB``          memory; by default the container's limit
``GENOMICS_PIPELINE_BUCKETS``             JSON: local folders by bucket, for runs on this machine
``AWS_BATCH_JOB_ID``                      set by AWS Batch, with ``AWS_BATCH_JOB_ATTEMPT``
========================================  ========================================================================

The process ends with the step's exit code, and with 143 (128 + SIGTERM) when it was signalled to end, whatever the
step made of that: AWS Batch takes 0 for success.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from genomics_pipeline.worker.first_process import END_SIGNALS, below_first_process

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


def run() -> int:
    """Run the task and return the exit code of this process.

    SIGTERM and SIGINT interrupt the task, which then cleans up; a second signal does not interrupt that.
    """
    received: list[int] = []

    def interrupt_once(number: int, _: object) -> None:
        for each in END_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        received.append(number)
        raise KeyboardInterrupt

    code = SIGTERM_EXIT_CODE
    try:
        for number in END_SIGNALS:
            signal.signal(number, interrupt_once)
        # These imports take a moment in which signals must not be lost.
        from genomics_pipeline.stores.routed import RoutedStore
        from genomics_pipeline.worker.container import main

        code = main(sys.argv[1:], os.environ, Path.home(), lambda buckets: RoutedStore(_s3, buckets))
    except KeyboardInterrupt:
        print("error: ended by SIGTERM: Spot host lost, timeout or cancelled", file=sys.stderr)
    return SIGTERM_EXIT_CODE if received else code


def _s3() -> S3Client:
    import boto3

    from genomics_pipeline.stores.client_config import ROUTED_CONNECTIONS, client_config

    return boto3.client("s3", config=client_config(ROUTED_CONNECTIONS))


if __name__ == "__main__":
    sys.exit(below_first_process(run))
