"""The screen and the JSON object of a plan, and where each of its figures comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.model.errors import UsageError, did_you_mean
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.planning.costs import CostLine
from genomics_pipeline.planning.limits import REFUSES, Usage
from genomics_pipeline.planning.plan import Plan
from genomics_pipeline.planning.what_if import SWITCHES
from genomics_pipeline.report.duration import duration

BAR = 30  # characters of the timeline
SHOWN_LIMITS = 8  # that are not exceeded


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the object that ``plan --json`` prints."""
    counts, asked = plan.counts, plan.requests
    return {
        "pipeline": plan.pipeline,
        "region": plan.region,
        "samples": plan.samples,
        "intervals": plan.intervals,
        "jobs": plan.jobs,
        "attempts": sum(counts.attempts.values()),
        "transitions": counts.transitions,
        "throttled": plan.throttled,
        "events": counts.events,
        "status": "FAILED" if plan.stopped else counts.status,
        "failed_items": dict(counts.failed),
        "tolerated_samples": plan.tolerated,
        "requests": {
            "total": asked.total,
            "StartExecution": asked.start_execution,
            "StartMapRun": asked.start_map_run,
            "SubmitJob": asked.submit_job,
            "S3 GET": asked.s3_get,
            "S3 PUT": asked.s3_put,
        },
        "quotas": [_usage_json(one) for one in plan.usages],
        "first_limit": None if plan.first is None else {"name": plan.first.name, "samples": plan.first.samples},
        "duration_s": {name: round(getattr(plan.duration_s, name), 1) for name in ("p10", "p50", "p90")},
        **(
            {}
            if plan.sample_s is None
            else {"sample_s": {name: round(getattr(plan.sample_s, name), 1) for name in ("p10", "p50", "p90")}}
        ),
        "timeline": [
            {
                "stage": one.stage,
                "first_s": round(one.first_s, 1),
                "last_s": round(one.last_s, 1),
                "jobs": one.jobs,
                "attempts": one.attempts,
                "job_s": round(one.job_s, 1),
                "waited_s": round(one.waited_s, 1),
                "input_bytes": round(one.input_bytes),
                "output_bytes": round(one.output_bytes),
            }
            for one in plan.timeline
        ],
        "dollars": {
            "total": round(_total(plan, "dollars"), 4),
            "low": round(_total(plan, "low"), 4),
            "high": round(_total(plan, "high"), 4),
            "by_line": {one.name: round(one.dollars, 4) for one in plan.costs},
            "prices": {one.name: {"date": one.price.date, "source": one.price.source} for one in plan.costs},
        },
        **_comparison_json(plan),
        "assumptions": list(plan.assumptions),
    }


def _comparison_json(plan: Plan) -> dict[str, Any]:
    found = plan.comparison
    return {
        "what_if": {
            "as_planned": round(found.as_planned, 4),
            "alone": {one.name: round(one.dollars, 4) for one in found.alone},
            "together": round(found.together, 4),
            "sources": {one.name: SWITCHES[one.name].source for one in found.alone},
            "of_naive": round(found.ratio, 4),
            "orchestration_share": round(found.orchestration_share, 6),
        },
        "naive": {"dollars": _lines_json(found.naive)},
        "naive_on_demand": {"dollars": _lines_json(found.naive_on_demand)},
    }


def _lines_json(lines: Sequence[CostLine]) -> dict[str, Any]:
    return {"total": round(_sum(lines), 4), "by_line": {one.name: round(one.dollars, 4) for one in lines}}


def _sum(lines: Sequence[CostLine]) -> float:
    return sum(one.dollars for one in lines)


def _usage_json(one: Usage) -> dict[str, Any]:
    return {
        "name": one.name,
        "used": round(one.used, 3),
        "limit": one.limit,
        "unit": one.unit,
        "headroom": round(one.headroom, 4),
        "effect": one.effect,
        "source": one.source,
    }


def _total(plan: Plan, member: str) -> float:
    return float(sum(getattr(one, member) for one in plan.costs))


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines of the screen."""
    intervals = f", {quantity(plan.intervals, 'interval', ',')}" if plan.intervals else ""
    yield f"{plan.pipeline}: {quantity(plan.samples, 'sample', ',')}{intervals}, {plan.region}"
    yield ""
    yield from _counts(plan)
    yield ""
    yield from _timeline(plan)
    yield ""
    yield from _limits(plan)
    yield ""
    yield from _dollars(plan)
    yield from _comparison(plan)
    yield ""
    yield "rests on"
    yield from (f"  {note}" for note in plan.assumptions)


def _counts(plan: Plan) -> Iterator[str]:
    counts, asked = plan.counts, plan.requests
    failed = sum(counts.failed.values())
    retried = f"{plan.throttled:,} of them retries of throttled submissions" if plan.throttled else ""
    yield figure_row("jobs", plan.jobs, f"{quantity(sum(counts.attempts.values()), 'attempt', ',')}")
    yield figure_row("transitions", counts.transitions, retried)
    yield figure_row("events", counts.events, f"at most {counts.longest_history:,} of one execution")
    others = asked.start_execution + asked.start_map_run
    parts = f"SubmitJob {asked.submit_job:,}, S3 GET {asked.s3_get:,}, S3 PUT {asked.s3_put:,}, others {others:,}"
    yield figure_row("requests", asked.total, parts)
    if failed or counts.status != "SUCCEEDED":
        fails = f"more than tolerated: the execution fails ({counts.error})" if counts.error else "tolerated"
        yield figure_row("failed items", failed, fails)


def figure_row(name: str, number: int, note: str) -> str:
    """Return the line of a count."""
    return f"{name:<14}{number:>16,}  {note}".rstrip()


def _timeline(plan: Plan) -> Iterator[str]:
    times = plan.duration_s
    yield f"{'duration':<14}{duration(times.p50):>16}  p10 {duration(times.p10)}, p90 {duration(times.p90)}"
    if plan.stopped:
        limit = f"the {plan.tolerated:,} samples, or the intervals, that are tolerated"
        yield f"  it fails then: more failed than {limit}; the counts are those of a run that goes on"
    if plan.sample_s is not None:
        of_one = plan.sample_s
        yield f"{'of a sample':<14}{duration(of_one.p50):>16}  p10 {duration(of_one.p10)}, p90 {duration(of_one.p90)}"
    for one in plan.timeline:
        bar = stage_bar(one.first_s, one.last_s, times.p50)
        waits = f", {duration(one.waited_s)} in the queue" if one.waited_s >= 1 else ""
        yield f"  {one.stage:<16} {bar} {one.jobs:,} × {duration(one.job_s)}{waits}"


def stage_bar(first_s: float, last_s: float, run_s: float) -> str:
    """Return the bar of a stage on the timeline.

    Args:
        first_s: The start of its first job, in seconds.
        last_s: The end of its last job.
        run_s: The duration of the run.
    """
    scale = BAR / max(run_s, 1)
    start = min(BAR - 1, int(first_s * scale))
    end = max(start + 1, min(BAR, round(last_s * scale)))
    return " " * start + "━" * (end - start) + " " * (BAR - end)


def _limits(plan: Plan) -> Iterator[str]:
    """Yield the limits that are exceeded or reached, and those of which most is used."""
    by_use = sorted(plan.usages, key=lambda one: one.headroom)
    reached = [one for one in by_use if one.headroom <= 0]
    others = [one for one in by_use if one.headroom > 0]
    yield f"{'limits':<38}{'used':>14}{'limit':>16}  left"
    for one in (*reached, *others[:SHOWN_LIMITS]):
        used = f"{one.used:,.1f}" if one.used < 100 else f"{one.used:,.0f}"
        yield f"  {one.name:<36}{used:>14}{one.limit:>16,.0f}  {_left(one):<18} {one.unit}"
    if rest := others[SHOWN_LIMITS:]:
        yield f"  {len(rest)} more, of which {rest[0].headroom:.0%} or more is left: --json lists them"
    if plan.first is None:
        yield "  more samples would exceed none of them"
    else:
        yield f"  the first to break: {plan.first.name}, from {plan.first.samples:,} samples on"


def _left(one: Usage) -> str:
    if one.headroom > 0:
        return f"{one.headroom:.1%}"
    if one.effect == REFUSES:
        return "FAILS" if one.exceeded else "none"
    return "delays the run"


def _dollars(plan: Plan) -> Iterator[str]:
    total = _total(plan, "dollars")
    spread = f"${_total(plan, 'low'):,.2f} to ${_total(plan, 'high'):,.2f} by Spot prices"
    yield f"{'dollars':<32}{total:>14,.2f}  {spread}; ${total / max(1, plan.samples):,.2f} a sample"
    for one in plan.costs:
        mark = "" if one.price.verified else ", not verified"
        yield f"  {one.name:<30}{one.dollars:>14,.2f}  price of {one.price.date or 'no date'}{mark}"


def _comparison(plan: Plan) -> Iterator[str]:
    """Yield what other choices would cost, each alone and all together, and the naive definition."""
    found = plan.comparison
    if not found.alone:
        line = max(found.naive, key=lambda one: one.dollars)
        of_it = f"as planned is {found.ratio:.2f} of it; its greatest part: {line.name}; --what-if naive tells all"
        yield f"{'a naive definition':<32}{_sum(found.naive):>14,.2f}  {of_it}"
        return
    yield ""
    yield f"{'what if':<32}{found.as_planned:>14,.2f}  as planned on Spot hosts, without failures"
    yield f"  {'of which state transitions':<30}{found.orchestration:>14,.2f}  {found.orchestration_share:.2%}"
    for one in found.alone:
        factor, choice = 1 + one.dollars / found.as_planned, SWITCHES[one.name]
        yield f"  {one.name:<30}{one.dollars:>+14,.2f}  x {factor:.3f}: {choice.words} ({choice.source})"
    yield f"  {'together':<30}{found.together:>14,.2f}  x {found.together / found.as_planned:.3f}"
    for name, lines in (("naive, on Spot hosts", found.naive), ("naive, on On-Demand hosts", found.naive_on_demand)):
        total = _sum(lines)
        yield f"  {name:<30}{total:>14,.2f}  as planned is {found.as_planned / total:.2f} of it"


def explain_line(plan: Plan, name: str) -> list[str]:
    """Return where a figure of a plan comes from: its counts, records, quota or price.

    Args:
        plan: The plan.
        name: The name of a line of the screen.

    Raises:
        UsageError: for a line that the plan does not have.
    """
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
            f"${_total(plan, 'low'):,.4f} to ${_total(plan, 'high'):,.4f}: the least and the greatest Spot prices of "
            "the table, for all hosts",
        ],
        **{one.stage: [one.basis] for one in plan.timeline},
        **{one.name: _usage(one) for one in plan.usages},
    }
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
        figures["together"] = [f"${found.together:,.4f}: all choices at once: the lines of `naive, on On-Demand hosts`"]
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
    for cost in plan.costs:  # transitions have a count and a price
        figures.setdefault(cost.name, []).extend(_cost(cost))
    return figure(figures, name)


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
    return [
        f"{plan.counts.transitions:,}: each state entered, each retry and each start of a child, counted by executing "
        "the definition in virtual time, one child of each class for all of them",
        f"{children:,} starts of children: {', '.join(f'{label} {n:,}' for label, n in plan.counts.children.items())}",
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
    stages: Sequence[str] = [
        f"{one.stage}: {one.jobs:,} jobs of {duration(one.job_s)}, {duration(one.waited_s)} in the queue; {one.basis}"
        for one in plan.timeline
    ]
    return [
        "a simulation of child starts, SubmitJob's rate, hosts and lost hosts; p10 and p90: half of the variance of a "
        "step's duration is taken to be common to all of its tasks",
        *stages,
    ]


def _usage(one: Usage) -> list[str]:
    return [
        f"{one.used:,.3f} of {one.limit:,.0f} {one.unit}; beyond it, AWS or the step {one.effect}",
        f"limit: {one.source}",
        f"used: {one.basis or 'counted and simulated'}",
    ]


def _cost(one: CostLine) -> list[str]:
    return [f"${one.dollars:,.4f}: {one.formula}", f"price of {one.price.date or 'no date'}: {one.price.source}"]
