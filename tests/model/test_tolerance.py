from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.tolerance import parse_tolerance


@pytest.mark.parametrize(
    ("text", "percentage", "count"),
    [
        ("5%", 5, 100_000_000),
        ("2.5%", 2.5, 100_000_000),
        ("0%", 0, 100_000_000),
        ("100%", 100, 100_000_000),
        ("20", 100, 20),
        ("0", 100, 0),
        ("100000000", 100, 100_000_000),
    ],
)
def test_a_share_or_a_number(text: str, percentage: float, count: int) -> None:
    assert parse_tolerance(text) == {"percentage": percentage, "count": count}


@pytest.mark.parametrize("text", ["", "%", "-1", "+1", "2.5", "101%", "1e1%", "100000001", " 5%", "5 %", ".5%", "٥"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_tolerance(text)
    expected = f"--tolerate: expected a share of the samples such as 5%, or their number such as 20, found {text!r}"
    assert str(refused.value) == expected
