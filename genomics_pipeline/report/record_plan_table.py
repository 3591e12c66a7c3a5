"""The screen and the JSON object of a plan of a run over records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.planning.record_plan import FILE_REQUESTS, RecordRunPlan
from genomics_pipeline.report.duration import duration
from genomics_pipeline.report.plan_explanation import figure
from genomics_pipeline.report.savings_table import savings_explanations, savings_json, savings_lines


def record_plan_json(plan: RecordRunPlan) -> dict[str, Any]:
    """Return the object that ``plan --records N --json`` prints."""
    return {
        "pipeline": plan.pipeline,
        "region": plan.region,
        "records": plan.load.records,
        "record_bytes": plan.load.record_bytes,
        "batch_seconds": plan.load.batch_seconds,
        "execution_type": plan.execution_type,
        "batch": plan.batch,
        "children": plan.children,
        "calls": plan.calls,
        "map_runs": plan.map_runs,
        "concurrency": plan.concurrency,
        "start_seconds": round(plan.start_seconds, 3),
        "seconds": round(plan.seconds, 3),
        **({"gather_seconds": plan.gather_seconds} if plan.gather_seconds else {}),
        "dollars": round(plan.dollars, 6),
        "dollars_per_million": round(plan.dollars_per_million, 6),
        "costs": {one.name: round(one.dollars, 6) for one in plan.costs},
        "savings": savings_json(plan.savings),
    }


def record_plan_lines(plan: RecordRunPlan) -> Iterator[str]:
    """Yield the lines of the screen."""
    load = plan.load
    yield f"{plan.pipeline}: {quantity(load.records, 'record', ',')} in {plan.region}"
    batches = f"{plan.execution_type} children: {plan.children:,} of {plan.batch:,} records at most"
    yield f"  {batches}, {quantity(plan.calls, 'call', ',')} of functions"
    runs = f"{quantity(plan.map_runs, 'Map Run')} and {plan.concurrency:,} calls at a time"
    yield f"  at least {duration(plan.seconds)}, with {runs}; their starts take {duration(plan.start_seconds)}"
    if plan.gather_seconds:
        yield f"  then one call that gathers their results, at most {duration(plan.gather_seconds)}"
    yield f"  ${plan.dollars:,.2f}, ${plan.dollars_per_million:.4f} a million records:"
    for one in plan.costs:
        yield f"    ${one.dollars:>10,.4f}  {one.name:<18} {one.formula}"
    yield from (f"  {line}" for line in savings_lines(plan.savings))
    yield f"  assumed: {load.batch_seconds:g} s for a batch in each function (--batch-seconds)"
    if plan.reads_files:
        yield f"  assumed: {FILE_REQUESTS} requests to S3 for the files that a record names: four for each of two"


def explain_record_line(plan: RecordRunPlan, name: str) -> list[str]:
    """Return where the figure of a line comes from.

    Raises:
        UsageError: for a line that the plan does not have.
    """
    return figure(record_explanations(plan), name)


def record_explanations(plan: RecordRunPlan) -> dict[str, list[str]]:
    """Return where each figure of a plan comes from, by the name of its line."""
    return {
        one.name: [
            f"{one.name}: ${one.dollars:,.6f}",
            f"  {one.formula}",
            f"  price: ${one.price.value:g} ({one.price.source}, {one.price.date})",
        ]
        for one in plan.costs
    } | savings_explanations(plan.savings)
