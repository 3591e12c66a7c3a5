"""Ends of jobs that lose their host or their container, with the reasons that AWS gives; no program is started."""

from __future__ import annotations

import os
import signal
from hashlib import sha256

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.batch_retry import TIMED_OUT
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.faults import ENGINE_KILLED
from genomics_pipeline.model.step import OUT_OF_MEMORY_EXIT_CODE
from genomics_pipeline.runs.containers.engine_containers import OUT_OF_MEMORY

INJECTED = "injected"  # marks every reason that need not be worded as AWS words it
OF_JOBS = (FailureClass.HOST_LOST, FailureClass.IMAGE, FailureClass.OUT_OF_MEMORY, FailureClass.TIMEOUT, ENGINE_KILLED)
_KILLED = 137


def job_end(kind: str, job: Job) -> JobEnd:
    """Return the end of a job with a fault of one of the kinds `OF_JOBS`; `ENGINE_KILLED` kills this process instead.

    Sources of the reasons: for a lost host, docs.seqera.io "AWS Spot interruptions" (often no exit code); for an image,
    DescribeJobs in cjw85/nf-batch-tag, README.md (no exit code); for memory and time, spacetelescope/calcloud,
    tests/artifacts/events, batch-event-container-memory-error.json and batch-event-timeout-error.json.
    """
    match kind:
        case FailureClass.HOST_LOST:
            instance = f"i-0{sha256(f'{job.job_id} {job.attempt}'.encode()).hexdigest()[:16]}"
            return JobEnd(None, status_reason=f"Host EC2 (instance {instance}) terminated.")
        case FailureClass.IMAGE:
            reason = f"CannotPullContainerError: no image was pulled ({INJECTED})"
            return JobEnd(None, reason, status_reason="Task failed to start")
        case FailureClass.OUT_OF_MEMORY:
            return JobEnd(OUT_OF_MEMORY_EXIT_CODE, OUT_OF_MEMORY)
        case FailureClass.TIMEOUT:
            return JobEnd(_KILLED, status_reason=TIMED_OUT)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(f"{kind}: this process was killed")
