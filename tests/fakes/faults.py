"""Refusals of an AWS API: throttling, and errors that a test plans."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.patience import PATIENCE_S


class ApiError(Exception):
    """An error response of the API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass
class Bucket:
    """A token bucket, which limits requests to a burst and a rate per second."""

    size: float
    refill: float
    clock: Callable[[], float] = time.monotonic
    _tokens: float = field(init=False)
    _refilled: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._refilled = self.size, self.clock()

    def take(self) -> bool:
        """Take a token, if there is one."""
        now = self.clock()
        self._tokens = min(self.size, self._tokens + (now - self._refilled) * self.refill)
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Calls(list[tuple[str, dict[str, Any]]]):
    """The requests so far, as operation and parameters."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def add(self, operation: str, params: dict[str, Any]) -> None:
        """Add a request."""
        with self._changed:
            self.append((operation, params))
            self._changed.notify_all()

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of the requests to one operation."""
        return [params for name, params in list(self) if name == operation]

    def wait(self, operation: str, times: int, timeout: float = PATIENCE_S) -> None:
        """Wait for a number of requests to one operation.

        Raises:
            TimeoutError: if there are fewer within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.of(operation)) >= times, timeout):
                raise TimeoutError(f"{operation}: {len(self.of(operation))} of {times} calls")


class Gate:
    """A gate that admits requests, or raises a planned error or that of throttling.

    Args:
        buckets: Token buckets by operation; a test may replace them.
        throttling_error: The response to a request without a token.
    """

    def __init__(self, buckets: Mapping[str, Bucket], throttling_error: ApiError) -> None:
        self.buckets = dict(buckets)
        self._throttling_error = throttling_error
        self._plans: dict[str, deque[ApiError]] = defaultdict(deque)
        self._lock = threading.Lock()

    def throttle(self, operation: str, times: int = 1) -> None:
        """Throttle the next requests of an operation."""
        self.fail(operation, self._throttling_error, times)

    def fail(self, operation: str, error: ApiError, times: int = 1) -> None:
        """Answer the next requests of an operation with an error."""
        self._plans[operation].extend([error] * times)

    def check(self, operation: str) -> None:
        """Admit a request, or raise an error.

        Raises:
            ApiError: The planned error, or that of throttling.
        """
        with self._lock:
            if self._plans[operation]:
                raise self._plans[operation].popleft()
            if operation in self.buckets and not self.buckets[operation].take():
                raise self._throttling_error
