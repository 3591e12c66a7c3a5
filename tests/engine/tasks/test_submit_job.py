"""``batch:submitJob``, which does not wait for its job, and submissions that are refused."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from genomics_pipeline.engine.events import JobEnded, JobStarted
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.language.errors import StatesError
from tests.engine.tasks.batch_jobs import DEFINITIONS
from tests.patience import PATIENCE_S


def test_submit_job_returns_immediately_and_drain_waits_for_the_job(task: Any) -> None:
    # The members: botocore batch, SubmitJobResponse.
    go, ended = threading.Event(), threading.Event()

    def job(job: Job) -> JobEnd:
        assert go.wait(PATIENCE_S)
        ended.set()
        return JobEnd(1, "not reported to the state")

    events: list[Any] = []
    context = task("arn:aws:states:::batch:submitJob", observer=events.append)
    arguments = {"JobName": "job", "JobDefinition": "align:7", "JobQueue": "queue"}

    async def submit_and_drain() -> Any:
        runner = MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000)
        response = await BatchTasks(runner).submit(arguments, context)
        assert not ended.is_set()
        go.set()
        await runner.drain()
        return response

    response = asyncio.run(submit_and_drain())
    job_id = response["JobId"]
    assert response == {
        "JobArn": f"arn:aws:batch:us-east-1:000000000000:job/{job_id}",
        "JobId": job_id,
        "JobName": "job",
    }
    assert ended.is_set()
    assert [(type(event), event.job_id) for event in events] == [(JobStarted, job_id), (JobEnded, job_id)]


def test_submit_job_refuses_an_unknown_definition(task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.submit({"JobName": "job", "JobDefinition": "no", "JobQueue": "q"}, task()))
    assert (raised.value.error, raised.value.cause) == ("Batch.ClientException", "JobDefinition not found: no")


@pytest.mark.parametrize("name", ["NA12878.1", "_a", "é", "j" * 129])
def test_submit_job_refuses_a_name_that_batch_refuses(name: str, task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.submit({"JobName": name, "JobDefinition": "align", "JobQueue": "q"}, task()))
    # Recorded: nextflow-io/nextflow issue 822.
    message = "Error executing request, Exception : Job name should match valid pattern, RequestId: "
    assert raised.value.error == "Batch.ClientException"
    assert str(raised.value.cause).startswith(message)
    assert " (Service: AWSBatch; Status Code: 400; Error Code: ClientException; " in str(raised.value.cause)


def test_missing_arguments_are_reported(task: Any) -> None:
    tasks = BatchTasks(MachineJobs(DEFINITIONS, lambda job: JobEnd(0), cores=2, memory_mib=4000))
    with pytest.raises(StatesError) as raised:
        asyncio.run(tasks.run({"JobName": "job"}, task()))
    assert (raised.value.error, raised.value.cause) == (
        "States.Runtime",
        'The Parameters \'{"JobName":"job"}\' could not be used to start the Task: '
        "[The field 'JobQueue' is required but was missing, The field 'JobDefinition' is required but was missing]",
    )


def test_a_job_in_the_background_that_raises_has_failed(task: Any) -> None:
    def job(job: Job) -> JobEnd:
        raise RuntimeError("a bug")

    events: list[Any] = []

    async def submit_and_drain() -> None:
        runner = MachineJobs(DEFINITIONS, job, cores=2, memory_mib=4000)
        arguments = {"JobName": "job", "JobDefinition": "small", "JobQueue": "q"}
        await BatchTasks(runner).submit(arguments, task(observer=events.append))
        await runner.drain()

    asyncio.run(submit_and_drain())
    assert [(one.exit_code, one.reason) for one in events if isinstance(one, JobEnded)] == [(1, "RuntimeError: a bug")]
