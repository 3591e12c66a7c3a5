"""Many requests: at a limited rate, in parallel, and retried when AWS throttles them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from genomics_pipeline.aws.clients import CONNECTIONS

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")

ROUNDS = 8  # each of as many attempts as botocore makes by itself
LONGEST_PAUSE_S = 20.0
AT_ONCE = 1000  # requests that are queued for the threads at the same time

# Error codes of S3, Batch and Step Functions for too many requests; of HEAD, which has no body, the status.
THROTTLED = ("503", "429", "SlowDown", "TooManyRequestsException", "ThrottlingException", "RequestLimitExceeded")


class Pace:
    """A rate limit over all threads.

    Args:
        per_second: Requests a second.
    """

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until the rate allows another request."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        time.sleep(max(0.0, turn - now))


def retry_throttled(request: Callable[[], Answer], pause: Callable[[float], None] = time.sleep) -> Answer:
    """Send a request, again after increasing pauses while AWS throttles it, and return the answer.

    botocore retries too, but all requests of a client share one budget of retries, which thousands of them exhaust.
    """
    from botocore.exceptions import ClientError

    for round_ in range(ROUNDS - 1):
        try:
            return request()
        except ClientError as error:
            if not is_throttled(error):
                raise
            pause(pause_s(round_))
    return request()


def pause_s(rounds: int) -> float:
    """Return the seconds of a pause, at random, after a number of earlier rounds that AWS throttled."""
    return random.uniform(0, min(2.0**rounds, LONGEST_PAUSE_S))  # noqa: S311 # jitter


def is_throttled(error: BaseException | None) -> bool:
    """Tell whether AWS throttled a request."""
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLED


def in_parallel(call: Callable[[Argument], Answer], arguments: Iterable[Argument]) -> Iterator[Answer]:
    """Yield the answers in the order of the requests, which as many threads send as a client has connections."""
    left = iter(arguments)
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        try:
            while some := list(islice(left, AT_ONCE)):
                yield from threads.map(call, some)
        finally:
            threads.shutdown(cancel_futures=True)
