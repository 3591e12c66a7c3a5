"""The limits of Assign. Sizes and causes: radkawar/stackd testdata/aws/stepfunctions/variable_limits.json."""

from __future__ import annotations

import pytest

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.variables import assign
from genomics_pipeline.model import quotas

MOST = "x" * 262_142  # without its two quotes


def failure(before: dict[str, str], values: dict[str, str]) -> StatesError:
    with pytest.raises(StatesError) as raised:
        assign("A", before, values)
    assert (raised.value.error, raised.value.location) == ("States.DataLimitExceeded", "Assign")
    return raised.value


def test_variables_may_have_262144_bytes() -> None:
    assert assign("A", {"x": MOST}, {"y": MOST}) == {"x": MOST, "y": MOST}
    half = "x" * 131_070
    assert assign("A", {}, {"x": half, "y": half}) == {"x": half, "y": half}


def test_one_variable_is_too_large() -> None:
    assert failure({}, {"x": MOST + "x"}).cause == (
        "Variable size limit exceeded. Variable 'x' in state 'A' was assigned 262145 bytes."
    )


def test_the_size_is_counted_in_bytes() -> None:
    assert failure({}, {"x": "é" * 131_072}).cause == (
        "Variable size limit exceeded. Variable 'x' in state 'A' was assigned 262146 bytes."
    )


def test_the_variables_of_one_assign_are_too_large_together() -> None:
    half = "x" * 131_071
    assert failure({}, {"x": half, "y": half}).cause == (
        "State total variable size limit exceeded. Variable 'y' in state 'A' was assigned 131073 bytes, which caused "
        "the size of variables assigned in the state to exceed its limit by 2 bytes."
    )


def test_all_variables_are_too_large_together() -> None:
    before = {f"v{number}": MOST for number in range(quotas.VARIABLES.value // quotas.ASSIGN.value)}
    assert assign("A", before, {"v0": MOST}) == before
    assert failure(before, {"v": "x"}).cause == (
        "Execution total variable size limit exceeded. State 'A' assigned variables that exceed the total execution "
        "limit by 3 bytes."
    )
