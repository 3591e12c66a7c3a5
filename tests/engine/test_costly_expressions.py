"""Costly expressions end within limits of time and memory, and at once when the execution is interrupted.

They take part of the time that expressions have outside of tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from genomics_pipeline.engine import evaluator_process
from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.evaluator_process import EvaluatorProcess
from genomics_pipeline.engine.host import EngineHost
from genomics_pipeline.engine.interruption import Interruption
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.evaluation import JSONATA, Evaluation, EvaluationEnd, TooLarge, TooLong
from genomics_pipeline.language.host import Host
from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.jsonpath import intrinsics, path
from genomics_pipeline.language.jsonpath.scope import PathScope
from tests.engine.costly_expressions import INTRINSICS, JSONPATH, NESTED
from tests.engine.costly_expressions import JSONATA as EXPRESSIONS

SECONDS = 0.05
ENDLESS = "($f := function($x){ $f($x+1) }; $f(1))"


@pytest.fixture(scope="module")
def process() -> Iterator[EvaluatorProcess]:
    process = EvaluatorProcess(SECONDS)
    yield process
    process.close()


@pytest.fixture
def host(process: EvaluatorProcess, monkeypatch: pytest.MonkeyPatch) -> EngineHost:
    monkeypatch.setattr(evaluator_process, "evaluator_process", lambda: process)
    return EngineHost(SystemClock(), Interruption())


def _evaluation(text: str) -> Evaluation:
    def evaluate_here(_: Host) -> EvaluationEnd:
        raise AssertionError("evaluated in this process")

    return Evaluation(JSONATA, text, {}, evaluate_here)


def _error_of(work: Callable[[], Any]) -> str:
    with pytest.raises(StatesError) as failed:
        work()
    return f"{failed.value.error}: {failed.value.cause}"


@pytest.mark.parametrize(("text", "end"), EXPRESSIONS.values(), ids=list(EXPRESSIONS))
def test_a_costly_expression_fails_with_awss_error(text: str, end: str, host: EngineHost) -> None:
    error = _error_of(lambda: evaluate("{% " + text + " %}", {"states": {}}, "Output", host))
    assert error.startswith("States.QueryEvaluationError: ")
    assert f"threw an error during evaluation: {end}" in error


@pytest.mark.parametrize("text", JSONPATH.values(), ids=list(JSONPATH))
def test_a_costly_query_fails_with_awss_error(text: str, host: EngineHost) -> None:
    error = _error_of(lambda: path.find(text, PathScope(NESTED, host=host), "InputPath"))
    assert error.startswith("States.Runtime: ")
    assert error.endswith(("takes too long", "takes too much memory"))


@pytest.mark.parametrize("text", INTRINSICS.values(), ids=list(INTRINSICS))
def test_a_large_value_of_an_intrinsic_function_fails_with_awss_error(text: str, host: EngineHost) -> None:
    scope = PathScope({"text": "x" * 250_000, "quotes": '"' * 200_000}, host=host)
    error = _error_of(lambda: intrinsics.evaluate(text, scope, "a.$"))
    assert error.startswith("States.DataLimitExceeded: ")


@pytest.mark.parametrize("template", [["{% $x %}"] * 50_000, {str(n): "{% $x %}" for n in range(50_000)}])
def test_a_template_of_many_large_values_fails_with_awss_error(template: Any, host: EngineHost) -> None:
    error = _error_of(lambda: evaluate(template, {"x": "x" * 250_000}, "Output", host))
    assert error.startswith("States.DataLimitExceeded: ")


@pytest.fixture
def usual_host() -> EngineHost:
    return EngineHost(SystemClock(), Interruption())


def test_an_expression_that_needs_more_than_the_engine_gives_has_its_value(usual_host: EngineHost) -> None:
    values = [None, "é\ud83d", 2**53, 0.1, {"a": [True]}]
    data = {"l": list(range(5_000)), "v": values, "unread": object()}
    text = "{'sum': $sum($map($l, function($x){$x * 2})), 'v': $v, 'null': $v[0]}"
    assert evaluate("{% " + text + " %}", data, "Output", usual_host) == {
        "sum": 24_995_000,
        "v": [None, "é\ufffd", 2**53, 0.1, {"a": [True]}],
        "null": None,
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1..2000].('a' - 1)", "T2001"),
        ("$map([1..2000], function($x){$uppercase($x)})", "T0410"),
        ("[[1..2000], $uppercase]", "returned an unsupported result type."),
        ("[1..2000][5000]", "returned nothing (undefined)."),
    ],
)
def test_other_errors_are_those_of_cheap_expressions(text: str, problem: str, usual_host: EngineHost) -> None:
    with pytest.raises(StatesError) as failed:
        evaluate("{% " + text + " %}", {}, "Output", usual_host)
    assert problem in str(failed.value.cause)


def test_a_process_is_replaced_after_an_expression_that_was_ended(process: EvaluatorProcess) -> None:
    def run(text: str) -> Any:
        return process.evaluate(_evaluation(text), 0.0, lambda: None).value

    with pytest.raises(TooLong):
        run(ENDLESS)
    assert run("1+1") == 2
    with pytest.raises((TooLong, TooLarge)):
        run("$map([1..800000], function($i){$pad('', 262144, 'x') & $i})")
    assert run("$millis()") == 0


def test_an_interrupted_engine_ends_the_expression() -> None:
    process = EvaluatorProcess(60)
    interruption = Interruption()

    async def signal_and_evaluate() -> None:
        interruption._note(2, None)  # as if SIGINT came while the loop is blocked
        evaluate_endlessly()

    async def evaluate_also() -> None:
        evaluate_endlessly()

    def evaluate_endlessly() -> None:
        process.evaluate(_evaluation(ENDLESS), 0.0, interruption.check)

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(signal_and_evaluate())
            group.create_task(evaluate_also())  # runs once before it is cancelled

    with asyncio.Runner() as runner, pytest.raises(asyncio.CancelledError):
        runner.run(interruption.cancel_on_sigint(work()))
    assert process._process is None
