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
from crew import Crew, load_value


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 4, 100])
def test_results_come_in_order(size: int, pieces: int) -> None:
    crew = Crew(range(pieces), size)
    assert list(crew.results(lambda piece: piece * piece)) == [piece * piece for piece in range(pieces)]
    crew.end()


def test_large_pieces_do_not_block() -> None:
    crew = Crew((bytes(3_000_000) for _ in range(50)), 2)
    assert [len(result) for result in crew.results(lambda piece: piece * 2)] == [6_000_000] * 50
    crew.end()


def test_an_error_comes_where_its_result_would_have() -> None:
    def invert(piece: int) -> float:
        return 1 / piece

    crew = Crew([4, 2, 1, 0, 5], 3)
    results = crew.results(invert)
    assert [next(results) for _ in range(3)] == [0.25, 0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    crew.end()


def test_an_error_of_the_pieces_comes_after_the_results_before_it() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("damaged")

    crew = Crew(pieces(), 2)
    found: list[int] = []
    with pytest.raises(ValueError, match=r"^damaged$"):
        found.extend(crew.results(lambda piece: piece))
    assert found == [1, 2]
    crew.end()


@pytest.mark.parametrize("pieces", [6, 1000])
def test_a_killed_worker_is_reported_whatever_the_others_have_left(pieces: int) -> None:
    def work(piece: int) -> bytes:
        if piece == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return bytes(1_000_000)

    crew = Crew(range(pieces), 2)
    with pytest.raises(ForkFailed, match=r"^a worker was killed by signal 9; it may have run out of memory$") as caught:
        list(crew.results(work))
    assert caught.value.killed
    crew.end()


def test_a_killed_feeder_is_reported() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    crew = Crew(pieces(), 2)
    with pytest.raises(ForkFailed, match=r"^the reader of the work was killed by signal 9; it may have run out of m"):
        list(crew.results(lambda piece: piece))
    crew.end()


def test_a_crew_may_end_before_it_works() -> None:
    Crew(iter(int, 1), 2).end()


def test_a_value_that_is_cut_anywhere_is_an_end() -> None:
    """A fork that is killed while it sends leaves a part of a value, which is no error of the fork that reads it."""
    sent = pickle.dumps([b"record" * 20_000, "name", 7], pickle.HIGHEST_PROTOCOL)
    for length in (0, 1, 2, 3, 10, 100, 70_000, len(sent) - 20, len(sent) - 1):
        with pytest.raises(EOFError):
            load_value(io.BytesIO(sent[:length]))
    assert load_value(io.BytesIO(sent)) == [b"record" * 20_000, "name", 7]
