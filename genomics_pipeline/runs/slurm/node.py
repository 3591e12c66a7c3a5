"""The program of a job on its node: run the task of its index in the folder of its array, and write its end.

Slurm starts it in that folder; ``SLURM_ARRAY_TASK_ID`` is the index. It is stopped by SIGTERM, as by ``scancel``. Short
tasks would take less time than the start of a job: so it takes tasks of its array that no other job has begun.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from genomics_pipeline.worker.credentials import hide_process

INDEX, RESTARTS = "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT"


def run() -> int:
    """Run the tasks and return the exit code of this process."""
    from genomics_pipeline.model.step import OUT_OF_DISK_EXIT_CODE
    from genomics_pipeline.report.output import echo_error
    from genomics_pipeline.runs.slurm.array_job import ArrayJob
    from genomics_pipeline.worker.failure import DISK_FULL

    job = ArrayJob(Path.cwd(), int(os.environ[INDEX]), bool(os.environ.get(RESTARTS)), dict(os.environ))
    signal.signal(signal.SIGTERM, lambda *_: job.stop())
    try:
        return job.run()
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        echo_error(str(error))
        return OUT_OF_DISK_EXIT_CODE


if __name__ == "__main__":
    hide_process()
    sys.exit(run())
