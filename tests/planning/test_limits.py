"""Uses of limits, and the limit that a larger cohort exceeds first."""

from __future__ import annotations

import pytest

from genomics_pipeline.model import quotas
from genomics_pipeline.planning.limits import DELAYS, REFUSES, Usage, first_limit


def usages(samples: int) -> list[Usage]:
    return [
        Usage("slow", samples, 10, "calls", DELAYS, "a page"),
        Usage("memory", 100 + samples, 500, "MiB", REFUSES, "step.toml"),
        Usage("items", samples, quotas.MAP_RUN_ITEMS.value, "items", REFUSES, "a page"),
    ]


def test_the_first_limit_is_the_one_that_fails_at_the_fewest_samples() -> None:
    first = first_limit(usages)
    assert first is not None
    assert (first.name, first.samples) == ("memory", 401)


def test_a_limit_that_one_sample_exceeds() -> None:
    first = first_limit(lambda samples: [Usage("disk", 3, 2, "GiB", REFUSES, "step.toml")])
    assert first is not None
    assert first.samples == 1


def test_limits_that_only_delay_are_never_first() -> None:
    assert first_limit(lambda samples: usages(samples)[:1]) is None


@pytest.mark.parametrize(("used", "headroom", "exceeded"), [(0, 1, False), (10, 0, False), (15, -0.5, True)])
def test_headroom(used: float, headroom: float, exceeded: bool) -> None:
    one = Usage("slow", used, 10, "calls", DELAYS, "a page")
    assert (one.headroom, one.exceeded) == (headroom, exceeded)
