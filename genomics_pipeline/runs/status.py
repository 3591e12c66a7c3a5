"""Look at a run, once or until it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from genomics_pipeline.aws.patience import is_throttled
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.aws.state import CloudState
from genomics_pipeline.runs.find_run import CloudRun, LocalRun
from genomics_pipeline.runs.local.state import LocalState
from genomics_pipeline.runs.run_state import RunState

# DescribeMapRun may be asked once a second, of a bucket of 200, by all who look at this account's runs.
CLOUD_POLL_S = 10.0
LOCAL_POLL_S = 1.0


def looker(run: LocalRun | CloudRun) -> Callable[[], RunState]:
    """What tells a run's state whenever it is called."""
    return LocalState(run).now if isinstance(run, LocalRun) else CloudState(run).now


def watch(run: LocalRun | CloudRun, wait: Callable[[float], object]) -> Iterator[RunState]:
    """The run's states, the last of which is final.

    Args:
        run: The run.
        wait: Waits so many seconds.
    """
    look = looker(run)
    interval = LOCAL_POLL_S if isinstance(run, LocalRun) else CLOUD_POLL_S
    while (state := _unthrottled(look, lambda: wait(interval))).status == "RUNNING":
        yield state
        wait(interval)
    yield state


def _unthrottled(look: Callable[[], RunState], wait: Callable[[], object]) -> RunState:
    """The state; where AWS still throttles after boto3's own attempts, others look too: ask again later."""
    while True:
        try:
            return look()
        except RunError as error:
            if not is_throttled(error.__cause__):
                raise
        wait()
