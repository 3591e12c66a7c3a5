"""The rerun of a run on AWS: another execution of the deployed state machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.asl.payload_budget import payload_budgets
from genomics_pipeline.aws.executions import describe, find_execution, start_execution
from genomics_pipeline.aws.jobs import DeployedJob
from genomics_pipeline.aws.run_names import rerun_name
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import CollectedProblems, RunError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.aws.chain import aws_map_runs, started_chain
from genomics_pipeline.runs.aws.deployed import definition_problems, deployed_jobs, image_problems, revision_arns
from genomics_pipeline.runs.aws.items import Items, upload_large_items, write_items
from genomics_pipeline.runs.aws.run import AwsRun
from genomics_pipeline.runs.aws.state import AwsRunWatcher
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.given_files import parameter_files
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution, since_whole
from genomics_pipeline.runs.reruns.outcome import AwsRerun, RerunOutcome
from genomics_pipeline.runs.reruns.request import RerunChanges, RerunRequest, changes
from genomics_pipeline.runs.reruns.rerun import PlannedRerun, RunToRerun, rerun
from genomics_pipeline.runs.unrecorded_attempts import record_unrecorded
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(slots=True)
class _OnAws:
    """A `RerunTarget` for a run on AWS.

    Attributes:
        run: The run.
        number: The number of the rerun.
        pipeline: The pipeline of the run.
        document: The definition of the deployed state machine.
        folder: A folder for files until they are uploaded.
        display: Shows the progress.
        items: The samples, once `check` was called.
    """

    run: AwsRun
    number: int
    pipeline: Pipeline
    document: Mapping[str, Any]
    folder: Path
    display: Display
    items: Items | None = field(default=None)

    @property
    def rerun(self) -> AwsRerun:
        name = rerun_name(self.run.name, self.number)
        return AwsRerun(self.run.place.uri(""), self.run.deployment.execution_arn(self.pipeline.name, name))

    def map_runs(self, execution: RunExecution) -> Sequence[MapRunDescription]:
        """Return the Map Runs of an execution, from Step Functions."""
        return aws_map_runs(self.run, execution)

    def check(self, planned: PlannedRerun, lines: BinaryIO) -> AwsRerun:
        """Check the samples against AWS's limits of payloads and files."""
        budget = payload_budgets(self.pipeline, self.document, planned.input.to_json()).get("sample")
        text = (line.decode() for line in lines)
        self.items = write_items(self.folder / WHOLE, "sample", text, budget, self.run.place)
        return self.rerun

    def write_items(self, planned: PlannedRerun, lines: BinaryIO) -> None:
        """Upload the manifest, unless it is that of the run, and the samples that are too large for a job.

        Attempts that left no record get theirs, since the result files of the rerun replace those that tell of them.
        """
        assert self.items is not None  # `check` was called
        record_unrecorded(self.run.files, AwsRunWatcher(self.run).all_failures())
        self.display.note(f"uploading to {self._uri('')}")
        upload_large_items([self.items], self.run.place, self.run.store)
        if not planned.is_whole:
            self.run.store.publish(self.items.file, self._uri(WHOLE))

    def start(self, planned: PlannedRerun) -> RerunOutcome:
        """Start the execution, unless it was started already."""
        machine, name = self.run.deployment.state_machine_arn(self.pipeline.name), planned.chosen.execution
        if start_execution(machine, name, json.dumps(planned.input.to_json()), self.run.clients):
            aws = replace(self.rerun, started=True)
            return RerunOutcome(self.run.name, "RUNNING", planned.chosen, aws=aws)
        execution = find_execution(self.rerun.execution_arn, self.run.clients)
        if execution is None:
            raise RunError(
                f"execution {name}: an execution of this name has ended, and AWS does not start another one of its name"
            )
        return RerunOutcome(self.run.name, execution["status"], planned.chosen, aws=self.rerun)

    def _uri(self, name: str) -> str:
        return self.run.place.uri(run_layout.rerun_file(self.number, name))


def rerun_aws(run: AwsRun, request: RerunRequest, display: Display) -> RerunOutcome:
    """Rerun the samples of a run on AWS that failed or never started; the same call again starts nothing.

    Args:
        run: The run.
        request: The arguments of the rerun.
        display: Shows the progress.

    Raises:
        UsageError: for options that do not fit the run.
        DataError: with all problems of the stack, the pipeline and the files on S3.
        RunError: if an execution is running or left no result files, or if AWS refuses.
    """
    chain = started_chain(run)
    status = ended_status(run, chain[-1])
    pipeline, steps = load_pipeline(run.record.requested_pipeline)
    changed = changes(request, pipeline)
    document = generate(pipeline, run.deployment.names)
    job_definitions = _check(run, pipeline, steps, document, changed)
    subject = RunToRerun(
        run=run.name,
        files=run.files,
        chain=since_whole(chain),
        samples=run.record.samples,
        succeeded=status == "SUCCEEDED",
        accepted=run.record.accepted,
        number=len(chain),
        execution=rerun_name(run.name, len(chain)),
        definition=canonical_json(document),
        definition_note="the deployed definition is no longer that of the run; samples that succeeded stay as they are",
        without_results=f"AWS may still be writing them; otherwise: {command_line('redrive', run.name)}",
        ladders=pipeline.memory_ladders,
        needs_a_sample=True,
        job_definitions=job_definitions,
        in_parts=pipeline.maps["sample"].map_runs > 1,
    )
    with TemporaryDirectory() as folder:
        target = _OnAws(run, len(chain), pipeline, document, Path(folder), display)
        return rerun(subject, target, request, changed, display)


def ended_status(run: AwsRun, newest: RunExecution) -> str:
    """Return the status of the newest execution, which has ended.

    Raises:
        RunError: if it has not ended.
    """
    status = describe(newest.arn, run.clients)["status"]
    if status in ("RUNNING", "PENDING_REDRIVE"):
        watch, cancel = command_line("status", run.name, "--watch"), command_line("cancel", run.name)
        advice = f"wait for it ({watch}), or {cancel}"
        raise RunError(f"run {run.name}: execution {newest.name} is running; {advice}")
    return status


def _check(
    run: AwsRun,
    pipeline: Pipeline,
    steps: Mapping[str, StepFolder],
    document: Mapping[str, Any],
    changed: RerunChanges,
) -> dict[str, str]:
    """Check the deployed stack and the files that parameters name, and return the revisions of job definitions by step.

    Args:
        run: The run.
        pipeline: The pipeline of the run.
        steps: The steps of the pipeline by name.
        document: The definition of the pipeline.
        changed: The changes to the input of the run.

    Raises:
        DataError: with all problems.
    """
    collected = CollectedProblems()
    jobs: dict[str, DeployedJob | None] = {}
    with collected.check():
        collected.add(definition_problems(pipeline.name, document, run.deployment, run.clients))
    with collected.check():
        jobs = deployed_jobs(steps, run.deployment, run.clients)
        collected.add(image_problems(steps, jobs, run.deployment, run.clients))
    with collected.check():
        files = parameter_files(pipeline, changed.parameters)
        found = aws_files.file_problems((file for file, _ in files), run.deployment.bucket, run.clients)
        collected.add(problem for _, problem in found)
    collected.refuse()
    return revision_arns(jobs)
