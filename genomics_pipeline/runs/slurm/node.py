"""The program of a job on its node: run the task of its index in the folder of its array, and write its end.

Slurm starts it in that folder; ``SLURM_ARRAY_TASK_ID`` is the index. It is stopped by SIGTERM, as by ``scancel``.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from tempfile import gettempdir

from genomics_pipeline.worker.credentials import hide_process

INDEX = "SLURM_ARRAY_TASK_ID"


def run() -> int:
    """Run the task and return the exit code of this process."""
    from genomics_pipeline.engine.tasks.job import Job
    from genomics_pipeline.model import run_layout
    from genomics_pipeline.model.task import PAYLOAD_VARIABLE
    from genomics_pipeline.report.output import echo_error
    from genomics_pipeline.runs.local.worker_jobs import WorkerJobs
    from genomics_pipeline.runs.run_folder import BUCKET
    from genomics_pipeline.runs.slurm.node_task import ENDED, STARTED, TASKS, read_tasks, write_end
    from genomics_pipeline.stores.publish import publish_bytes
    from genomics_pipeline.worker.adapters import make_store
    from genomics_pipeline.worker.step_folder import read_step

    array = Path.cwd()
    task = read_tasks(array / TASKS)[int(os.environ[INDEX])]
    root = Path(task.run)
    files = root / run_layout.SLURM_JOBS
    publish_bytes(files / f"{task.key}{STARTED}", os.uname().nodename.encode(), root)
    environment = {PAYLOAD_VARIABLE: task.payload}
    job = Job(task.job_id, task.name, task.definition, "", environment, task.vcpus, task.memory_mib, None)
    signal.signal(signal.SIGTERM, lambda *_: job.cancelled.set())
    step = read_step(Path(task.step))
    scratch = Path(task.scratch or gettempdir()) / f"genomics-pipeline-{os.getuid()}"
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)  # what killed jobs left there is removed by the next one
    jobs = WorkerJobs({step.spec.name: step}, make_store({BUCKET: root}), scratch, Path(task.cache), dict(os.environ))
    end = jobs.run_attempt(job)
    if job.cancelled.is_set():  # Slurm knows the reason
        return 128 + signal.SIGTERM
    write_end(files / f"{task.key}{ENDED}", end, root)
    if end.reason:
        echo_error(end.reason)
    return end.exit_code or 0


if __name__ == "__main__":
    hide_process()
    sys.exit(run())
