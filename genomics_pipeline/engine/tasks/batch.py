"""``batch:submitJob`` and ``batch:submitJob.sync``, whose jobs a `JobRunner` runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genomics_pipeline.engine.execution import TaskContext, TaskHandler
from genomics_pipeline.engine.tasks.job_detail import cause_of
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.language.errors import TASK_FAILED, StatesError

SUBMIT_JOB = "arn:aws:states:::batch:submitJob"
SUBMIT_JOB_SYNC = f"{SUBMIT_JOB}.sync"


@contextmanager
def _as_task_failure() -> Iterator[None]:
    """Turn an unexpected exception of a `JobRunner` into the failure of its Task: other jobs continue.

    Raises:
        StatesError: for the exception.
    """
    try:
        yield
    except StatesError:
        raise
    except Exception as error:
        raise StatesError(TASK_FAILED, " ".join(f"{type(error).__name__}: {error}".split())) from error


class BatchTasks:
    """The handlers of both resources.

    Args:
        runner: Runs the jobs.
    """

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def handlers(self) -> dict[str, TaskHandler]:
        """Return the handler of each resource."""
        return {SUBMIT_JOB: self.submit, SUBMIT_JOB_SYNC: self.run}

    async def submit(self, arguments: Any, context: TaskContext) -> Any:
        """Submit a job and return ``{JobArn, JobId, JobName}``; the state does not wait for the job.

        Raises:
            StatesError: if it cannot be submitted.
        """
        with _as_task_failure():
            return await self._runner.submit(arguments, context)

    async def run(self, arguments: Any, context: TaskContext) -> Any:
        """Run a job to its end and return its detail.

        Raises:
            StatesError: if it cannot be submitted; ``States.TaskFailed`` with the detail as its cause if it failed.
        """
        with _as_task_failure():
            detail = await self._runner.run(arguments, context)
        if detail["Status"] == "FAILED":
            raise StatesError(TASK_FAILED, cause_of(detail))
        return detail
