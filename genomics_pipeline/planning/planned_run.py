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


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run to plan.

    Attributes:
        pipeline: The pipeline, with the stages that run.
        document: The document that would run.
        execution_input: Its input.
        cohort: Its items.
        model: The source of estimates.
        rates: How often jobs fail.
        account: The limits of the account and of the stack.
        volume_gib: The size of the EBS volume of a host.
        prices: The prices of the Region.
        notes: What was assumed about it, for people.
    """

    pipeline: Pipeline
    document: Mapping[str, Any]
    execution_input: ExecutionInput
    cohort: PlannedCohort
    model: ResourceModel
    rates: FailureRates
    account: AccountLimits
    volume_gib: int
    prices: Prices
    notes: Sequence[str] = ()
