"""Forked workers: the order of results, errors, and forks that are killed."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from common.forks import ForkFailed
from fork_pool import ForkPool, load_value, make_pool


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 4, 100])
def test_results_come_in_order(size: int, pieces: int) -> None:
    pool = make_pool(range(pieces), size)
    assert list(pool.results(lambda piece: piece * piece)) == [piece * piece for piece in range(pieces)]
    pool.end()


def test_large_pieces_do_not_block() -> None:
    pool = ForkPool((bytes(3_000_000) for _ in range(50)), 2)
    assert [len(result) for result in pool.results(lambda piece: piece * 2)] == [6_000_000] * 50
    pool.end()


def test_an_error_is_raised_in_place_of_its_result() -> None:
    def invert(piece: int) -> float:
        return 1 / piece

    pool = ForkPool([4, 2, 1, 0, 5], 3)
    results = pool.results(invert)
    assert [next(results) for _ in range(3)] == [0.25, 0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    pool.end()


def test_an_error_of_the_pieces_is_raised_after_the_results_before_it() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("damaged")

    pool = ForkPool(pieces(), 2)
    results: list[int] = []
    with pytest.raises(ValueError, match=r"^damaged$"):
        results.extend(pool.results(lambda piece: piece))
    assert results == [1, 2]
    pool.end()


@pytest.mark.parametrize("pieces", [6, 1000])
def test_a_killed_worker_is_reported_however_many_pieces_are_left(pieces: int) -> None:
    def work(piece: int) -> bytes:
        if piece == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return bytes(1_000_000)

    pool = ForkPool(range(pieces), 2)
    with pytest.raises(
        ForkFailed, match=r"^a forked process was killed by signal 9; it may have run out of memory$"
    ) as caught:
        list(pool.results(work))
    assert caught.value.killed
    pool.end()


def test_a_killed_feeder_is_reported() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    pool = ForkPool(pieces(), 2)
    with pytest.raises(ForkFailed, match=r"^the process that reads the input was killed by signal 9; it may have run"):
        list(pool.results(lambda piece: piece))
    pool.end()


def test_a_pool_may_end_before_any_work() -> None:
    ForkPool(iter(int, 1), 2).end()


def test_a_truncated_value_is_the_end_of_the_pipe() -> None:
    """A fork that is killed while it sends leaves a part of a value, which is no error of the fork that reads it."""
    sent = pickle.dumps([b"record" * 20_000, "name", 7], pickle.HIGHEST_PROTOCOL)
    for length in (0, 1, 2, 3, 10, 100, 70_000, len(sent) - 20, len(sent) - 1):
        with pytest.raises(EOFError):
            load_value(io.BytesIO(sent[:length]))
    assert load_value(io.BytesIO(sent)) == [b"record" * 20_000, "name", 7]
