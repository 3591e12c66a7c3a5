from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import DataError, Problem, RunError, UsageError, did_you_mean


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("wrong"), "wrong"),
        (Problem("wrong", "a.csv"), "a.csv: wrong"),
        (Problem("wrong", "a.csv", 3), "a.csv:3: wrong"),
        (Problem("wrong", "a.csv", 3, "sample"), "a.csv:3:sample: wrong"),
        (Problem("wrong", "a.csv", 3, 7), "a.csv:3:7: wrong"),
        (Problem("wrong", column="ploidy"), "ploidy: wrong"),
    ],
)
def test_a_problem_has_a_place(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_an_error_holds_all_its_problems() -> None:
    error = DataError([Problem("one", "a", 1), Problem("two", "a", 2)])
    assert str(error) == "a:1: one\na:2: two"
    assert [problem.message for problem in error.problems] == ["one", "two"]
    assert DataError("one").problems == DataError(Problem("one")).problems == (Problem("one"),)
    assert (DataError.exit_code, RunError.exit_code, UsageError.exit_code) == (1, 1, 2)


def test_a_similar_name_is_suggested() -> None:
    assert did_you_mean("fastq1", ["fastq_1", "fastq_2", "sample"]) == "did you mean 'fastq_1'?"
    assert did_you_mean("operator", ["sample", "lane"]) == "known: sample, lane"
    assert did_you_mean("x", []) == "known: none"
