"""The part of a rerun that is the same in a folder and on AWS: choosing samples, writing files and starting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol, cast

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.rerun import merge_parameters, remaining_tolerance
from genomics_pipeline.model.tolerance import is_accepted, map_run_limit
from genomics_pipeline.records.execution_input import input_text, read_input
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.rerun import ChosenSamples, RerunRecord, write_rerun
from genomics_pipeline.report.run_state import CHECKED
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution
from genomics_pipeline.runs.reruns.choice import Choice, chosen_samples
from genomics_pipeline.runs.reruns.first_attempts import Ladders
from genomics_pipeline.runs.reruns.outcome import AwsRerun, RerunOutcome, nothing_to_run
from genomics_pipeline.runs.reruns.request import RerunChanges, RerunRequest, SampleFilter
from genomics_pipeline.runs.run_files import RunFiles


@dataclass(frozen=True, slots=True)
class RunToRerun:
    """A run whose newest execution has ended.

    Attributes:
        run: The folder of the run, or its name on AWS.
        files: The files of the run.
        chain: Its executions since the last over the whole manifest.
        samples: The number of its samples.
        succeeded: Whether its newest execution succeeded.
        accepted: The ``percentage`` and ``count`` of samples that the user accepted to miss for the run; None for none.
        number: The number of the next rerun, from 1.
        execution: The name of the next execution.
        definition: The definition of the next execution, as canonical JSON.
        definition_note: The note for a definition that differs from the run's.
        without_results: The advice for an execution that left no result files.
        ladders: The memory ladders of the steps, by stage.
        needs_a_sample: Whether an execution must have at least one sample.
        job_definitions: On AWS, the revisions of the steps' job definitions that the next execution uses.
        in_parts: Whether its definition starts a Map Run for each part of the manifest, of which a rerun has one.
    """

    run: str
    files: RunFiles
    chain: Sequence[RunExecution]
    samples: int
    succeeded: bool
    accepted: Mapping[str, float] | None
    number: int
    execution: str
    definition: str
    definition_note: str
    without_results: str
    ladders: Ladders
    needs_a_sample: bool = False
    job_definitions: Mapping[str, str] = field(default_factory=dict)
    in_parts: bool = False


@dataclass(frozen=True, slots=True)
class PlannedRerun:
    """A rerun before anything of it is written.

    Attributes:
        chosen: Its samples.
        input: The input of its execution.
        accepted: The ``percentage`` and ``count`` of samples that the user accepts to miss; None for none.
    """

    chosen: ChosenSamples
    input: ExecutionInput
    accepted: Mapping[str, float] | None

    @property
    def is_whole(self) -> bool:
        """Return whether the rerun reads the manifest of the run."""
        return self.input.manifest == WHOLE


class RerunTarget(Protocol):
    """The port of a rerun to its run, in a folder or on AWS."""

    def map_runs(self, execution: RunExecution) -> Sequence[MapRunDescription]:
        """Return the Map Runs of an execution that has ended."""

    def check(self, planned: PlannedRerun, lines: BinaryIO) -> AwsRerun | None:
        """Check that the execution can be started; return its identity on AWS, None in a folder.

        Args:
            planned: The rerun.
            lines: The lines of its manifest.

        Raises:
            DataError: if it cannot be started.
        """

    def write_items(self, planned: PlannedRerun, lines: BinaryIO) -> None:
        """Write the files that the execution reads.

        Args:
            planned: The rerun.
            lines: The lines of its manifest, which is not written where it is that of the run.
        """

    def start(self, planned: PlannedRerun) -> RerunOutcome:
        """Start the execution; in a folder, run it to its end."""


def rerun(
    run: RunToRerun, target: RerunTarget, request: RerunRequest, changed: RerunChanges, display: Display
) -> RerunOutcome:
    """Rerun the samples of a run that failed or never started.

    Args:
        run: The run.
        target: The place of the run.
        request: The arguments of the rerun.
        changed: The changes that the request makes to the input of the run.
        display: Shows the progress.

    Raises:
        UsageError: for samples that the run does not have or cannot run by themselves.
        DataError: if the execution cannot be started.
        RunError: if an execution left no result files.
    """
    accepted = run.accepted if changed.accepted is None else changed.accepted
    choice = Choice(run.files, run.chain, target.map_runs, run.without_results, run.ladders)
    run.files.refuse_unknown(request.selection.samples)
    _refuse_filter(request.selection, choice)
    with TemporaryFile() as file:
        lines = cast(BinaryIO, file)
        classes_matter = bool(request.selection.classes) or request.dry_run
        counts = choice.write(request.selection, lines, classes_matter)
        chosen = chosen_samples(run.execution, counts, lines)
        if not chosen.samples:
            succeeded = run.succeeded and choice.later_stages_are_done()
            if succeeded or not request.selection.all:
                return nothing_to_run(run.run, chosen, is_accepted(accepted, chosen.left_out, run.samples))
            if run.needs_a_sample:
                chosen = replace(chosen, carried=choice.carry(lines))
        planned = PlannedRerun(chosen, _input(run, chosen, changed, choice), accepted)
        lines.seek(0)
        aws = target.check(planned, lines)
        if request.dry_run:
            return RerunOutcome(run.run, CHECKED, chosen, aws=aws)
        lines.seek(0)
        target.write_items(planned, lines)
    _write_files(run, planned, request, aws, display)
    return target.start(planned)


def _refuse_filter(selection: SampleFilter, choice: Choice) -> None:
    """Refuse a filter of samples for a run whose reruns have to take all samples.

    Raises:
        UsageError: for such a filter.
    """
    if choice.is_whole and not selection.all:
        raise UsageError(
            "--class and --sample: expected a pipeline with one map over samples; a later map reads the "
            "results of all samples, so that a rerun takes all of them"
        )


def _input(run: RunToRerun, chosen: ChosenSamples, changed: RerunChanges, choice: Choice) -> ExecutionInput:
    """Return the input of the rerun: that of the run with the changes.

    Args:
        run: The run.
        chosen: The samples of the rerun.
        changed: The changes to the input of the run.
        choice: The executions of the run.
    """
    files = run.files
    own = read_input(files.store, files.place.uri(run_layout.INPUT))
    return replace(
        own,
        parameters=merge_parameters(own.parameters, changed.parameters),
        tolerated=remaining_tolerance(
            map_run_limit(own.tolerated, changed.accepted, run.samples), run.samples, chosen.left_out
        ),
        manifest=WHOLE if choice.is_whole else run_layout.rerun_file(run.number, WHOLE),
        memory_mib=changed.memory_mib,
        job_definitions=run.job_definitions,
        earlier={} if choice.is_whole else choice.earlier,
        parts=int(run.in_parts),
    )


def _write_files(
    run: RunToRerun, planned: PlannedRerun, request: RerunRequest, aws: AwsRerun | None, display: Display
) -> None:
    """Write the definition, the input and, last, the record of a rerun.

    Args:
        run: The run.
        planned: The rerun.
        request: The arguments of the rerun.
        aws: The execution on AWS; None in a folder.
        display: Shows whether the definition has changed.
    """
    store, uri = run.files.store, run.files.place.uri
    definition = run.definition.encode()
    if store.read(uri(run_layout.DEFINITION)) != definition:
        display.note(run.definition_note)
        store.write(uri(run_layout.DEFINITION), definition)
    store.write(uri(run_layout.rerun_file(run.number, run_layout.INPUT)), input_text(planned.input).encode())
    record = RerunRecord(
        number=run.number,
        execution=run.execution,
        parent=run.chain[-1].name,
        manifest=planned.input.manifest,
        classes=tuple(request.selection.classes),
        names=tuple(request.selection.samples),
        parameters=planned.input.parameters,
        memory_mib=planned.input.memory_mib,
        accepted=planned.accepted,
        chosen=planned.chosen,
        begun=datetime.now(UTC).isoformat(timespec="seconds"),
        execution_arn=aws.execution_arn if aws else "",
        carried=int(planned.chosen.carried is not None and not planned.is_whole),
    )
    write_rerun(store, uri(run_layout.rerun_file(run.number, run_layout.RECORD)), record)
