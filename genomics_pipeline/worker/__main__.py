"""The first process of a container, which runs the task in its environment.

========================================  ========================================================================
``GENOMICS_PIPELINE_TASK``                the payload: JSON, or its ``s3://`` URI
``GENOMICS_PIPELINE_RIGHTS``              in place of a payload: what to check the rights of the job's role by, JSON
``GENOMICS_PIPELINE_INDEX``               in place of a payload: the indexes of a reference that are to be built, JSON
``GENOMICS_PIPELINE_STEP``                the step's folder
``GENOMICS_PIPELINE_SCRATCH``             a folder for temporary files
``GENOMICS_PIPELINE_VCPUS``               cores; by default all
``GENOMICS_PIPELINE_MEMORY_MIB``          memory; by default the container's limit
``GENOMICS_PIPELINE_SUBMITTED``           the time of the job's submission, ISO 8601; by default no wait is reported
``GENOMICS_PIPELINE_TRIED``               the attempts that failed before: see `model.stage_try`
``GENOMICS_PIPELINE_BUCKETS``             JSON: local folders by bucket, for runs on this machine
``GENOMICS_PIPELINE_LAYER``               a folder for what a replay writes, and the prefix of its run
``GENOMICS_PIPELINE_KEEP_SCRATCH``        the temporary files of the last task stay, if this is there
``GENOMICS_PIPELINE_HOST``                JSON: facts of the host that records keep; by default those of a host in AWS
``GENOMICS_PIPELINE_USAGE``               a file for the memory and the progress of the program
``AWS_BATCH_JOB_ID``                      set by AWS Batch, with ``AWS_BATCH_JOB_ATTEMPT``
========================================  ========================================================================

The exit code is that of the step, or 143 (128 + SIGTERM) after a signal to end, even if the step then exited with 0:
AWS Batch takes 0 for success.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from tempfile import gettempdir

from genomics_pipeline.worker.credentials import hide_process
from genomics_pipeline.worker.first_process import END_SIGNALS, run_below_first_process

SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


def run() -> int:
    """Run the task and return the exit code of this process.

    SIGTERM and SIGINT interrupt the task, which then cleans up; a second signal does not interrupt the cleanup.
    """
    received: list[int] = []

    def interrupt_once(number: int, _: object) -> None:
        for end_signal in END_SIGNALS:
            signal.signal(end_signal, signal.SIG_IGN)
        received.append(number)
        raise KeyboardInterrupt

    code = SIGTERM_EXIT_CODE
    try:
        for number in END_SIGNALS:
            signal.signal(number, interrupt_once)
        # These imports take so long that the handlers must be set before.
        from genomics_pipeline.reference.cache import cache_folder, home_if_any
        from genomics_pipeline.stores.client_config import honour_region
        from genomics_pipeline.worker.adapters import make_store
        from genomics_pipeline.worker.container import main

        honour_region(os.environ)
        cache = cache_folder(os.environ, home_if_any(Path.home), gettempdir)
        code = main(sys.argv[1:], os.environ, cache, make_store)
    except KeyboardInterrupt:
        print("error: ended by SIGTERM: Spot host lost, timeout or cancelled", file=sys.stderr)
    return SIGTERM_EXIT_CODE if received else code


if __name__ == "__main__":
    hide_process()
    sys.exit(run_below_first_process(run))
