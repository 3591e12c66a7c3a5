"""Batch jobs that run on this machine: job definition, submission, attempt and its end."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine.events import JobUsage
from genomics_pipeline.engine.tasks.job_runner import NO_WORK, JobReport
from genomics_pipeline.engine.tasks.shares import LeastMemory
from genomics_pipeline.model.batch_retry import EXITED, ONCE, RetryStrategy


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """The resources and limits of a kind of job; a submission may override them.

    Attributes:
        vcpus: Cores.
        memory_mib: Memory.
        timeout_s: Maximum duration of an attempt.
        retry: The retry strategy.
        least_mib: Returns, for the environment of a job, the memory that it needs at least, by its cores; None where
            only `memory_mib` is known.
    """

    vcpus: int
    memory_mib: int
    timeout_s: int | None = None
    retry: RetryStrategy = ONCE
    least_mib: Callable[[Mapping[str, str]], LeastMemory] | None = None

    def least(self, memory_mib: int, environment: Mapping[str, str]) -> LeastMemory:
        """Return the memory that a job needs at least, by its cores, if it asks for an amount.

        A retry that asks for more after running out of memory needs more in proportion, and so does a user's request.

        Args:
            memory_mib: The amount in MiB, such as the next rung of a memory ladder.
            environment: The environment of the job.

        >>> JobDefinition(8, 1000, least_mib=lambda _: lambda vcpus: 100 + vcpus).least(2000, {})(4)
        208
        """
        if self.least_mib is None:
            return lambda _: memory_mib
        least, more = self.least_mib(environment), max(1.0, memory_mib / self.memory_mib)
        return lambda vcpus: math.ceil(least(vcpus) * more)


@dataclass(frozen=True, slots=True)
class JobSubmission:
    """The arguments of SubmitJob that apply on this machine.

    Attributes:
        name: ``JobName``.
        definition: Name of the job definition, without its revision.
        declared: The job definition with what the submission overrides.
        least_mib: The memory that it needs at least, by its cores.
        queue: ``JobQueue``.
        environment: ``ContainerOverrides.Environment``.
        refusal: The reason for which ECS refuses to start it; None if it does not.
    """

    name: str
    definition: str
    declared: JobDefinition
    least_mib: LeastMemory
    queue: str
    environment: Mapping[str, str]
    refusal: str | None = None

    def attempt(self, job_id: str, number: int, vcpus: int, memory_mib: int, timeout_s: int | None) -> Job:
        """Return an attempt of the job.

        Args:
            job_id: The job's ID.
            number: The number of the attempt, from 1.
            vcpus: The cores it may use.
            memory_mib: The memory it may use.
            timeout_s: The number of seconds after which it must end.
        """
        return Job(
            job_id,
            self.name,
            self.definition,
            self.queue,
            self.environment,
            vcpus,
            memory_mib,
            timeout_s,
            number,
            self.declared.memory_mib,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt of a job.

    Attributes:
        job_id: A UUID, the same for all attempts.
        name: ``JobName``.
        definition: Name of the job definition.
        queue: ``JobQueue``.
        environment: ``ContainerOverrides.Environment``.
        vcpus: The cores it may use: the declared ones, scaled down to this machine.
        memory_mib: The memory it may use, scaled down likewise.
        timeout_s: The number of seconds after the start at which `cancelled` is set.
        attempt: ``AWS_BATCH_JOB_ATTEMPT``: 1, 2, …
        asked_mib: The declared memory; None if it is `memory_mib`.
        cancelled: Set when the attempt must end immediately.
        usage: What it uses while it runs.
    """

    job_id: str
    name: str
    definition: str
    queue: str
    environment: Mapping[str, str]
    vcpus: int
    memory_mib: int
    timeout_s: int | None
    attempt: int = 1
    asked_mib: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    usage: JobUsage = field(default_factory=JobUsage)


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of an attempt of a job.

    Attributes:
        exit_code: 0 for success; None if the container did not end by itself.
        reason: ``Container.Reason``.
        log_stream: ``Container.LogStreamName``.
        status_reason: ``StatusReason``.
        report: The work that the attempt did.
    """

    exit_code: int | None
    reason: str | None = None
    log_stream: str | None = None
    status_reason: str = EXITED
    report: JobReport = NO_WORK


def environment_of(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables that the arguments of SubmitJob set."""
    overrides = arguments.get("ContainerOverrides", {})
    return {entry["Name"]: entry["Value"] for entry in overrides.get("Environment", ())}


RunAttempt = Callable[[Job], JobEnd]  # called in a thread of its own; a failed step is an end, not an exception
