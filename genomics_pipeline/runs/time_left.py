"""The time that a run on this machine takes, as its plan expects it, for the bar of a terminal."""

from __future__ import annotations

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.report.time_left import TimeLeft
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.estimate_here import expected_here
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.plan_request import PlanRequest


def expected_time(request: LocalRunRequest, adapters: Adapters) -> TimeLeft | None:
    """Return the time that a run is expected to take; None where it cannot be planned, which is no reason to stop.

    Args:
        request: The arguments of the run.
        adapters: The store that reads files, and what jobs may use of this machine.
    """
    if request.slurm is not None:  # how many cores the cluster gives is not known
        return None
    plan = PlanRequest(
        request.manifest or "",
        reference=request.reference,
        pipeline=request.pipeline,
        parameters=request.parameters,
        regions=request.regions,
    )
    try:
        phases = expected_here(plan, adapters, request.samples)
    except (PipelineError, OSError):  # the run itself says what is wrong
        return None
    capacity = adapters.capacity()
    return TimeLeft(phases, capacity.cores, capacity.memory_mib, capacity.jobs)
