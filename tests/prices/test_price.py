"""Totals over tiers, and the shipped tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model.architecture import host_architecture
from genomics_pipeline.prices.load import shipped_prices
from genomics_pipeline.prices.price import UnknownPrice

PRICES = shipped_prices()
RATES = sorted(PRICES.rates)
AMOUNTS = st.floats(0, 1e7)


@pytest.mark.parametrize(
    ("item", "quantity", "already", "dollars"),
    [
        ("S3/standard-storage", 600 * 1024, 0, 51_200 * 0.023 + 460_800 * 0.022 + 102_400 * 0.021),
        ("S3/standard-storage", 1024, 51_200, 1024 * 0.022),
        ("StepFunctions/standard-transition", 8000, 0, 0.2),
        ("S3/standard-get", 1_000_000, 0, 0.4),
        ("CloudWatch/logs-ingest-vended", 20_480, 0, 10_240 * 0.5 + 10_240 * 0.25),
        ("StepFunctions/express-duration", 5_000_000, 0, 3_600_000 * 0.00001667 + 1_400_000 * 0.00000833),
    ],
)
def test_totals_over_tiers(item: str, quantity: float, already: float, dollars: float) -> None:
    assert PRICES.rate(item).total(quantity, already) == pytest.approx(dollars)


def test_the_free_tier_is_left_out_unless_it_is_asked_for() -> None:
    rate = PRICES.rate("StepFunctions/standard-transition")
    assert rate.total(8000, with_free_tier=True) == pytest.approx(0.1)
    assert rate.total(8000, 4000, with_free_tier=True) == pytest.approx(0.2)


@given(st.sampled_from(RATES), AMOUNTS, AMOUNTS, st.booleans())
def test_a_total_is_the_sum_of_its_parts(item: str, first: float, second: float, free: bool) -> None:
    rate = PRICES.rate(item)
    whole = rate.total(first + second, with_free_tier=free)
    parts = rate.total(first, with_free_tier=free) + rate.total(second, first, with_free_tier=free)
    assert whole == pytest.approx(parts, abs=1e-6)
    assert whole >= 0


def test_no_spot_median_is_above_the_on_demand_price() -> None:
    for name, one in PRICES.hosts.items():
        assert host_architecture(name) is one.host.architecture
        assert one.spot is None or 0 < one.spot.low < one.spot.median.value < one.on_demand.value


def test_an_unknown_price_is_named() -> None:
    with pytest.raises(
        UnknownPrice, match=r"price of the instance type m5\.metal in us-east-1, found those of 145 other"
    ):
        PRICES.host("m5.metal")
    with pytest.raises(UnknownPrice, match=r"price of S3/tape in us-east-1, found those of 109 other items"):
        PRICES.rate("S3/tape")
