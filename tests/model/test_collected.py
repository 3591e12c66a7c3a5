"""Problems of several checks, raised at once; the exit code is that of a usage error only if there is no other."""

from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import CollectedProblems, DataError, Problem, RunError, UsageError


def test_without_problems_nothing_is_raised() -> None:
    collected = CollectedProblems()
    with collected.check():
        pass
    collected.add(())
    collected.refuse()


def test_usage_errors_alone_raise_a_usage_error() -> None:
    collected = CollectedProblems()
    for message in ("one", "two"):
        with collected.check():
            raise UsageError(message)
    with pytest.raises(UsageError) as raised:
        collected.refuse()
    assert str(raised.value) == "one\ntwo"


def test_mixed_problems_raise_a_data_error() -> None:
    collected = CollectedProblems()
    with collected.check():
        raise UsageError("one")
    collected.add([Problem("two", "sheet.csv", 3)])
    with collected.check():
        raise RunError("three")
    with pytest.raises(DataError) as raised:
        collected.refuse()
    assert str(raised.value) == "one\nsheet.csv:3: two\nthree"


def test_other_exceptions_are_not_collected() -> None:
    collected = CollectedProblems()
    with pytest.raises(ZeroDivisionError), collected.check():
        raise ZeroDivisionError
