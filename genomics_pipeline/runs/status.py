"""The state of a run, observed until it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from genomics_pipeline.aws.patience import is_throttled
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.runs.backend import Guard, RunBackend


def watch(run: RunBackend, wait: Callable[[float], object], guard: Guard | None = None) -> Iterator[RunState]:
    """Yield the states of a run, the last of which is final.

    Args:
        run: The run.
        wait: Waits for the given number of seconds.
        guard: Looks at each state, and may act on it.
    """
    while (state := _state_after_throttling(run, wait)).status == "RUNNING":
        yield state
        if guard is not None:
            guard.look(state)
        wait(run.poll_s)
    if guard is not None:
        guard.end(state)
    yield state


def _state_after_throttling(run: RunBackend, wait: Callable[[float], object]) -> RunState:
    """Return the state of a run; retry while AWS throttles, beyond the retries of boto3."""
    while True:
        try:
            return run.state()
        except RunError as error:
            if not is_throttled(error.__cause__):
                raise
        wait(run.poll_s)
