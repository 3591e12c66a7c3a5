"""The margin of an interval: how far the step reads beside it, and the worker gives it records of remote gVCFs."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from interval import GAP_BP, PADDING_BP, Region, padded


def test_the_declared_margin_is_what_is_read_beside_an_interval() -> None:
    """The worker gives the step no records farther from the interval, and takes regions as near as `GAP_BP` for one."""
    declared = tomllib.loads((Path(__file__).parent / "step.toml").read_text())["inputs"]["gvcfs"]
    assert (declared["ranged"], declared["margin_bp"]) == (True, PADDING_BP)
    assert GAP_BP == 1 << 14


def test_regions_are_padded_within_their_contigs() -> None:
    near = [Region("a", 500, 900), Region("a", 900 + GAP_BP, 20_000)]
    assert padded([*near, Region("b", 5000, 6000)], {"a": 20_500, "b": 9000}) == [
        Region("a", 1, 20_500),
        Region("b", 4000, 7000),
    ]
