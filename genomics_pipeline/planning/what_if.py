"""The costs of other choices, those of a naive definition among them: each alone, and all together.

Prices are of the expected work on Spot hosts, without failures and without luck, so that choices differ by themselves
only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.planning.cost_names import TRANSITIONS
from genomics_pipeline.planning.costs import CostLine, cost_lines, simple_line
from genomics_pipeline.planning.counting import Counts
from genomics_pipeline.planning.discrete_events import Trace
from genomics_pipeline.planning.expected_costs import HOUR_S, expected_trace, load_without_failures, total_of
from genomics_pipeline.planning.naive import POLL_S, count_naive
from genomics_pipeline.planning.planned_run import PlannedRun
from genomics_pipeline.planning.requests import requests
from genomics_pipeline.planning.resource_model import of_steps_only
from genomics_pipeline.planning.workload import Workload, workload
from genomics_pipeline.prices.price import GB

EVENT_BYTES = 1_000  # of an event in the log of an execution at level ALL, with its data: an assumption


@dataclass(frozen=True, slots=True)
class Switch:
    """A difference between a naive definition and ours, or between hosts.

    Attributes:
        words: The difference, for people.
        source: What its price rests on.
    """

    words: str
    source: str


# In the order of the table. Those of a naive definition, but for the last, which is shown apart.
SWITCHES: Mapping[str, Switch] = {
    "polling": Switch(
        f"each job is polled every {POLL_S} s, and every failure is tried three times again",
        "the naive definition, executed in virtual time",
    ),
    "bam": Switch("alignments are BAM", "formats.bam of calibration.toml"),
    "whole_gvcfs": Switch(
        "a job over an interval fetches whole gVCFs, not the part of its interval", "ranged inputs of step.toml"
    ),
    "worst_memory": Switch(
        "all jobs of a step have the memory that its worst sample needs: the last rung of its ladder",
        "resources.memory_mib of step.toml",
    ),
    "logs_all": Switch(
        "executions are logged at level ALL with their data",
        f"the counted events, {EVENT_BYTES:,} bytes each: an assumption",
    ),
    "nat": Switch("S3 is reached through a NAT gateway", "the planned bytes, and the price of a NAT gateway"),
    "on_demand": Switch("all hosts are On-Demand", "the prices of hosts"),
}
NAIVE = tuple(name for name in SWITCHES if name != "on_demand")
CHANGE_WORK = frozenset({"bam", "whole_gvcfs", "worst_memory"})  # of which the tasks differ


@dataclass(frozen=True, slots=True)
class PricedChoice:
    """A choice and its dollars.

    Attributes:
        name: Its name in `SWITCHES`.
        dollars: The dollars more than the run as it is; negative for less.
    """

    name: str
    dollars: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The dollars of other choices.

    Attributes:
        as_planned: The dollars of the run as it is, without failures, on Spot hosts.
        orchestration: The dollars of its state transitions.
        alone: The choices that were asked for, each alone.
        together: The dollars of all of them together.
        naive: The lines of the costs of the naive definition, on Spot hosts.
        naive_on_demand: Those on On-Demand hosts.
    """

    as_planned: float
    orchestration: float
    alone: Sequence[PricedChoice]
    together: float
    naive: Sequence[CostLine]
    naive_on_demand: Sequence[CostLine]

    @property
    def ratio(self) -> float:
        """The dollars of the run as it is, in those of the naive definition, both on Spot hosts."""
        return self.as_planned / total_of(self.naive)

    @property
    def orchestration_share(self) -> float:
        """The share of the state transitions in the dollars of the run as it is."""
        return self.orchestration / self.as_planned


def compare(run: PlannedRun, work: Workload, trace: Trace, counts: Counts, names: Sequence[str]) -> Comparison:
    """Return what choices would cost, and the naive definition.

    Args:
        run: The run.
        work: Its tasks.
        trace: Its simulation.
        counts: Its counts.
        names: The names of the choices.
    """
    pricing = _Pricing(run, trace, counts, count_naive(load_without_failures(run, work)), {frozenset(): work})
    planned = pricing.lines(())
    as_planned = total_of(planned)
    orchestration = next(one.dollars for one in planned if one.name == TRANSITIONS)
    alone = [PricedChoice(name, total_of(pricing.lines({name})) - as_planned) for name in names]
    together = total_of(pricing.lines(set(names)))
    naive, on_demand = pricing.lines(set(NAIVE)), pricing.lines(set(SWITCHES))
    return Comparison(as_planned, orchestration, alone, together, naive, on_demand)


@dataclass(frozen=True, slots=True)
class _Pricing:
    """The prices of a run with any of the choices.

    Attributes:
        run: The run.
        trace: Its simulation.
        counts: Its counts.
        polled: The counts of the naive definition.
        works: The tasks of the run, by those of `CHANGE_WORK` that were chosen.
    """

    run: PlannedRun
    trace: Trace
    counts: Counts
    polled: Counts
    works: dict[frozenset[str], Workload]

    def lines(self, names: Collection[str]) -> list[CostLine]:
        """Return the lines of the costs with these choices."""
        run, work = self.run, self._work(CHANGE_WORK & set(names))
        counts = self.polled if "polling" in names else self.counts
        on_demand, hosts = (1.0, self.trace.hosts) if "on_demand" in names else (0.0, 0)
        shares = dict.fromkeys((one.stage.name for one in work.stages), on_demand)
        trace = expected_trace(work, self.trace, shares, hosts)
        asked = requests(work, counts, self.trace.throttled, trace.hosts, run.cohort.genome_bases)
        lines = cost_lines(work, trace, asked, counts.transitions, run.account, run.volume_gib, run.prices)
        if "logs_all" in names:
            size = counts.events * EVENT_BYTES / GB
            lines.append(simple_line("logs of executions", size, "CloudWatch/logs-ingest-vended", run.prices))
        if "nat" in names:
            moved = sum(one.input_bytes + one.output_bytes for one in work.stages) / GB
            lines.append(simple_line("NAT gateway: data", moved, "VPC/nat-gateway-data-processed", run.prices))
            hours = self.trace.seconds / HOUR_S
            lines.append(simple_line("NAT gateway: hours", hours, "VPC/nat-gateway", run.prices))
        return lines

    def _work(self, names: frozenset[str]) -> Workload:
        """Return the tasks of the run with these of `CHANGE_WORK`; those of a million samples take a second."""
        if names not in self.works:
            run = self.run
            pipeline = _pipeline(run.pipeline, names)
            cohort = replace(run.cohort, alignment_factor=run.bam_factor) if "bam" in names else run.cohort
            model = of_steps_only(run.model) if "worst_memory" in names else run.model
            self.works[names] = workload(pipeline, run.document, cohort, model, run.execution_input.parts)
        return self.works[names]


def _pipeline(pipeline: Pipeline, names: Collection[str]) -> Pipeline:
    """Return a pipeline whose steps have the inputs and the memory of the choices."""
    stages = []
    for stage in pipeline.stages:
        step = stage.step
        if "worst_memory" in names:
            ladder = step.resources.memory_ladder[-1:]
            step = replace(step, resources=replace(step.resources, memory_ladder=ladder))
        if "whole_gvcfs" in names:
            step = replace(step, inputs={name: replace(one, ranged=False) for name, one in step.inputs.items()})
        stages.append(replace(stage, step=step))
    return replace(pipeline, stages=tuple(stages))
