"""Fakes of Step Functions and Batch beside moto's S3, CloudFormation and CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genomics_pipeline.aws.template.compute import compute
from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.execution import Tasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.engine.tasks.lambda_invoke import INVOKE, LambdaInvoke
from genomics_pipeline.model.resource_names import DEFAULT_STACK, ResourceNames
from tests.fakes.batch import Batch, Log, RunJob
from tests.fakes.functions import InProcessFunctions
from tests.fakes.http_server import Server
from tests.fakes.moto_clients import moto_client
from tests.fakes.step_functions.execution import Execution
from tests.fakes.step_functions.service import StepFunctions


def succeed(job: Job, log: Log) -> JobEnd:
    """End a job at once, successfully."""
    log(f"{job.name} done")
    return JobEnd(0)


class FakeAws:
    """A server of Step Functions and Batch, for unmodified boto3.

    Attributes:
        states: Step Functions.
        batch: Batch.
        functions: Lambda, whose functions run in this process.
        server: The HTTP server of both.
        stack: The stack whose log group the jobs write to.
    """

    def __init__(self, folder: Path, moto: str, run_job: RunJob = succeed) -> None:
        self.stack = DEFAULT_STACK
        self.batch = Batch(
            run_job, lambda definition: ResourceNames(self.stack).log_group, moto=moto, time_limits=self._time_limits
        )
        self.functions = InProcessFunctions(folder / "functions")
        self.states = StepFunctions(folder, object_store(), self._tasks, lambda name: _stack_definition(moto, name))
        self.server = Server(self.states, self.batch)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point boto3 to both services."""
        return {"AWS_ENDPOINT_URL_SFN": self.server.url, "AWS_ENDPOINT_URL_BATCH": self.server.url}

    def _tasks(self, folder: Path) -> Tasks:
        """Return the tasks of one execution: jobs of Batch, and Lambda functions."""
        return Handlers({**self.batch.handlers(), INVOKE: LambdaInvoke(self.functions)})

    def execution(self, name: str) -> Execution:
        """Return the execution with this name or ARN."""
        return next(item for item in self.states.executions.values() if name in (item.name, item.arn))

    def _time_limits(self, queue: str) -> Sequence[Mapping[str, Any]]:
        """Return the ``JobStateTimeLimitActions`` of a queue, as the template of the stack has them; moto has none."""
        resources = compute(ResourceNames(self.stack)).values()
        properties = [one["Properties"] for one in resources if one["Properties"].get("JobQueueName") == queue]
        return properties[0]["JobStateTimeLimitActions"] if properties else ()

    @contextmanager
    def serving(self) -> Iterator[FakeAws]:
        """Serve until the end of the context; then stop running executions, and raise errors of the fakes."""
        with self.server:
            yield self
            try:
                self.states.close()
            finally:
                self.batch.close()


def _stack_definition(moto: str, name: str) -> str | None:
    """Return the definition of a state machine that moto's CloudFormation has created."""
    client = moto_client("stepfunctions", moto)
    for page in client.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"] == name:
                return str(client.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["definition"])
    return None
