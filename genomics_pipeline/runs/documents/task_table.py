"""The tasks of a document: mocks, functions of the user, and the service integrations that run here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.engine.clock import Clock
from genomics_pipeline.engine.execution import Engine, TaskHandler
from genomics_pipeline.engine.history import EventFile
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.start import StartRequest, run_execution
from genomics_pipeline.engine.tasks import lambda_invoke, start_execution
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.callbacks import Callbacks, WaitForTaskToken
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.engine.tasks.s3 import S3Tasks
from genomics_pipeline.engine.tasks.sfn import SendTask
from genomics_pipeline.engine.tasks.table import CALLBACK, TaskTable
from genomics_pipeline.runs.documents.request import DocumentPlan, task_states
from genomics_pipeline.stores.publish import make_folders


def _batch_api(clock: Clock, clients: Clients) -> JobRunner:
    """Return a runner of jobs in AWS Batch."""
    from genomics_pipeline.aws.batch import BatchJobs
    from genomics_pipeline.runs.aws.batch_api import BatchApi

    return BatchApi(BatchJobs(clients), clock)


def _worker_jobs(plan: DocumentPlan, folder: Path) -> JobRunner:
    """Return a runner of jobs of the shipped steps on this machine.

    Args:
        plan: The plan of the execution.
        folder: The folder for temporary files.
    """
    from genomics_pipeline.runs.catalog import load_step, step_names
    from genomics_pipeline.runs.local.worker_jobs import WorkerJobs, jobs_of_steps

    steps = {name: load_step(name) for name in step_names()}
    jobs = WorkerJobs(steps, plan.store, folder / "scratch", plan.cache, plan.environment)
    return jobs_of_steps(steps, jobs.run_attempt, plan.capacity)


def task_table(plan: DocumentPlan, folder: Path, clock: Clock, clients: Clients) -> TaskTable:
    """Return the table of the tasks of an execution, and of the executions that it starts.

    Args:
        plan: The plan of the execution.
        folder: The folder of its journal.
        clock: The clock of the execution.
        clients: The AWS clients, for jobs in AWS Batch.
    """

    async def run(machine: str, name: str, value: Any) -> ExecutionResult:
        journal = folder / "executions" / hashlib.sha256(f"{machine}:{name}".encode()).hexdigest()
        make_folders(journal)
        engine = Engine(plan.store, table, clock, lambda event: None, journal)
        return await run_execution(engine, StartRequest(plan.documents[machine], value, name, machine), EventFile(None))

    callbacks = Callbacks()
    functions = Functions(plan.functions, callbacks)
    starts = start_execution.StartExecution(plan.documents, run)
    handlers = S3Tasks(plan.store).handlers() | SendTask(callbacks).handlers() | _start_handlers(starts, callbacks)
    if functions.has_lambda():
        invoke = lambda_invoke.LambdaInvoke(functions)
        handlers[lambda_invoke.INVOKE] = invoke
        handlers[f"{lambda_invoke.INVOKE}{CALLBACK}"] = WaitForTaskToken(invoke, callbacks)
    drains = [starts.drain]
    tasks = [state for document in plan.documents.values() for state in task_states(document)]
    if any("batch:submitJob" in str(state.node.get("Resource")) for state in tasks):
        jobs = _batch_api(clock, clients) if plan.batch == "batch" else _worker_jobs(plan, folder)
        handlers |= BatchTasks(jobs).handlers()
        drains.append(jobs.drain)
    table = TaskTable(handlers, functions, callbacks, plan.mocks, drains)
    return table


def _start_handlers(starts: start_execution.StartExecution, callbacks: Callbacks) -> dict[str, TaskHandler]:
    resource = start_execution.START_EXECUTION
    return {
        resource: starts.request,
        f"{resource}.sync": starts.sync,
        f"{resource}.sync:2": starts.sync_2,
        f"{resource}{CALLBACK}": WaitForTaskToken(starts.request, callbacks),
    }
