"""Random documents: each runs to its end or is refused with a path; the engine itself never fails or hangs."""

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
from tests.engine.damaged_documents import damaged_documents
from tests.engine.document_data import HANDLERS, OBJECTS, inputs, values
from tests.engine.documents import documents

MAX_STATES = 20_000  # entered; far more than in any generated document
MAX_SECONDS = 300
ENDS = {"SUCCEEDED", "FAILED", "TIMED_OUT"}
NO_END = "MISSING_END_STATE: Workflow has no terminal state"  # the only problem without a path
# A regression: the execution times out while a failed branch waits for its retry.
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

slow_generation = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(autouse=True, scope="module")
def _watchdog() -> Iterator[None]:
    """Fail when the engine hangs, instead of blocking the whole suite."""

    def fail(*_: object) -> None:
        raise AssertionError("the engine hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(MAX_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def run(document: Any, value: Any, folder: Path, redrive: bool = False) -> ExecutionResult:
    """Execute a document in `folder` and return its result."""
    entered = 0

    def count(event: Event) -> None:
        nonlocal entered
        entered += isinstance(event, StateEntered)
        assert entered < MAX_STATES, "the execution does not end"

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
    except KeyboardInterrupt as interrupt:  # would end the whole suite
        raise AssertionError("the engine cancelled itself") from interrupt


def check(result: ExecutionResult) -> None:
    """Check that a result is complete."""
    assert result.status in ENDS
    json.dumps(result.output, allow_nan=False)
    assert isinstance(result.error, str | None)
    assert result.transitions > 0


@slow_generation
@given(documents(), inputs)
@example(TIMEOUT_IN_RETRY, {})
def test_a_valid_document_runs_to_its_end_and_its_journal_has_the_same_result(document: Any, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(document, value, Path(folder))
        check(result)
        assert run(document, value, Path(folder)) == result


@slow_generation
@given(documents(), inputs)
@example(TIMEOUT_IN_RETRY, {})
def test_an_execution_that_failed_can_be_redriven_repeatedly(document: Any, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run(document, value, Path(folder))
        for _ in range(3):
            if result.status == "SUCCEEDED":
                break
            before, result = result, run(document, value, Path(folder), redrive=True)
            check(result)
            assert result.transitions > before.transitions
            assert {run["mapRunArn"] for run in before.map_runs} <= {run["mapRunArn"] for run in result.map_runs}
            assert run(document, value, Path(folder)) == result


@slow_generation
@given(damaged_documents(), inputs | values)
def test_a_damaged_document_runs_to_its_end_or_is_refused_with_a_path(document: Any, value: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(run(document, value, Path(folder)))
            problems: tuple[Problem, ...] = ()
        except DataError as refusal:
            problems = refusal.problems
    assert [problem for problem in problems if not problem.column and problem.message != NO_END] == []


@slow_generation
@given(st.recursive(values, lambda inner: st.dictionaries(st.sampled_from(["StartAt", "States", "Type"]), inner)))
def test_a_value_other_than_a_state_machine_is_refused(document: Any) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(DataError):
        run(document, {}, Path(folder))
