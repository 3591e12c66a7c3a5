"""The time that tests wait for what happens soon: one for all, that also a busy machine never needs."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 600.0  # half of `faulthandler_timeout`, so that the test fails and not its whole process


def until(condition: Callable[[], object]) -> None:
    """Wait until a function returns something true.

    Raises:
        TimeoutError: if it does not within `PATIENCE_S`.
    """
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
