"""The content of a run's report, as it is read from the files of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model.metric_spec import MetricSpec
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.planning.memory_saving import MemorySaving
from genomics_pipeline.planning.run_cost import RunCost
from genomics_pipeline.records.verification import VerificationRecord
from genomics_pipeline.report.advice import Advice
from genomics_pipeline.report.run_page.metric_values import MetricValues
from genomics_pipeline.report.run_page.stage_work import WorkOfStage
from genomics_pipeline.report.run_state import RunState

DONE, FAILED, PENDING = STATES = ("done", "failed", "pending")


@dataclass(frozen=True, slots=True)
class ReportedFailure:
    """An item that failed.

    Attributes:
        item: The item.
        stage: The stage that failed; empty where none did.
        message: The message.
        tried: The attempts and their memory, in words.
        log: The place of its log; empty for none.
        excerpt: The last lines of its log.
        rerun: The command that runs it again.
        replay: The command that runs its task again on this machine, to find out why; empty where no stage failed.
    """

    item: str
    stage: str
    message: str
    tried: str
    log: str
    excerpt: Sequence[str]
    rerun: str
    replay: str = ""


@dataclass(frozen=True, slots=True)
class FailuresOfClass:
    """The failures of one class.

    Attributes:
        label: The class.
        advice: The advice on the first of them.
        count: Their number.
        shown: The first of them.
    """

    label: str
    advice: Advice
    count: int
    shown: Sequence[ReportedFailure]


@dataclass(frozen=True, slots=True)
class CohortMetric:
    """A metric of the whole cohort.

    Attributes:
        stage: The stage.
        spec: The metric.
        value: The value, as the step wrote it.
    """

    stage: str
    spec: MetricSpec
    value: Any


@dataclass(frozen=True, slots=True)
class StageOrigin:
    """The origin of a stage's results: its step, program, tools and parameters.

    Attributes:
        stage: The stage.
        step: The step's name.
        versions: The versions of the step, all that are found.
        programs: The digests of its program, all that are found.
        tools: The versions of each tool, all that are found.
        parameters: The values of each parameter, all that are found.
        defaults: The default of each parameter; None where the step is not known on this machine.
        command: The command of the step; empty where it is not known.
        methods: What it does, in a sentence; empty where it is not known.
        citations: The publications to cite.
    """

    stage: str
    step: str
    versions: Sequence[str]
    programs: Sequence[str]
    tools: Mapping[str, Sequence[str]]
    parameters: Mapping[str, Sequence[Value]]
    defaults: Mapping[str, Value] | None
    command: Sequence[str]
    methods: str
    citations: Sequence[str]


INJECTED = "Injected fault"  # the name of a fact


@dataclass(frozen=True, slots=True)
class RunReport:
    """The content of a report.

    Attributes:
        state: The state of the run.
        seconds: The duration of the newest execution; None while it is running.
        samples: The names of the samples.
        states: The state of each: an index of `STATES`.
        stages_over_samples: The stages over samples.
        columns: The metrics over samples, in the order of the stages.
        cohort: The metrics of the cohort.
        failures: The failures by class, the most frequent first.
        work: What each stage did.
        origins: What each stage's results were made with.
        facts: Names and values of where the run is from: its sheet, reference, digests, command.
        cost: The costs; None where they are not known.
        savings: What less memory would save, by stage.
        signed: The verdict of the newest verification; None where there was none.
        notes: What the report lacks, and why.
        read_at: When the run was read, seconds since the epoch; None where this is not known.
    """

    state: RunState
    seconds: float | None
    samples: Sequence[str]
    states: Sequence[int]
    stages_over_samples: Sequence[str]
    columns: Sequence[MetricValues]
    cohort: Sequence[CohortMetric]
    failures: Sequence[FailuresOfClass]
    work: Sequence[WorkOfStage]
    origins: Sequence[StageOrigin]
    facts: Sequence[tuple[str, str]]
    cost: RunCost | None = None
    savings: Mapping[str, MemorySaving] = field(default_factory=dict)
    signed: VerificationRecord | None = None
    notes: Sequence[str] = field(default_factory=tuple)
    read_at: float | None = None

    @property
    def place(self) -> str:
        """Return the run's folder or URI."""
        return self.state.place

    def counts(self) -> dict[str, int]:
        """Return the number of samples in each state."""
        found = [0] * len(STATES)
        for one in self.states:
            found[one] += 1
        return dict(zip(STATES, found, strict=True))
