"""Any document runs to an end, or is refused with a path; the engine itself never fails, and never hangs."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.check_document import check_document
from genomics_pipeline.engine.events import Event, StateEntered
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.stores.local import Folders, LocalStore
from tests.engine.documents import HANDLERS, OBJECTS, damaged, documents, inputs, values

STEPS = 20_000  # far above what a generated document can take
HANGS_S = 300
ENDS = {"SUCCEEDED", "FAILED", "TIMED_OUT"}
ENDLESS = "MISSING_END_STATE: Workflow has no terminal state"  # is wrong nowhere in particular
# Found by chance once: the execution's time is over while a failed branch waits to be tried again.
TIMEOUT_IN_RETRY = {
    "QueryLanguage": "JSONata",
    "TimeoutSeconds": 1,
    "StartAt": "P",
    "States": {
        "P": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "F", "States": {"F": {"Type": "Fail"}}}],
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 9}],
            "End": True,
        }
    },
}

unhurried = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(autouse=True, scope="module")
def _watchdog() -> Iterator[None]:
    """What waits for nothing fails, instead of the whole suite waiting with it."""

    def hangs(*_: object) -> None:
        raise AssertionError("the engine hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(HANGS_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def run(document: Any, value: Any, folder: Path, redrive: bool = False) -> ExecutionResult:
    """The document's end, in at most so many steps."""
    entered = 0

    def count(event: Event) -> None:
        nonlocal entered
        entered += isinstance(event, StateEntered)
        assert entered < STEPS, "it goes on and on"

    for uri, data in OBJECTS.items():
        path = folder / "buckets" / uri.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    tasks = Handlers(HANDLERS)
    check_document(document, "machine", tasks)
    try:
        return execute(
            document,
            value,
            name="machine",
            state_machine="machine",
            store=LocalStore(Folders(folder / "buckets")),
            tasks=tasks,
            journal=folder / "journal",
            observer=count,
            history=folder / "history.jsonl",
            fast_forward=True,
            redrive=redrive,
        )
    except KeyboardInterrupt as interrupt:  # nobody pressed a key, and it would end the whole suite
        raise AssertionError("the engine cancelled itself") from interrupt


def check(result: ExecutionResult) -> None:
    """An end that says all that an end says."""
    assert result.status in ENDS
    json.dumps(result.output, allow_nan=False)
    assert isinstance(result.error, str | None)
    assert result.transitions > 0


@unhurried
@given(documents(), inputs)
@example(TIMEOUT_IN_RETRY, {})
def test_a_valid_document_runs_to_its_end_and_ends_the_same_when_asked_again(document: Any, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(document, value, Path(folder))
        check(result)
        assert run(document, value, Path(folder)) == result


@unhurried
@given(documents(), inputs)
@example(TIMEOUT_IN_RETRY, {})
def test_what_did_not_succeed_can_be_redriven_again_and_again(document: Any, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(document, value, Path(folder))
        for _ in range(3):
            if result.status == "SUCCEEDED":
                break
            before, result = result, run(document, value, Path(folder), redrive=True)
            check(result)
            assert result.transitions > before.transitions
            assert {one["mapRunArn"] for one in before.map_runs} <= {one["mapRunArn"] for one in result.map_runs}
            assert run(document, value, Path(folder)) == result


@unhurried
@given(damaged(), inputs | values)
def test_a_damaged_document_runs_to_its_end_or_is_refused_with_a_path(document: Any, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(run(document, value, Path(folder)))
            problems: tuple[Problem, ...] = ()
        except DataError as refusal:
            problems = refusal.problems
    assert [problem for problem in problems if not problem.column and problem.message != ENDLESS] == []


@unhurried
@given(st.recursive(values, lambda inner: st.dictionaries(st.sampled_from(["StartAt", "States", "Type"]), inner)))
def test_what_is_no_state_machine_is_refused(document: Any) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(DataError):
        run(document, {}, Path(folder))
