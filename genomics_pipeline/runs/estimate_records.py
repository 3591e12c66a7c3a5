"""The estimate of a run over records on AWS, from its pipeline and the number of its records."""

from __future__ import annotations

from dataclasses import dataclass, replace

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.aws.template.parameters import DEFAULT_ARCHITECTURE
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.planning.record_plan import RecordLoad, RecordRunPlan, plan_records
from genomics_pipeline.planning.record_savings import record_savings
from genomics_pipeline.prices.load import load_prices, user_folder
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline


@dataclass(frozen=True, slots=True)
class RecordPlanRequest:
    """The arguments of a plan of a run over records.

    Attributes:
        pipeline: The name of a shipped pipeline, or the path of a pipeline file.
        load: The records.
        region: The Region of the prices.
        architecture: The processors of the functions.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.
    """

    pipeline: str
    load: RecordLoad
    region: str
    architecture: Architecture = DEFAULT_ARCHITECTURE
    max_concurrency: int | None = None


def estimate_records(request: RecordPlanRequest, adapters: Adapters) -> RecordRunPlan:
    """Return the plan of a run over records; nothing is asked of AWS.

    Raises:
        UsageError: for a pipeline over samples.
        DataError: for a pipeline that cannot be used, or a Region without prices.
    """
    pipeline, _ = load_pipeline(request.pipeline)
    if not pipeline.over_records:
        raise UsageError(f"--records: expected a pipeline over records, found {pipeline.name}, which is over samples")
    generate(pipeline)  # refuses what AWS would
    prices = load_prices(request.region, user_folder(adapters.environment, adapters.home))
    options = prices, request.architecture, request.max_concurrency
    made = plan_records(pipeline, request.load, *options)
    return replace(made, savings=record_savings(pipeline, made, *options))
