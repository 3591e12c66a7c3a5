"""Explanations of the figures of a plan: their counts, records, quotas and prices."""

from __future__ import annotations

from collections.abc import Mapping

from genomics_pipeline.model.errors import UsageError, did_you_mean
from genomics_pipeline.planning.costs import CostLine
from genomics_pipeline.planning.limits import REFUSES, Usage
from genomics_pipeline.planning.plan import Plan, StageLine
from genomics_pipeline.planning.what_if import SWITCHES
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.plan_table import limit_number, total_dollars, used_number
from genomics_pipeline.report.savings_table import savings_explanations


def explain_line(plan: Plan, name: str) -> list[str]:
    """Return where a figure of a plan comes from: its counts, records, quota or price.

    Args:
        plan: The plan.
        name: The name of a line of the screen.

    Raises:
        UsageError: for a line that the plan does not have.
    """
    return figure(explanations(plan), name)


def explanations(plan: Plan) -> dict[str, list[str]]:
    """Return where each figure of a plan comes from, by the name of its line."""
    figures: dict[str, list[str]] = {
        "jobs": _stages(plan, "jobs", "jobs that the executed definition submits"),
        "attempts": _stages(plan, "attempts", "attempts: a job whose host is lost has another one"),
        "transitions": _transitions(plan),
        "events": [
            f"{plan.counts.events:,} events in the histories of all executions, counted by executing the definition",
            f"{plan.throttled:,} throttled submissions are three events each",
        ],
        "requests": _requests(plan),
        "duration": _duration(plan),
        "failed items": [
            *(
                f"{label}: {number:,} items fail in the executed definition"
                for label, number in plan.counts.failed.items()
            ),
            f"{plan.tolerated:,} samples may fail: [maps.sample] of the pipeline, or --max-failures",
        ],
        "the first to break": _first_to_break(plan),
        "dollars": [
            *(f"{one.name}: ${one.dollars:,.4f}" for one in plan.costs),
            f"${total_dollars(plan, 'low'):,.4f} to ${total_dollars(plan, 'high'):,.4f}: the least and the greatest "
            "Spot prices of the table, for all hosts",
        ],
        **{one.stage: [_jobs(one), one.basis] for one in plan.timeline},
        **{one.name: _usage(one) for one in plan.usages},
    }
    if plan.stopped:
        figures["it fails then"] = ["a simulation in which children end as the counted ones", *figures["failed items"]]
    if plan.sample_s is not None:
        figures["of a sample"] = ["the time from a sample's arrival to its end, in the simulation of `duration`"]
    found = plan.comparison
    figures["a naive definition"] = [line for one in found.naive for line in (one.name, *_cost(one))]
    if found.alone:
        figures["what if"] = [
            f"${found.as_planned:,.4f}: the lines of `dollars` for the expected work, on Spot hosts only"
        ]
        figures["of which state transitions"] = [
            f"${found.orchestration:,.4f}: the transitions of `transitions`, priced"
        ]
        figures["together"] = [f"${found.together:,.4f}: these choices at once, of which one may make another dearer"]
        for choice in found.alone:
            switch = SWITCHES[choice.name]
            figures[choice.name] = [
                f"${choice.dollars:+,.4f}: {switch.words}; {switch.source}",
                "its lines: --json, naive",
            ]
        for name, lines in (
            ("naive, on Spot hosts", found.naive),
            ("naive, on On-Demand hosts", found.naive_on_demand),
        ):
            figures[name] = [line for one in lines for line in (one.name, *_cost(one))]
    figures |= savings_explanations(plan.savings)
    for cost in (*plan.costs, plan.storage_year):  # transitions have a count and a price
        figures.setdefault(cost.name, []).extend(_cost(cost))
    return figures


def _first_to_break(plan: Plan) -> list[str]:
    """Return the limit that a larger cohort exceeds first, and its use by this one."""
    if plan.first is None:
        return ["no limit that fails a run grows with the samples"]
    own = (one for one in plan.usages if one.name == plan.first.name)
    words = "samples are the fewest of this size beyond this limit, of those that fail a run or its jobs"
    return [f"{plan.first.name}: {plan.first.samples:,} {words}", *(line for one in own for line in _usage(one))]


def figure(figures: Mapping[str, list[str]], name: str) -> list[str]:
    """Return where the figure of a line comes from.

    Args:
        figures: That of each line, by its name.
        name: The name of the line that was asked for.

    Raises:
        UsageError: for a line that is not there.
    """
    if name not in figures:
        raise UsageError(f"--explain {name}: no such line; {did_you_mean(name, list(figures))}")
    return figures[name]


def _stages(plan: Plan, member: str, words: str) -> list[str]:
    numbers = getattr(plan.counts, member)
    return [f"{sum(numbers.values()):,} {words}", *(f"{stage}: {number:,}" for stage, number in numbers.items())]


def _transitions(plan: Plan) -> list[str]:
    children = sum(plan.counts.children.values())
    states = plan.counts.transitions - children - plan.throttled
    return [
        f"{plan.counts.transitions:,}: each state entered, each retry and each start of a child, counted by executing "
        "the definition in virtual time, one child of each class for all of them",
        f"{children:,} starts of children: {', '.join(f'{label} {n:,}' for label, n in plan.counts.children.items())}",
        f"{states:,} states entered, with retries of those that failed",
        f"{plan.throttled:,} retries of submissions that SubmitJob's rate refuses, from the simulation",
        "a state costs one transition, and so does the start of a child: AWS's workshop on Distributed Map",
    ]


def _requests(plan: Plan) -> list[str]:
    asked = plan.requests
    return [
        f"StartExecution {asked.start_execution}, StartMapRun {asked.start_map_run}: of the definition",
        f"SubmitJob {asked.submit_job:,}: the jobs, and {plan.throttled:,} submissions that are throttled",
        f"S3 GET {asked.s3_get:,}: the inputs in parts of 8 MiB (of 4 where they are streamed) and their indexes, "
        "three records for each job, the reference once a host",
        f"S3 PUT {asked.s3_put:,}: the outputs of each step.toml in parts of 64 MiB, and three records of each job",
    ]


def _duration(plan: Plan) -> list[str]:
    return [
        "a simulation of child starts, SubmitJob's rate, hosts and lost hosts; p10 and p90: half of the variance of a "
        "step's duration is taken to be common to all of its tasks",
        *(f"{one.stage}: {_jobs(one)}; {one.basis}" for one in plan.timeline),
    ]


def _jobs(one: StageLine) -> str:
    return f"{one.jobs:,} jobs of {duration(one.job_s)} on average, {duration(one.waited_s)} in the queue"


def _usage(one: Usage) -> list[str]:
    return [
        f"{used_number(one)} of {limit_number(one)} {one.unit}; beyond it, {_effect(one)}",
        f"limit: {one.source}",
        f"used: {one.basis or 'counted and simulated'}",
    ]


def _effect(one: Usage) -> str:
    return "the run or the job fails" if one.effect == REFUSES else "the run waits"


def _cost(one: CostLine) -> list[str]:
    return [f"${one.dollars:,.4f}: {one.formula}", f"price of {one.price.date or 'no date'}: {one.price.source}"]
