"""The Map state in ``DISTRIBUTED`` mode: each of its attempts starts, resumes or redrives a Map Run."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.distributed_map.map_run import MapRun, MapRunPlan, label_of
from genomics_pipeline.engine.events import MapRunEnded, MapRunStarted
from genomics_pipeline.engine.execution import Engine
from genomics_pipeline.engine.redrive import needs_new_map_run
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import StatesError


async def run_distributed(visit: Visit) -> Any:
    """Run a Distributed Map state, or resume its Map Run after an interruption.

    Returns:
        The state's result.

    Raises:
        StatesError: ``States.ItemReaderFailed``, ``States.ExceedToleratedFailureThreshold``,
            ``States.ResultWriterFailed``, or the error of a field that cannot be evaluated.
    """
    execution, trail = visit.execution, visit.trail
    if reads := "ItemReader" in visit.state:  # the number of items is not known before they are read
        visit.start({"length": 0})
    plan = MapRunPlan.of(visit)
    if not reads:
        visit.start({"length": plan.children.total_items})
    run = await _start_or_resume(visit, visit.attempt_path)
    _add_start_event(visit, run)
    items = None
    try:
        items = plan.children.total_items
        run.count_items(items)
        execution.engine.running_map_runs[run.arn] = partial(run.description, "RUNNING", plan, items)
        execution.engine.map_run_limits[run.arn] = run.limit_concurrency
        execution.engine.observer(MapRunStarted(run.label, run.arn, items, sum(run.journal.items.values())))
        await run.run(plan)
        await _record_end(visit, run.description("SUCCEEDED", plan, items), run.failed)
    except StatesError as failure:
        error = visit.report_failure(failure)
        await _record_end(visit, run.description("FAILED", plan, items), run.failed, failure)
        trail.add("MapRunFailed", "mapRunFailed", error.details())
        raise error from failure
    except asyncio.CancelledError:
        if run.is_aborted():
            await _abort(visit, run, plan, items)
        raise
    finally:
        execution.engine.running_map_runs.pop(run.arn, None)
        execution.engine.map_run_limits.pop(run.arn, None)
        await run.journal.close()
    trail.add("MapRunSucceeded")
    visit.succeed()
    return run.result(plan)


async def _start_or_resume(visit: Visit, path: str) -> MapRun:
    """Return the Map Run of an attempt: the one that it has already started, continued or redriven, or a new one."""
    execution = visit.execution
    earlier, redrive = execution.recorder.map_run(path), execution.redrives.count
    now = execution.engine.clock.now()
    if earlier is not None:
        run = MapRun(visit, earlier["uuid"], earlier["started"])
        is_current = redrive <= max(earlier["redrives"], run.journal.execution_redrive)
        if is_current and not _has_been_aborted(execution.engine, run):
            return run
        try:
            # The program may have ended after an abortion, but before the end of the state that caused it.
            if not is_current and run.arn not in execution.engine.map_runs_to_replace:
                await run.journal.redrive(redrive, now)
                return run
        except BaseException:  # a cancellation among others
            await run.journal.close()
            raise
        await run.journal.close()
    uuid, label = str(uuid4()), label_of(visit)
    start = {"map": path, "uuid": uuid, "started": now, "redrives": redrive, "label": label}
    await execution.recorder.append(start)
    return MapRun(visit, uuid, now)


def _has_been_aborted(engine: Engine, run: MapRun) -> bool:
    described = engine.map_runs.get(run.arn, {})
    return described.get("status") == "ABORTED" and described["redriveCount"] == run.journal.redrives.count


def _add_start_event(visit: Visit, run: MapRun) -> None:
    if redrives := run.journal.redrives.count:
        visit.trail.add("MapRunRedriven", "mapRunRedriven", {"mapRunArn": run.arn, "redriveCount": redrives})
    else:
        visit.trail.add("MapRunStarted", "mapRunStarted", {"mapRunArn": run.arn})


async def _abort(visit: Visit, run: MapRun, plan: MapRunPlan, items: int | None) -> None:
    """End a Map Run whose execution or branch was ended; its result files are written nevertheless."""
    with suppress(StatesError):
        if items is not None:
            await run.write_results(plan)
    await _record_end(visit, run.description("ABORTED", plan, items), run.failed)


async def _record_end(visit: Visit, run: dict[str, Any], failed: int, failure: StatesError | None = None) -> None:
    """Record the end of a Map Run in the journal and report it to the observer.

    Args:
        visit: The visit to the Map state.
        run: The Map Run's description.
        failed: The number of items that failed or timed out.
        failure: The error of the Map Run.
    """
    engine = visit.execution.engine
    engine.map_runs[run["mapRunArn"]] = run
    replace = run["status"] == "SUCCEEDED" or (failure is not None and needs_new_map_run(failure))
    await engine.log.append({"run": run, "anew": replace})
    end, detail = (run["status"], run["itemCounts"]["total"], failed), failure.detail if failure else None
    engine.observer(MapRunEnded(run["label"], run["mapRunArn"], *end, detail))
