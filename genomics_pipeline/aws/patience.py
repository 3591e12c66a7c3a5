"""Requests by the thousand: no more a second than AWS takes, and again after a while where it takes fewer."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from genomics_pipeline.aws.clients import CONNECTIONS

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

ROUNDS = 8  # of botocore's own attempts each
LONGEST_PAUSE_S = 20.0
AT_ONCE = 1000  # requests that are known to the threads, however many follow

# What S3, Batch and Step Functions say when there are too many requests; HEAD has no body, so there it is the status.
THROTTLED = ("503", "429", "SlowDown", "TooManyRequestsException", "ThrottlingException", "RequestLimitExceeded")


class Pace:
    """Lets so many requests a second through, from however many threads.

    Args:
        per_second: How many.
    """

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is this request's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        time.sleep(max(0.0, turn - now))


def retry_throttled(request: Callable[[], Answer], pause: Callable[[float], None] = time.sleep) -> Answer:
    """The answer to a request that is sent again, after longer and longer pauses, while AWS has too many.

    botocore tries again too, but all requests of a client share how often: thousands of them run out of it.
    """
    from botocore.exceptions import ClientError

    for round_ in range(ROUNDS - 1):
        try:
            return request()
        except ClientError as error:
            if not is_throttled(error):
                raise
            pause(random.uniform(0, min(2.0**round_, LONGEST_PAUSE_S)))  # noqa: S311 # spreads requests, hides nothing
    return request()


def is_throttled(error: BaseException | None) -> bool:
    """Whether AWS refused a request only because there are too many."""
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLED


def in_parallel(ask: Callable[[Asked], Answer], asked: Iterable[Asked]) -> Iterator[Answer]:
    """The answers in order, asked by as many threads as a client has connections."""
    left = iter(asked)
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        try:
            while some := list(islice(left, AT_ONCE)):
                yield from threads.map(ask, some)
        finally:
            threads.shutdown(cancel_futures=True)
