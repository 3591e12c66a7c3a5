"""The intake of a stack: which sample sheets it submits as they arrive, and how; checked before it is deployed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.aws.template.intake import Intake
from genomics_pipeline.aws.template.tasks import StepImage
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import CollectedProblems, Problem, UsageError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.metric_bounds import parse_bound_assignments
from genomics_pipeline.model.overrides import parse_assignments
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.run_options import REGIONS
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.runs.aws.submission import SubmitRequest
from genomics_pipeline.runs.catalog import load_pipeline, pipeline_names
from genomics_pipeline.runs.containers.images import content_tag
from genomics_pipeline.runs.containers.intake_image import intake_step
from genomics_pipeline.runs.given_files import parameter_files

PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*/")
TAKEN = (
    run_layout.RUNS, run_layout.REFERENCES, run_layout.INDEXED, run_layout.DEFINITIONS, run_layout.TEMPLATES,
)  # fmt: skip
_OPTIONS_BYTES = quotas.JOB_DEFINITION.value // 2  # of the job definition, beside its other members
_PREFIX_CHARACTERS = quotas.EVENT_PATTERN.value // 16  # the rule has it once for each of eight endings
REMOTE = ("s3://", "https://", "http://")


@dataclass(frozen=True, slots=True)
class ArrivingSheets:
    """The sheets that a stack submits as they arrive.

    Attributes:
        prefix: The prefix below the bucket of the stack.
        options: The options of `submit`, as they are in the job definition.
        request: The same options after they were read.
        joint_with: The runs of --joint-with.
    """

    prefix: str
    options: tuple[str, ...]
    request: SubmitRequest
    joint_with: Sequence[str]


def refuse_unusable(arriving: ArrivingSheets) -> None:
    """Refuse what a job on AWS could not do for each sheet: it has the shipped pipelines, and no file of this machine.

    Raises:
        UsageError: with all problems.
    """
    collected = CollectedProblems()
    with collected.check():
        _refuse_any(_misfits(arriving))
    with collected.check():
        _refuse_parameters(arriving.request, collected)
    collected.refuse()


def _misfits(arriving: ArrivingSheets) -> Iterator[str]:
    prefix, request = arriving.prefix, arriving.request
    if not PREFIX.fullmatch(prefix):
        expected = "expected a prefix below the bucket of the stack, such as intake/, of letters, digits, _, - and ."
        yield f"{expected}, found {without_secrets(prefix)!r}"
    if len(prefix) > _PREFIX_CHARACTERS:
        yield f"expected a prefix of at most {_PREFIX_CHARACTERS} characters, found {len(prefix)}"
    if prefix.startswith(TAKEN):
        yield f"expected a prefix of its own, found one of the stack's, {prefix}"
    if request.pipeline not in pipeline_names():
        yield (
            f"expected a shipped pipeline, found {request.pipeline}; for your own, run `watch` with `submit` on a host "
            "that has it"
        )
    if not request.reference.startswith("s3://"):
        yield f"expected a --reference on S3, found {without_secrets(request.reference)}"
    if request.params_file is not None:
        yield f"expected --param and --bound, found --params-file {request.params_file}, a file of this machine"
    for run in arriving.joint_with:
        if "/" in run and not run.startswith("s3://"):
            yield f"expected --joint-with the name or the s3:// URI of a run, found {run}"
    size = len(compact(list(arriving.options)).encode())
    if size > _OPTIONS_BYTES:
        yield f"expected options of at most {_OPTIONS_BYTES:,} bytes, which fit into a job definition, found {size:,}"


def _refuse_parameters(request: SubmitRequest, collected: CollectedProblems) -> None:
    if request.pipeline not in pipeline_names():
        return
    pipeline, _ = load_pipeline(request.pipeline)
    steps = {stage.name: stage.step for stage in pipeline.stages}
    with collected.check():
        parse_bound_assignments(request.bounds, steps)
    with collected.check():
        _refuse_any(_local_files(request, pipeline))


def _refuse_any(messages: Iterable[str]) -> None:
    if problems := [Problem(f"--intake: {message}") for message in messages]:
        raise UsageError(problems)


def _local_files(request: SubmitRequest, pipeline: Pipeline) -> Iterator[str]:
    here = str(Path.cwd())
    given = [parse_assignments(request.parameters, pipeline, here)]
    if request.regions is not None:
        given.append(REGIONS.overrides(request.regions, pipeline, here))
    for overrides in given:
        for file, _ in parameter_files(pipeline, overrides):
            if not file.uri.startswith(REMOTE):
                yield f"expected files on S3 or a web server, found {file.uri}"


def stack_intake(arriving: ArrivingSheets, machines: Collection[str], steps: tuple[str, ...]) -> Intake:
    """Return the intake of a stack.

    Args:
        arriving: The sheets that it submits.
        machines: The names of its pipelines.
        steps: The names of their steps.

    Raises:
        UsageError: if the stack does not have the pipeline.
    """
    pipeline = arriving.request.pipeline
    if pipeline not in machines:
        raise UsageError(f"--intake: expected a pipeline of the stack, {', '.join(sorted(machines))}, found {pipeline}")
    step = intake_step()
    return Intake(arriving.prefix, arriving.options, StepImage(step.spec, content_tag(step)), steps)
