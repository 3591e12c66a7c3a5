"""Names of Batch jobs: the run, the stage and the item, so that whoever looks at a list of jobs sees whose they are.

`asl.job_name` composes them. Runs and stages are named without characters that a job's name may not have, but for the
dots of runs and samples, which become hyphens.
"""

from __future__ import annotations

import re

from genomics_pipeline.model import quotas

# Batch API reference, SubmitJob, jobName.
_JOB_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{quotas.JOB_NAME.value - 1}}}")


def is_job_name(name: str) -> bool:
    """Return whether Batch accepts the name of a job.

    >>> is_job_name("cohort-1f-alignment-NA12878"), is_job_name("NA12878.1"), is_job_name("_a")
    (True, False, False)
    """
    return bool(_JOB_NAME.fullmatch(name))


def may_be_job_of(run: str, job_name: str) -> bool:
    """Return whether a run may have a job of a name: it begins with the run, or was cut to the greatest length.

    Jobs of another run, whose name begins with that of this one, may also do so; what the job itself says decides.

    >>> may_be_job_of("a.b", "a-b-alignment-NA12878"), may_be_job_of("a.b", "a-c-alignment-NA12878")
    (True, False)
    """
    return job_name.startswith(f"{run.replace('.', '-')}-") or len(job_name) == quotas.JOB_NAME.value
