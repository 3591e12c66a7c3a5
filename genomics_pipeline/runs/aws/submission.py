"""Submissions to AWS: what was asked for, and what is known of it after all checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.aws.executions import start_execution
from genomics_pipeline.aws.run_names import rerun_name
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.execution_input import WAIT_S, ExecutionInput
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines
from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.runs.aws.reference import AwsReference
from genomics_pipeline.runs.aws.run import run_place
from genomics_pipeline.runs.containers.images import tag
from genomics_pipeline.runs.learned_attempts import NOTHING_LEARNED, LearnedAttempts
from genomics_pipeline.runs.plan import RunInputs, RunRequest
from genomics_pipeline.runs.run_files import RunFiles

SHORT_DIGEST = 12
# The greatest length of the part of a run's name that comes from the sheet: a digest and the suffix of a rerun follow.
_NAME_CHARACTERS = quotas.EXECUTION_NAME.value - SHORT_DIGEST - 1 - len(rerun_name("", 999))
_ENDING = re.compile(r"(\.(csv|tsv|jsonl|ndjson))?(\.(gz|bgz|bz2|xz|zst))?$", re.IGNORECASE)

Size = TypeVar("Size", "CohortSize", "RecordsSize")


@dataclass(frozen=True, slots=True)
class SubmitRequest(RunRequest):
    """The arguments of a run on AWS, in addition to those of `RunRequest`.

    Attributes:
        max_concurrency: The greatest number of samples or intervals at a time; None for the pipeline's.
        stack: The stack to run in.
        dry_run: Whether to check everything without uploading or starting anything.
        check_rights: Whether to check the rights of the job role by a job, before the run is started.
        wait_s: The longest time in seconds that a job may wait for hosts.
        history: The files of earlier runs, from whose records first attempts are learned.
        preflight: Whether the FASTQ files are checked by functions on AWS, before the run is started.
    """

    max_concurrency: int | None = None
    stack: str = DEFAULT_STACK
    dry_run: bool = False
    check_rights: bool = False
    wait_s: int = WAIT_S
    history: Sequence[RunFiles] = ()
    preflight: bool = False


@dataclass(frozen=True, slots=True)
class CohortSize:
    """The size of a run over samples.

    Attributes:
        samples: The number of its samples.
        intervals: The number of its intervals.
        jobs: The number of its jobs, without retries.
        least_seconds: The least time in seconds in which AWS starts all of them.
    """

    samples: int
    intervals: int
    jobs: int
    least_seconds: float


@dataclass(frozen=True, slots=True)
class RecordsSize:
    """The size of a run over records.

    Attributes:
        objects: The number of objects with records.
        size_bytes: Their size.
        map_runs: The number of Map Runs.
    """

    objects: int
    size_bytes: int
    map_runs: int


@dataclass(frozen=True, slots=True)
class SubmitOutcome(Generic[Size]):
    """The outcome of a submission.

    Attributes:
        run: The name of the run.
        uri: The URI of its folder.
        stack: The stack that it runs in.
        status: The status of its execution; `CHECKED` after a dry run.
        started: Whether this call started the execution.
        execution_arn: The ARN of the execution.
        size: The size of the run.
        warnings: Warnings about the request.
        first_attempts: The first attempts that were learned, a line for each stage.
    """

    run: str
    uri: str
    stack: str
    status: str
    started: bool
    execution_arn: str
    size: Size
    warnings: tuple[str, ...] = ()
    first_attempts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``submit --json`` prints."""
        members = asdict(self)
        size = members.pop("size")
        return {**members, **size}


@dataclass(frozen=True, slots=True)
class Submission:
    """A request after all checks against the stack and the files on S3.

    Attributes:
        request: The request.
        plan: The plan of the run.
        deployment: The deployed stack.
        document: The definition of the state machine.
        reference: The reference.
        intervals: The intervals, one JSON line each.
        warnings: Warnings about the request.
        digest: The sha256 of everything that determines the results.
        job_definitions: By step, the ARN of the revision of its job definition.
        attempts: The first attempts that were learned, which are no part of the digest.
    """

    request: SubmitRequest
    plan: RunInputs
    deployment: Deployment
    document: Mapping[str, Any]
    reference: AwsReference
    intervals: str
    warnings: Sequence[str]
    digest: str
    job_definitions: Mapping[str, str]
    attempts: LearnedAttempts = NOTHING_LEARNED

    @property
    def place(self) -> RunPlace:
        """The place of the run: its name has that of the sheet, or of the pipeline without one, and the digest."""
        return place_of(self.request.manifest or self.plan.pipeline.name, self.digest, self.deployment.bucket)

    @property
    def execution_arn(self) -> str:
        """The ARN of the execution."""
        return self.deployment.execution_arn(self.plan.pipeline.name, self.place.name)

    @property
    def input(self) -> ExecutionInput:
        """The input of the execution."""
        plan = self.plan
        return ExecutionInput(
            self.place,
            self.reference.uri,
            plan.overrides,
            plan.tolerated,
            wait_s=self.request.wait_s,
            job_definitions=self.job_definitions,
            max_concurrency=self.request.max_concurrency,
            optional=plan.optional,
            parts=plan.parts,
            first_attempts=self.attempts.cohort,
        )


def place_of(given: str, digest: str, bucket: str) -> RunPlace:
    """Return the place of a run.

    Args:
        given: The path or URI that was submitted, of whose name that of the run begins with.
        digest: The sha256 of everything that determines the results.
        bucket: The bucket of the stack.
    """
    stem = _ENDING.sub("", PurePosixPath(without_secrets(given)).name)
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:_NAME_CHARACTERS] or "run"
    return run_place(f"{clean}-{digest[:SHORT_DIGEST]}", bucket)


def submission_digest(
    planned: RunInputs, document: Mapping[str, Any], reference: AwsReference, intervals: str, architecture: Architecture
) -> str:
    """Return the sha256 of everything that determines the results: definition, images, parameters, reference, items.

    Args:
        planned: The plan of the run.
        document: The definition of the state machine.
        reference: The reference.
        intervals: The intervals, one JSON line each.
        architecture: The processor architecture of the images.
    """
    parts: list[Iterable[str]] = [
        [canonical_json(document)],
        [json.dumps({name: tag(step, architecture) for name, step in planned.steps.items()}, sort_keys=True)],
        [json.dumps(planned.overrides, sort_keys=True)],
        [reference.uri],
        *([[reference.alt]] if reference.alt else []),
        manifest_lines(planned.samples),
        *([gvcf_lines(planned.samples)] if any(one.gvcf is not None for one in planned.samples) else []),
        [intervals],
    ]
    digest = sha256()
    for number, part in enumerate(parts):
        digest.update(b"\0" if number else b"")
        for text in part:
            digest.update(text.encode())
    return digest.hexdigest()


def start_submitted(machine: str, place: RunPlace, execution_input: str, clients: Clients) -> bool:
    """Start the execution of a run whose files are uploaded, and return whether it was started.

    Args:
        machine: The ARN of the state machine.
        place: The place of the run.
        execution_input: The input of the execution.
        clients: The AWS clients.

    Raises:
        RunError: if AWS refuses, with the advice to repeat the command.
    """
    try:
        return start_execution(machine, place.name, execution_input, clients)
    except RunError as error:
        advice = f"nothing was started; repeat the command to reuse the files in {place.uri('')}"
        raise RunError(f"{error}; {advice}") from None


def name_taken(name: str) -> RunError:
    """Return the error about a run whose execution ended, and whose name AWS keeps."""
    kept = f"an execution of this name ended, and AWS keeps its name for {quotas.RETENTION_DAYS}"
    return RunError(f"run {name}: {kept}; change an input, or wait")
