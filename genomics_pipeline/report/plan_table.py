"""The screen and the JSON object of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.planning.cost_names import STORAGE_YEAR
from genomics_pipeline.planning.costs import CostLine
from genomics_pipeline.planning.limits import REFUSES, Usage
from genomics_pipeline.planning.plan import Plan
from genomics_pipeline.planning.what_if import SWITCHES
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.savings_table import savings_json, savings_lines

BAR = 30  # characters of the timeline
NOT_IN_THE_SUM = "not in the sum: of results that nobody reads, by the storage classes of the stack"
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
        "quotas": [usage_json(one) for one in plan.usages],
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
            "total": round(total_dollars(plan, "dollars"), 4),
            "low": round(total_dollars(plan, "low"), 4),
            "high": round(total_dollars(plan, "high"), 4),
            "by_line": {one.name: round(one.dollars, 4) for one in plan.costs},
            "storage_a_year": round(plan.storage_year.dollars, 4),
            "prices": {one.name: {"date": one.price.date, "source": one.price.source} for one in plan.costs},
        },
        **_comparison_json(plan),
        "savings": savings_json(plan.savings),
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
    return {"total": round(sum_of(lines), 4), "by_line": {one.name: round(one.dollars, 4) for one in lines}}


def sum_of(lines: Sequence[CostLine]) -> float:
    """Return the dollars of lines together."""
    return sum(one.dollars for one in lines)


def usage_json(one: Usage) -> dict[str, Any]:
    """Return the object of a limit."""
    return {
        "name": one.name,
        "used": round(one.used, 3),
        "limit": one.limit,
        "unit": one.unit,
        "headroom": round(one.headroom, 4),
        "effect": one.effect,
        "source": one.source,
    }


def total_dollars(plan: Plan, member: str) -> float:
    """Return the dollars of all lines: the member ``dollars``, ``low`` or ``high``."""
    return float(sum(getattr(one, member) for one in plan.costs))


def plan_title(plan: Plan) -> str:
    """Return the first line of the screen."""
    intervals = f", {quantity(plan.intervals, 'interval', ',')}" if plan.intervals else ""
    return f"{plan.pipeline}: {quantity(plan.samples, 'sample', ',')}{intervals}, {plan.region}"


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the lines of the screen."""
    yield plan_title(plan)
    yield ""
    yield from (figure_row(*row) for row in count_rows(plan))
    yield ""
    yield from _timeline(plan)
    yield ""
    yield from _limits(plan)
    yield ""
    yield from _dollars(plan)
    yield from _comparison(plan)
    yield ""
    yield from savings_lines(plan.savings)
    yield ""
    yield "rests on"
    yield from (f"  {note}" for note in plan.assumptions)


def count_rows(plan: Plan) -> Iterator[tuple[str, int, str]]:
    """Yield the name of each count, its number, and a note."""
    counts, asked = plan.counts, plan.requests
    failed = sum(counts.failed.values())
    retried = f"{plan.throttled:,} of them retries of throttled submissions" if plan.throttled else ""
    yield "jobs", plan.jobs, f"{quantity(sum(counts.attempts.values()), 'attempt', ',')}"
    yield "transitions", counts.transitions, retried
    yield "events", counts.events, f"at most {counts.longest_history:,} of one execution"
    others = asked.start_execution + asked.start_map_run
    parts = f"SubmitJob {asked.submit_job:,}, S3 GET {asked.s3_get:,}, S3 PUT {asked.s3_put:,}, others {others:,}"
    yield "requests", asked.total, parts
    if failed or counts.status != "SUCCEEDED":
        fails = f"more than tolerated: the execution fails ({counts.error})" if counts.error else "tolerated"
        yield "failed items", failed, fails


def figure_row(name: str, number: int, note: str) -> str:
    """Return the line of a count."""
    return f"{name:<14}{number:>16,}  {note}".rstrip()


def _timeline(plan: Plan) -> Iterator[str]:
    times = plan.duration_s
    yield f"{'duration':<14}{duration(times.p50):>16}  p10 {duration(times.p10)}, p90 {duration(times.p90)}"
    if plan.stopped:
        yield f"  {stopped_words(plan)}"
    if plan.sample_s is not None:
        of_one = plan.sample_s
        yield f"{'of a sample':<14}{duration(of_one.p50):>16}  p10 {duration(of_one.p10)}, p90 {duration(of_one.p90)}"
    for one in plan.timeline:
        bar = stage_bar(one.first_s, one.last_s, times.p50)
        waits = f", {duration(one.waited_s)} in the queue" if one.waited_s >= 1 else ""
        yield f"  {one.stage:<16} {bar} {one.jobs:,} × {duration(one.job_s)}{waits}"


def stopped_words(plan: Plan) -> str:
    """Return what a plan says of a run that ends early, because more failed than is tolerated."""
    limit = f"the {plan.tolerated:,} samples, or the intervals, that are tolerated"
    return f"it fails then: more failed than {limit}; the counts are those of a run that goes on"


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
    yield from limit_rows(plan.usages)
    if plan.first is None:
        yield "  more samples would exceed none of them"
    else:
        yield f"  the first to break: {plan.first.name}, from {plan.first.samples:,} samples on"


def limit_rows(usages: Sequence[Usage]) -> Iterator[str]:
    """Yield the limits that are exceeded or reached, and those of which most is used."""
    by_use = sorted(usages, key=lambda one: one.headroom)
    reached = [one for one in by_use if one.headroom <= 0]
    others = [one for one in by_use if one.headroom > 0]
    yield f"{'limits':<38}{'used':>14}{'limit':>16}  left"
    for one in (*reached, *others[:SHOWN_LIMITS]):
        yield f"  {one.name:<36}{used_number(one):>14}{limit_number(one):>16}  {left_words(one):<18} {one.unit}"
    if rest := others[SHOWN_LIMITS:]:
        yield f"  {len(rest)} more, of which {rest[0].headroom:.0%} or more is left: --json lists them"


def used_number(one: Usage) -> str:
    """Return the use of a limit."""
    return _number(one.used) if one.used < 100 else f"{one.used:,.0f}"


def limit_number(one: Usage) -> str:
    """Return a limit."""
    return _number(one.limit)


def _number(value: float) -> str:
    """Return a number with a decimal where it is not a whole one."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def left_words(one: Usage) -> str:
    """Return how much of a limit is left, or what happens without it."""
    if one.headroom > 0:
        return f"{one.headroom:.1%}"
    if one.effect == REFUSES:
        return "FAILS" if one.exceeded else "none"
    return "delays the run"


def _dollars(plan: Plan) -> Iterator[str]:
    total = total_dollars(plan, "dollars")
    spread = f"${total_dollars(plan, 'low'):,.2f} to ${total_dollars(plan, 'high'):,.2f} by Spot prices"
    yield f"{'dollars':<32}{total:>14,.2f}  {spread}; ${total / max(1, plan.samples):,.2f} a sample"
    for one in plan.costs:
        mark = "" if one.price.verified else ", not verified"
        yield f"  {one.name:<30}{one.dollars:>14,.2f}  price of {one.price.date or 'no date'}{mark}"
    yield f"  {STORAGE_YEAR:<30}{plan.storage_year.dollars:>14,.2f}  {NOT_IN_THE_SUM}"


def _comparison(plan: Plan) -> Iterator[str]:
    """Yield what other choices would cost, each alone and all together, and the naive definition."""
    found = plan.comparison
    if not found.alone:
        line = max(found.naive, key=lambda one: one.dollars)
        of_it = f"as planned is {found.ratio:.2f} of it; its greatest part: {line.name}; --what-if naive tells all"
        yield f"{'a naive definition':<32}{sum_of(found.naive):>14,.2f}  {of_it}"
        return
    yield ""
    yield f"{'what if':<32}{found.as_planned:>14,.2f}  as planned on Spot hosts, without failures"
    yield f"  {'of which state transitions':<30}{found.orchestration:>14,.2f}  {found.orchestration_share:.2%}"
    for one in found.alone:
        factor, choice = 1 + one.dollars / found.as_planned, SWITCHES[one.name]
        yield f"  {one.name:<30}{one.dollars:>+14,.2f}  x {factor:.3f}: {choice.words} ({choice.source})"
    yield f"  {'together':<30}{found.together:>14,.2f}  x {found.together / found.as_planned:.3f}"
    for name, lines in (("naive, on Spot hosts", found.naive), ("naive, on On-Demand hosts", found.naive_on_demand)):
        total = sum_of(lines)
        yield f"  {name:<30}{total:>14,.2f}  as planned is {found.as_planned / total:.2f} of it"
