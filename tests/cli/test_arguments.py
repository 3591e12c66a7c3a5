from __future__ import annotations

from collections import Counter

import pytest

from genomics_pipeline.cli.arguments import parse_memory
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.rerun import StageMemory
from genomics_pipeline.model.tolerance import map_run_limit, parse_tolerance, tolerance_words
from genomics_pipeline.report.run_state import Missing


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


@pytest.mark.parametrize(
    "text", ["5%", "2.5%", "33.3333333333333%", "0%", "100%", "20", "0", "5%,intervals=2", "0,intervals=0"]
)
def test_tolerance_words_reproduce_the_argument(text: str) -> None:
    assert tolerance_words(parse_tolerance(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%",
        "-1",
        "+1",
        "2.5",
        "101%",
        "1e1%",
        "100000001",
        " 5%",
        "5 %",
        ".5%",
        "٥",
        "intervals=",
        "intervals=5%",
        ",intervals=1",
        "x,intervals=1",
        "intervals=1,5%",
        "intervals=100000001",
    ],
)
def test_other_tolerances_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_tolerance(text)
    expected = "a share of the samples such as 5%, or a number such as 20, or intervals such as 20,intervals=3"
    assert str(refused.value) == f"--tolerate: expected {expected}, found {text!r}"


def test_intervals_alone_accept_no_missing_sample() -> None:
    assert parse_tolerance("intervals=2") == parse_tolerance("0,intervals=2")
    accepted = parse_tolerance("20%,intervals=2")
    for samples, intervals, cohort, expected in (
        (2, 2, 0, True),
        (3, 2, 0, False),
        (2, 3, 0, False),
        (2, 2, 1, False),
        (0, 0, 0, True),
    ):
        missing = Missing(10, Counter(sample=samples, interval=intervals, cohort=cohort))
        assert missing.is_accepted(accepted) == expected
    assert not Missing(10, Counter(interval=1)).is_accepted(parse_tolerance("100%"))
    assert map_run_limit({"percentage": 0, "count": 9}, accepted, 10) == {"percentage": 20, "count": 100_000_000}


def test_memory_of_a_stage_or_of_all() -> None:
    assert parse_memory(["200", "total=300"]) == (StageMemory(200), StageMemory(300, "total"))


def test_all_malformed_memory_arguments_are_refused_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        parse_memory(["much", "total=0", "total=1.5", "=٣", "total=7"])
    assert [str(problem) for problem in refused.value.problems] == [
        f"--memory {text}: expected [STAGE=]MIB, such as alignment=32768"
        for text in ("much", "total=0", "total=1.5", "=٣")
    ]
