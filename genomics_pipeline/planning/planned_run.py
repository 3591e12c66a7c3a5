"""A run to plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.planning.account import AccountLimits
from genomics_pipeline.planning.draws import FailureRates
from genomics_pipeline.planning.resource_model import ResourceModel
from genomics_pipeline.planning.workload import PlannedCohort
from genomics_pipeline.prices.price import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWork:
    """A run to plan, wherever it runs.

    Attributes:
        pipeline: The pipeline, with the stages that run.
        document: The document that would run.
        execution_input: Its input.
        cohort: Its items.
        model: The source of estimates.
        notes: What was assumed about it, for people.
    """

    pipeline: Pipeline
    document: Mapping[str, Any]
    execution_input: ExecutionInput
    cohort: PlannedCohort
    model: ResourceModel
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The changes that a user could make to a run.

    Attributes:
        arm64: Whether images of arm64 can do what the run asks for, and its hosts are others.
        cram: The parameter, ``STAGE.NAME``, by which alignments are BAM; empty if they are not.
        wider_intervals: The lengths of intervals of twice the size; none for a run without intervals.
        smaller: The same run by shipped pipelines that have some of its stages only.
    """

    arm64: bool = False
    cram: str = ""
    wider_intervals: Sequence[int] = ()
    smaller: Sequence[PlannedWork] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun(PlannedWork):
    """A run on AWS to plan.

    Attributes:
        rates: How often jobs fail.
        account: The limits of the account and of the stack.
        volume_gib: The size of the EBS volume of a host.
        prices: The prices of the Region.
        bam_factor: The size of alignments in BAM, in that of the format of the model's sizes.
        arrival_s: The time between the arrivals of two samples, each of which is a run; 0 for one run of all.
        alternatives: What a user could change about it.
    """

    rates: FailureRates
    account: AccountLimits
    volume_gib: int
    prices: Prices
    bam_factor: float
    arrival_s: float = 0.0
    alternatives: Alternatives = Alternatives()
