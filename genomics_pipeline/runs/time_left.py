"""The time that a run on this machine takes, as its plan expects it, for the bar of a terminal."""

from __future__ import annotations

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.planning.workload import StageWork
from genomics_pipeline.report.time_left import ExpectedStage, TimeLeft
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.estimate_here import expected_work
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.plan_request import PlanRequest
from genomics_pipeline.runs.run_files import COHORT


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
        stages = expected_work(plan, adapters).stages
    except (PipelineError, OSError):  # the run itself says what is wrong
        return None
    return TimeLeft([_expected(one) for one in stages], adapters.capacity().cores)


def _expected(work: StageWork) -> ExpectedStage:
    stage, items = work.stage, sum(sum(group.items) for group in work.groups)
    seconds = sum(sum(group.items) * group.estimate.seconds.p50 for group in work.groups)
    phase = stage.name if stage.scope == COHORT else stage.scope
    return ExpectedStage(stage.name, phase, items, seconds / max(items, 1), stage.step.resources.vcpus)
