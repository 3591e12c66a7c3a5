"""The content of a run's report: every record and every file of metrics of the run is read once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.errors import DataError, PipelineError
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.planning.memory_saving import MemorySaving, memory_saving
from genomics_pipeline.records.verification import VerificationRecord, read_verification
from genomics_pipeline.report.advice import advice
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.run_page.run_report import FailuresOfClass, ReportedFailure, RunReport
from genomics_pipeline.report.run_page.stage_work import WorkOfStage
from genomics_pipeline.report.run_state import ItemFailure, RunState
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.cost import RunSpending
from genomics_pipeline.runs.ledger import memory_sizes
from genomics_pipeline.runs.outcome import declared_metrics
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.reporting.origins import OriginsOfStages
from genomics_pipeline.runs.reporting.tasks import RunTasks
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.seen_records import SeenRecords

EXCERPT = 15  # last lines of a log
LISTED, WITH_LOGS = 200, 5  # failures of a class that are listed, and those whose logs are read


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report to read.

    Attributes:
        prices: The folder of the user's own prices; None for none.
        signed: The verdict of a verification just now; None to read that of the newest one.
        steps: The steps of the run by stage; None to load its pipeline.
    """

    prices: Path | None = None
    signed: VerificationRecord | None = None
    steps: Mapping[str, StepSpec] | None = None


def read_report(run: ReadableRun, request: ReportRequest) -> RunReport:
    """Return the content of the report of a run.

    Args:
        run: The run.
        request: What to read.

    Raises:
        RunError: if the run has no execution yet, or AWS cannot be reached.
        DataError: for a Region without prices.
    """
    seen = SeenRecords()
    files, state = run.files, run.state_with(seen)
    steps, notes = _steps(run, request)
    metrics = run.declared_metrics() or _declared_here(run)
    spending = RunSpending(run, request.prices)
    origins = OriginsOfStages(steps)
    tasks = RunTasks(files, metrics, state, seen, [origins.add, spending.add], spending.add_failure)
    tasks.read()
    return RunReport(
        state=state,
        seconds=None if state.stopped is None else state.stopped - state.started,
        samples=tasks.samples,
        states=tasks.states,
        stages_over_samples=tasks.stages_over_samples,
        columns=[column for column in tasks.columns() if column.is_measured],
        cohort=tasks.cohort,
        failures=list(_failures(run, state)),
        work=[one for one in tasks.work.values() if one.tasks or one.failed],
        origins=origins.found(),
        facts=[*run.facts(), *_files_facts(files)],
        cost=spending.cost(),
        savings=dict(_savings(tasks.work.values(), spending)),
        signed=request.signed or read_verification(files.store, files.place),
        notes=notes,
        read_at=time.time(),
    )


def _steps(run: ReadableRun, request: ReportRequest) -> tuple[Mapping[str, StepSpec], list[str]]:
    """Return the steps of a run by stage, and what the report lacks where they are not known here."""
    if request.steps is not None:
        return request.steps, []
    try:
        pipeline, _ = load_pipeline(run.requested_pipeline)
    except PipelineError as error:
        return {}, [f"The pipeline is not on this machine, so that defaults and methods are missing: {error}"]
    return {stage.name: stage.step for stage in pipeline.stages}, []


def _declared_here(run: ReadableRun) -> DeclaredMetrics:
    """Return the metrics that the steps on this machine declare, of a run whose record has none yet."""
    with suppress(PipelineError):
        return declared_metrics(load_pipeline(run.requested_pipeline)[0])
    return {}


def _savings(work: Iterable[WorkOfStage], spending: RunSpending) -> Iterable[tuple[str, MemorySaving]]:
    """Yield what less memory would save, by stage; nothing of stages of which no task is done."""
    for one in work:
        if one.tasks:
            yield one.stage, memory_saving(one.asked, max(one.peaks_mib), spending.prices)


def _files_facts(files: RunFiles) -> Iterable[tuple[str, str]]:
    yield "Place", files.shown


def _failures(run: ReadableRun, state: RunState) -> Iterable[FailuresOfClass]:
    """Yield the failures of a run by class, the most frequent first."""
    counts = Counter(one.label for one in state.failures)
    by_class: dict[str, list[ItemFailure]] = {}
    for one in state.failures:
        if len(listed := by_class.setdefault(one.label, [])) < LISTED:
            listed.append(one)
    for label, count in counts.most_common():
        listed = by_class[label]
        shown = [_shown(run, one, number < WITH_LOGS) for number, one in enumerate(listed)]
        yield FailuresOfClass(label, advice(listed[0].failure, "://" not in run.files.shown), count, shown)


def _shown(run: ReadableRun, one: ItemFailure, with_log: bool) -> ReportedFailure:
    files, failure = run.files, one.failure
    stage = failure.stage or ""
    only = ["--sample", one.item] if one.scope == "sample" else []
    memory = ", ".join(f"{size:,}" for size in memory_sizes(failure))
    attempts = [f"{failure.attempts:,} attempts"] if failure.attempts > 1 else []
    excerpt: Sequence[str] = ()
    if with_log and stage:
        with suppress(DataError, OSError):
            excerpt = files.log_end(stage, one.item, EXCERPT).lines
    return ReportedFailure(
        item=one.item,
        stage=stage,
        message=failure.message,
        tried=", ".join([*attempts, *([f"{memory} MiB"] if memory else [])]),
        log=files.shown_log(stage, one.item) if stage else "",
        excerpt=excerpt,
        rerun=command_line("rerun", files.shown, *only),
        replay=command_line("replay", files.shown, one.item, "--stage", stage) if stage else "",
    )
