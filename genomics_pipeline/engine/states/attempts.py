"""The attempts of a Task, Parallel or Map, with ``Retry`` and ``Catch``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from genomics_pipeline.engine.events import RetryScheduled
from genomics_pipeline.engine.states.retry import Retriers
from genomics_pipeline.engine.visit import Transition, Visit
from genomics_pipeline.language.errors import RUNTIME, StatesError, matches


async def run_attempts(visit: Visit, work: Callable[[Visit], Awaitable[Any]]) -> Transition:
    """Do the state's work until it succeeds or no retrier matches its error, then try the catchers.

    Raises:
        StatesError: the last error, if no catcher matches it.
    """
    execution = visit.execution
    clock = execution.engine.clock
    retriers = Retriers(visit.state.get("Retry", ()), clock)
    while True:
        try:
            result = visit.check_payload(await work(visit))
            transition = Transition.of(visit.language.outcome_with_result(visit, result), visit.state)
            visit.check_payload(transition.output)
            return transition
        except StatesError as failure:
            error = visit.report_failure(failure)
            delay = retriers.delay(error)
            if delay is None:
                return _catch(visit, error)
        visit.attempt += 1
        execution.transitions += 1
        execution.engine.observer(
            RetryScheduled(
                visit.name, visit.attempt, delay, error.error, error.cause or "", execution.label, execution.index
            )
        )
        await clock.sleep(delay)


def _catch(visit: Visit, error: StatesError) -> Transition:
    """Return the transition of the first catcher that matches the error."""
    if visit.started and error.error != RUNTIME:  # States.Runtime ends the execution, without an event of the state
        visit.trail.add(f"{visit.state['Type']}StateFailed")
    for number, catcher in enumerate(visit.state.get("Catch", ())):
        if matches(error, catcher["ErrorEquals"]):
            outcome = visit.language.outcome_of_catcher(visit, error.output(), catcher, f"Catch[{number}]/")
            return Transition.of(outcome, catcher)
    raise error
