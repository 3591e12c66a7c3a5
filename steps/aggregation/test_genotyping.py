"""Sites of `bcftools call` with the fields that it was not given."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bcf import CalledRecord
from genotyping import Given, with_values
from tile_columns import AD

DEPTHS = np.array([[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("called", "alleles", "depths"),
    [
        (("ATT", "A", "AT"), ("ATT", "A", "AT"), [[1, 2, 3], [4, 5, 6]]),
        (("ATT", "AT"), ("AT", "A"), [[1, 3], [4, 6]]),
        (("ATT", "A"), ("ATT", "A"), [[1, 2], [4, 5]]),
    ],
)
def test_alleles_that_are_left_out_have_no_depth(
    called: tuple[str, ...], alleles: tuple[str, ...], depths: list[list[int]]
) -> None:
    given = [Given(("A", "C"), {}), Given(("ATT", "A", "AT"), {AD: DEPTHS, "DP": DEPTHS})]
    (site,) = with_values([CalledRecord("c", 9, "1", "50", called, {}, {})], given)
    assert site.record.alleles == alleles
    assert site.values[AD].tolist() == depths
    assert site.values["DP"] is DEPTHS
