"""Forked workers: order, errors, deaths."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from crew import Crew, CrewFailed


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 4, 100])
def test_results_come_in_order(size: int, pieces: int) -> None:
    crew = Crew(lambda piece: piece * piece, size)
    assert list(crew.results(range(pieces))) == [piece * piece for piece in range(pieces)]


def test_large_pieces_do_not_block(tmp_path: Path) -> None:
    crew = Crew(lambda piece: piece * 2, 2)
    sizes = [len(result) for result in crew.results(bytes(3_000_000) for _ in range(5))]
    assert sizes == [6_000_000] * 5


def test_an_error_comes_where_its_result_would_have() -> None:
    def invert(piece: int) -> float:
        return 1 / piece

    crew = Crew(invert, 3)
    results = crew.results([4, 2, 1, 0, 5])
    assert [next(results) for _ in range(3)] == [0.25, 0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    crew.end()


def test_an_error_of_the_pieces_comes_after_the_results_before_it() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("damaged")

    crew = Crew(lambda piece: piece, 2)
    found: list[int] = []
    with pytest.raises(ValueError, match=r"^damaged$"):
        found.extend(crew.results(pieces()))
    assert found == [1, 2]
    crew.end()


def test_a_killed_worker_is_told() -> None:
    def work(piece: int) -> int:
        if piece == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return piece

    crew = Crew(work, 2)
    with pytest.raises(CrewFailed, match="killed by signal 9"):
        list(crew.results(range(6)))
    crew.end()
