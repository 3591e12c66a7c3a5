"""Lines of quantiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.planning.history.quantile_line import fit_line


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_points_of_a_line_give_it(quantile: float) -> None:
    sizes = [1e9, 2e9, 5e9, 9e9]
    line = fit_line(sizes, [30 + 4e-9 * size for size in sizes], quantile)
    assert (line.fixed, line.slope) == pytest.approx((30, 4e-9))


def test_quantiles_spread_with_the_size() -> None:
    """Tasks of ten sizes that need 1, 2, 3, 4 or 5 for each unit of it."""
    points = [(size, size * rate) for size in range(1, 11) for rate in (1, 2, 3, 4, 5)]
    sizes, needs = [float(size) for size, _ in points], [float(need) for _, need in points]
    assert [fit_line(sizes, needs, quantile).at(100) for quantile in (0.1, 0.5, 0.9)] == pytest.approx([100, 300, 500])


def test_no_line_falls() -> None:
    line = fit_line([1.0, 2.0, 3.0], [30.0, 20.0, 10.0], 0.5)
    assert (line.fixed, line.slope) == pytest.approx((20, 0))


@given(
    points=st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 1000)), min_size=3, max_size=40),
    quantile=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_a_line_has_its_share_of_the_needs_below(points: list[tuple[int, int]], quantile: float) -> None:
    """Koenker and Bassett, theorem 3.4, for lines that may rise: at most the share is below, at most the rest above."""
    sizes, needs = [1.0, *(float(size) for size, _ in points)], [0.0, *(float(need) for _, need in points)]
    line = fit_line(sizes, needs, quantile)
    below = sum(need < line.at(size) - 1e-6 for size, need in zip(sizes, needs, strict=True))
    above = sum(need > line.at(size) + 1e-6 for size, need in zip(sizes, needs, strict=True))
    assert below <= quantile * len(sizes) + 1e-9 or line.fixed < 1e-6 or line.slope < 1e-12
    assert above <= (1 - quantile) * len(sizes) + 1e-9
