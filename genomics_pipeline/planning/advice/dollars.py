"""Savings in dollars, from the prices of state transitions and EXPRESS executions."""

from __future__ import annotations

from dataclasses import replace

from genomics_pipeline.planning.advice.finding import Saving
from genomics_pipeline.prices.price import Prices

_MILLION = 1e6
_EXPRESS_GB_S = 64 / 1024  # a second of the smallest memory, which is also the step of its billing


def with_dollars(saving: Saving | None, prices: Prices) -> Saving | None:
    """Return a saving with its dollars for a million units, if it counts transitions.

    Args:
        saving: The saving.
        prices: The prices of the state machine's Region.

    Raises:
        UnknownPrice: if the Region's tables lack a price.
    """
    if saving is None or not saving.transitions:
        return saving
    dollars = saving.transitions * prices.rate("StepFunctions/standard-transition").price.value
    if saving.express_requests:
        request = prices.rate("StepFunctions/express-requests").price.value
        duration = prices.rate("StepFunctions/express-duration").price.value * _EXPRESS_GB_S
        dollars -= saving.express_requests * (request + duration)
    return replace(saving, dollars_per_million=dollars * _MILLION)
