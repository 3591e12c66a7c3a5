"""The plan of a run over records on AWS, counted from its pipeline: children, calls, seconds, dollars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from genomics_pipeline.asl.function_state import execution_type
from genomics_pipeline.asl.record_budget import batch_bytes
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.planning.costs import CostLine
from genomics_pipeline.planning.savings import PricedChange
from genomics_pipeline.prices.price import Prices

EXPRESS_CHUNK_GB = 64 / 1024  # the memory of a child, in steps of 64 MB: that of a batch and its answer
ROW_FACTOR = 2  # of the bytes of records: ResultWriter writes each batch's input, and an answer of its size at most
RESULT_PART_BYTES = 8 * 1024**2  # of an upload by ResultWriter: an assumption
# To S3 for each record, where a step reads files that records name: two files, each with the head and three reads at
# most, as of `preflight`. An assumption.
FILE_REQUESTS = 8
EXPRESS = "EXPRESS"


@dataclass(frozen=True, slots=True)
class RecordLoad:
    """The records of a planned run.

    Attributes:
        records: The number of records.
        record_bytes: The mean size of one as JSON.
        batch_seconds: The mean time of a function over a batch.
    """

    records: int
    record_bytes: int
    batch_seconds: float


@dataclass(frozen=True, slots=True)
class RecordRunPlan:
    """The plan of a run over records: its children, duration and costs.

    Attributes:
        pipeline: The name of the pipeline.
        region: The Region of the prices.
        execution_type: EXPRESS or STANDARD: the type of the children.
        reads_files: Whether a step reads files that records name.
        load: The records.
        batch: The number of records of a batch.
        children: The number of child executions.
        calls: The number of calls of functions.
        map_runs: The number of Map Runs at a time.
        concurrency: The number of calls at a time.
        start_seconds: The least time in which AWS starts the children.
        seconds: The least time of the map over records.
        gather_seconds: The greatest time of the stage that gathers after it; 0 without one.
        costs: The lines of the costs.
        savings: The changes that would save most.
    """

    pipeline: str
    region: str
    execution_type: str
    reads_files: bool
    load: RecordLoad
    batch: int
    children: int
    calls: int
    map_runs: int
    concurrency: int
    start_seconds: float
    seconds: float
    gather_seconds: float
    costs: tuple[CostLine, ...]
    savings: tuple[PricedChange, ...] = ()

    @property
    def dollars(self) -> float:
        """The dollars of the run."""
        return sum(one.dollars for one in self.costs)

    @property
    def dollars_per_million(self) -> float:
        """The dollars of a million records."""
        return self.dollars / self.load.records * 1_000_000


def plan_records(
    pipeline: Pipeline, load: RecordLoad, prices: Prices, architecture: Architecture, max_concurrency: int | None = None
) -> RecordRunPlan:
    """Return the plan of a run over records.

    Args:
        pipeline: The pipeline.
        load: The records.
        prices: The prices of a Region.
        architecture: The processor architecture of the functions.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.

    Raises:
        UsageError: for records that do not fit a batch.
    """
    settings = pipeline.maps[RECORD]
    fitting = batch_bytes(settings) // load.record_bytes
    if not fitting:
        raise UsageError(
            f"--record-bytes {load.record_bytes}: expected records of {batch_bytes(settings)} bytes at most"
        )
    most = settings.items_per_batch or (fitting if settings.is_batched else 1)
    batch = max(1, min(fitting, most))
    children = ceil(load.records / batch)
    kind, map_runs = execution_type(pipeline.record_stages), settings.map_runs
    starts = quotas.EXPRESS_CHILD_STARTS if kind == EXPRESS else quotas.CHILD_STARTS
    own = [stage.step.resources.reserved_concurrency for stage in pipeline.record_stages]
    limits = [map_runs * (max_concurrency or settings.max_concurrency), quotas.FUNCTION_CONCURRENCY.value]
    concurrency = min([*limits, *(one for one in own if one)])
    stages, gather = pipeline.record_stages, pipeline.gather_stage
    child_seconds = load.batch_seconds * len(stages)
    start_seconds = children / (starts.value * map_runs)
    seconds = max(start_seconds, children / concurrency * child_seconds) + child_seconds
    gather_seconds = gather.step.resources.timeout_s if gather else 0
    costs = tuple(_costs(pipeline, load, children, kind, child_seconds, prices, architecture))
    calls = children * len(stages) + (gather is not None)
    return RecordRunPlan(
        pipeline.name,
        prices.region,
        kind,
        any(stage.step.reads_files for stage in stages),
        load,
        batch,
        children,
        calls,
        map_runs,
        concurrency,
        start_seconds,
        seconds,
        gather_seconds,
        costs,
    )


def _costs(
    pipeline: Pipeline,
    load: RecordLoad,
    children: int,
    kind: str,
    child_seconds: float,
    prices: Prices,
    architecture: Architecture,
) -> Iterator[CostLine]:
    """Yield the lines of the costs; nothing is free, since an account may have used what is."""

    def line(name: str, item: str, quantity: float, formula: str) -> CostLine:
        rate = prices.rate(item)
        dollars = rate.total(quantity)
        return CostLine(name, dollars, dollars, dollars, rate.price, formula)

    stages, gather = pipeline.record_stages, pipeline.gather_stage
    states = 1 if kind == EXPRESS else 1 + len(stages)
    words = "a start" if kind == EXPRESS else f"a start and {len(stages)} states"
    formula = f"{children:,} children x {states} ({words} of each)"
    yield line("transitions", "StepFunctions/standard-transition", children * states, formula)
    if kind == EXPRESS:
        yield line("EXPRESS requests", "StepFunctions/express-requests", children, f"{children:,} children")
        gb_seconds = children * child_seconds * EXPRESS_CHUNK_GB
        formula = f"{children:,} children x {child_seconds:g} s x 64 MB"
        yield line("EXPRESS duration", "StepFunctions/express-duration", gb_seconds, formula)
    calls = children * len(stages) + (gather is not None)
    yield line("Lambda requests", "Lambda/requests", calls, f"{calls:,} calls")
    item = "Lambda/arm64-duration" if architecture is Architecture.ARM64 else "Lambda/x86-duration"
    for stage in stages:
        memory = stage.step.resources.memory_mib
        formula = f"{children:,} calls x {load.batch_seconds:g} s x {memory:,} MiB"
        yield line(f"Lambda {stage.name}", item, children * load.batch_seconds * memory / 1024, formula)
        if stage.step.reads_files:
            formula = f"{load.records:,} records x {FILE_REQUESTS} requests for their files"
            yield line(f"S3 reads {stage.name}", "S3/standard-get", load.records * FILE_REQUESTS, formula)
    if gather:
        seconds, memory = gather.step.resources.timeout_s, gather.step.resources.memory_mib
        formula = f"1 call x at most {seconds:,} s x {memory:,} MiB"
        yield line(f"Lambda {gather.name}", item, seconds * memory / 1024, formula)
    size = load.records * load.record_bytes * ROW_FACTOR
    parts = ceil(size / RESULT_PART_BYTES)
    yield line("S3 requests", "S3/standard-put", parts, f"{parts:,} parts of result files of {size:,} bytes")
