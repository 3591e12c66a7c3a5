"""Injected faults: the seed selects the items, in whatever order they are run."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.faults import ENGINE_KILLED, Fault, Faults, parse_faults

STAGES = {"alignment": "sample", "calling": "sample", "joining": "interval", "gather": "cohort"}
SAMPLES = [f"s{number}" for number in range(1000)]
ALL = """
seed = 20261124

[[faults]]
class = "out_of_memory"
stage = "alignment"
samples = ["s1", "s2"]
share = 0.25
below_mib = 16384

[[faults]]
class = "host_lost"
times = 2

[[faults]]
class = "throttled"
times = 3

[[faults]]
class = "tool_error"
always = true

[[faults]]
class = "bad_input"
always = false

[[faults]]
class = "engine_killed"
"""


def parse(text: str) -> Faults:
    return parse_faults(text, file="faults.toml", stages=STAGES, samples=SAMPLES)


def test_a_file_with_every_setting() -> None:
    assert parse(ALL) == Faults(
        "faults.toml",
        20261124,
        (
            Fault(1, FailureClass.OUT_OF_MEMORY, "alignment", ("s1", "s2"), 0.25, None, 16384),
            Fault(2, FailureClass.HOST_LOST, times=2),
            Fault(3, FailureClass.THROTTLED, times=3),
            Fault(4, FailureClass.TOOL_ERROR, times=None),
            Fault(5, FailureClass.BAD_INPUT, times=1),
            Fault(6, ENGINE_KILLED, times=1),
        ),
    )
    assert (
        str(parse(ALL))
        == """\
injected faults: faults.toml, seed 20261124
  1. out_of_memory: alignment of s1, s2, 25 % of them, until it requests 16384 MiB
  2. host_lost: any stage of any item, the first 2 attempts
  3. throttled: any stage of any item, the first 3 submissions
  4. tool_error: any stage of any item, always
  5. bad_input: any stage of any item, the first attempt
  6. engine_killed: any stage of any item, the first time"""
    )


def test_every_declared_class_is_a_failure_class() -> None:
    text = "".join(f'[[faults]]\nclass = "{kind}"\n' for kind in ("host_lost", "image", "out_of_disk", "timeout"))
    assert [FailureClass(fault.kind) for fault in parse(text).faults] == [
        FailureClass.HOST_LOST,
        FailureClass.IMAGE,
        FailureClass.OUT_OF_DISK,
        FailureClass.TIMEOUT,
    ]


@pytest.mark.parametrize(
    ("fault", "stage", "item", "expected"),
    [
        (Fault(1, "image"), "gather", "cohort", True),
        (Fault(1, "image", "alignment"), "alignment", "s1", True),
        (Fault(1, "image", "alignment"), "calling", "s1", False),
        (Fault(1, "image", samples=("s1",)), "calling", "s1", True),
        (Fault(1, "image", samples=("s1",)), "calling", "s2", False),
        (Fault(1, "image", samples=("00000",)), "joining", "00000", False),  # an interval is not a sample
    ],
)
def test_a_fault_applies_to_its_stages_and_samples(fault: Fault, stage: str, item: str, expected: bool) -> None:
    assert fault.strikes(0, stage, STAGES[stage], item) is expected


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_share_selects_about_that_part_of_the_items_independently(share: float) -> None:
    def selected_items(number: int, seed: int) -> set[tuple[str, str]]:
        fault = Fault(number, "image", share=share)
        pairs = product(("alignment", "calling"), SAMPLES)
        return {(stage, item) for stage, item in pairs if fault.strikes(seed, stage, "sample", item)}

    first = selected_items(1, 7)
    assert len(first) == pytest.approx(2000 * share, abs=60)
    assert selected_items(1, 7) == first
    assert first not in (selected_items(2, 7), selected_items(1, 8))


@given(st.integers(), st.text(), st.floats(0.01, 0.99))
def test_a_larger_share_includes_a_smaller_one(seed: int, item: str, share: float) -> None:
    smaller, larger = (Fault(1, "image", share=part) for part in (share, share + 0.01))
    struck = smaller.strikes(seed, "alignment", "sample", item)
    assert not struck or larger.strikes(seed, "alignment", "sample", item)


def test_faults_of_an_item_are_in_the_order_of_the_file() -> None:
    faults = Faults("f", 0, (Fault(1, "image", "calling"), Fault(2, "timeout"), Fault(3, "image", samples=("s1",))))
    assert [fault.number for fault in faults.of("calling", "sample", "s1")] == [1, 2, 3]
    assert [fault.number for fault in faults.of("alignment", "sample", "s2")] == [2]


def test_a_fault_below_an_amount_of_memory() -> None:
    fault = Fault(1, "out_of_memory", below_mib=100)
    assert [fault.asks_less(mib) for mib in (99, 100)] == [True, False]
    assert Fault(1, "out_of_memory").asks_less(1_000_000)
