"""The screen and the JSON object of the plan of a run on machines of one's own, and where its figures come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.planning.local_plan import LocalPlan
from genomics_pipeline.report.cluster_plan_table import cluster_explanations, cluster_json, cluster_lines
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.plan_explanation import figure
from genomics_pipeline.report.plan_table import figure_row, stage_bar

_GB = 1e9


def local_plan_json(plan: LocalPlan) -> dict[str, Any]:
    """Return the object that ``plan --here --json`` or ``plan --slurm --json`` prints."""
    return {
        "pipeline": plan.pipeline,
        "machine": plan.machine,
        "samples": plan.samples,
        "intervals": plan.intervals,
        "jobs": sum(plan.counts.jobs.values()),
        "transitions": plan.counts.transitions,
        "events": plan.counts.events,
        "status": plan.counts.status,
        "duration_s": {name: round(getattr(plan.duration_s, name), 2) for name in ("p10", "p50", "p90")},
        "command_s": round(plan.command_s, 2),
        "timeline": [
            {
                "stage": one.stage,
                "first_s": round(one.first_s, 2),
                "last_s": round(one.last_s, 2),
                "jobs": one.jobs,
                "job_s": round(one.job_s, 3),
                "waited_s": round(one.waited_s, 2),
                "input_bytes": round(one.input_bytes),
                "output_bytes": round(one.output_bytes),
            }
            for one in plan.timeline
        ],
        "core_hours": {
            "total": round(plan.core_hours, 6),
            "by_stage": {one.stage: round(one.core_hours, 6) for one in plan.timeline},
        },
        **({} if plan.cluster is None else cluster_json(plan.cluster)),
        "assumptions": list(plan.assumptions),
    }


def local_title(plan: LocalPlan) -> str:
    """Return the first line of the screen."""
    intervals = f", {quantity(plan.intervals, 'interval', ',')}" if plan.intervals else ""
    return f"{plan.pipeline}: {quantity(plan.samples, 'sample', ',')}{intervals}, on {plan.machine}"


def local_plan_lines(plan: LocalPlan) -> Iterator[str]:
    """Yield the lines of the screen."""
    yield local_title(plan)
    yield ""
    yield figure_row("jobs", sum(plan.counts.jobs.values()), "")
    yield ""
    times = plan.duration_s
    yield f"{'duration':<14}{duration(times.p50):>16}  p10 {duration(times.p10)}, p90 {duration(times.p90)}"
    for one in plan.timeline:
        waits = f", {duration(one.waited_s)} in the queue" if one.waited_s >= 1 else ""
        bar = stage_bar(one.first_s, one.last_s, times.p50)
        yield f"  {one.stage:<16} {bar} {one.jobs:,} × {_seconds(one.job_s)}{waits}"
    yield f"  {'the command':<16} {_seconds(plan.command_s)} before the first job and after the last one"
    yield ""
    yield f"{'core-hours':<32}{plan.core_hours:>14,.3f}  read         written"
    for one in plan.timeline:
        size = f"{one.input_bytes / _GB:,.4f} GB   {one.output_bytes / _GB:,.4f} GB"
        yield f"  {one.stage:<30}{one.core_hours:>14,.3f}  {size}"
    if plan.cluster is not None:
        yield from cluster_lines(plan.cluster)
    yield ""
    yield "rests on"
    yield from (f"  {note}" for note in plan.assumptions)


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def explain_local_line(plan: LocalPlan, name: str) -> list[str]:
    """Return where a figure comes from.

    Args:
        plan: The plan.
        name: The name of a line of the screen.

    Raises:
        UsageError: for a line that the plan does not have.
    """
    return figure(local_explanations(plan), name)


def local_explanations(plan: LocalPlan) -> dict[str, list[str]]:
    """Return where each figure of a plan comes from, by the name of its line."""
    basis = [
        f"{one.stage}: {one.jobs:,} jobs of {duration(one.job_s)}, {duration(one.waited_s)} in the queue; {one.basis}"
        for one in plan.timeline
    ]
    return {
        "jobs": [f"{stage}: {number:,}" for stage, number in plan.counts.jobs.items()],
        "duration": [
            f"{duration(plan.command_s)} of the command itself, and a simulation of its jobs on {plan.machine}, by "
            f"{plan.rules}",
            *basis,
        ],
        "core-hours": [
            f"{one.stage}: {one.core_hours:,.6f}, durations of jobs times their cores" for one in plan.timeline
        ],
        **{one.stage: [one.basis] for one in plan.timeline},
        **({} if plan.cluster is None else cluster_explanations(plan.cluster)),
    }
