"""The changes to a run over records that would save most, each priced by planning the run with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from genomics_pipeline.asl.record_budget import batch_bytes
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.planning.record_plan import RecordRunPlan, plan_records
from genomics_pipeline.planning.savings import PricedChange, best, saving
from genomics_pipeline.prices.price import Prices

TIMEOUT_SHARE = 0.5  # of a function's timeout, which a larger batch may take at most


def record_savings(
    pipeline: Pipeline,
    plan: RecordRunPlan,
    prices: Prices,
    architecture: Architecture,
    max_concurrency: int | None = None,
) -> tuple[PricedChange, ...]:
    """Return the changes to a run over records that would save most.

    Args:
        pipeline: The pipeline.
        plan: The plan of the run.
        prices: The prices of its Region.
        architecture: The processors of its functions.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.
    """

    def changes() -> Iterator[PricedChange]:
        if architecture is not Architecture.ARM64 and _runs_on_arm64(pipeline):
            other = plan_records(pipeline, plan.load, prices, Architecture.ARM64, max_concurrency)
            slower = f"it saves while calls take less than {_slower(plan, other):.2f} times as long"
            why = f"at the same speed, which was not measured: {slower}"
            yield saving("arm64", plan.costs, other.costs, "deploy --parameter Architecture=arm64", why)
        if (size := _larger_batch(pipeline, plan)) > plan.batch:
            settings = replace(pipeline.maps[RECORD], items_per_batch=size)
            larger = replace(pipeline, maps={**pipeline.maps, RECORD: settings})
            load = replace(plan.load, batch_seconds=plan.load.batch_seconds * size / plan.batch)
            other = plan_records(larger, load, prices, architecture, max_concurrency)
            grows = f"a call takes {load.batch_seconds:.3g} s, if its time grows with its records"
            why = f"{other.children:,} children in place of {plan.children:,}; {grows}"
            change = f"items_per_batch = {size} below [maps.record] of the pipeline's file"
            yield saving("larger_batches", plan.costs, other.costs, change, why)

    return best(list(changes()))


def _slower(plan: RecordRunPlan, other: RecordRunPlan) -> float:
    """Return how many times as long calls may take on other processors before they cost as much."""
    own, theirs = (
        sum(one.dollars for one in each.costs if one.price.unit == "GB-second" and one.name.startswith("Lambda "))
        for each in (plan, other)
    )
    return own / max(theirs, 1e-12)


def _runs_on_arm64(pipeline: Pipeline) -> bool:
    """Tell whether no stage has a parameter that images of arm64 cannot do."""
    for stage in pipeline.record_stages:
        values = pipeline.parameters.get(stage.name, {})
        for spec in stage.step.parameters.values():
            limited = spec.architectures and Architecture.ARM64 not in spec.architectures
            if limited and values.get(spec.name, spec.default) != spec.default:
                return False
    return True


def _larger_batch(pipeline: Pipeline, plan: RecordRunPlan) -> int:
    """Return the largest batch that fits a payload and half of the timeout of each function."""
    timeout_s = min(stage.step.resources.timeout_s for stage in pipeline.record_stages) * TIMEOUT_SHARE
    by_time = int(plan.batch * timeout_s / plan.load.batch_seconds)
    return min(batch_bytes(pipeline.maps[RECORD]) // plan.load.record_bytes, by_time, plan.load.records)
