"""Job definitions, Tasks that submit jobs, and jobs, for tests of ``batch:submitJob``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY

SUBMIT = "arn:aws:states:::batch:submitJob.sync"
DEFINITIONS = {
    "align": JobDefinition(2, 1000, 3600),
    "huge": JobDefinition(64, 500_000),
    "small": JobDefinition(1, 10),
    "ours": JobDefinition(1, 10, None, STACK_RETRY_STRATEGY),
}
# In a job's detail, as recorded: spacetelescope/calcloud, tests/artifacts/events/batch-event-timeout-error.json.
REQUIREMENTS = [{"Type": "VCPU", "Value": "2"}, {"Type": "MEMORY", "Value": "1000"}]


def submit(**arguments: Any) -> dict[str, Any]:
    arguments = {"JobName": "job", "JobDefinition": "align", "JobQueue": "queue", **arguments}
    return {"Type": "Task", "Resource": SUBMIT, "Arguments": arguments, "End": True}


def run(harness: Any, state: dict[str, Any], job: Callable[[Job], JobEnd], cores: int = 4, **others: Any) -> Any:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, job, cores=cores, memory_mib=4000))
    return harness.run({"T": state, **others}, tasks={SUBMIT: tasks.run})


def each(state: dict[str, Any], count: int, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Map",
        "Label": "Each",
        "Items": list(range(count)),
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "J",
            "States": {"J": state},
        },
        "Output": "{% $states.input %}",
        "End": True,
        **fields,
    }


def job_with_ends(*ends: JobEnd, seen: list[Job] | None = None) -> Callable[[Job], JobEnd]:
    """Return a job whose attempts end with each of the ends in turn."""

    def job(job: Job) -> JobEnd:
        if seen is not None:
            seen.append(job)
        return ends[job.attempt - 1]

    return job
