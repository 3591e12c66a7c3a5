"""The greatest number of jobs of a run at once, divided among its arrays: Slurm holds back the jobs of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


class JobLimit:
    """The shares of the arrays of a run in the jobs that may run at once.

    An array whose share is not known, which a killed head submitted, counts as one that may have all.

    Args:
        most: The greatest number of jobs; None for any.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._shares: dict[str, int] = {}
        self._fixed: set[str] = set()

    def share(self, number: int, waiting: Mapping[str, int]) -> int | None:
        """Return how many jobs of another array may run at once; None for all of them, 0 for none yet.

        Args:
            number: The number of its tasks.
            waiting: The number of tasks that have not ended, of each array in Slurm.

        >>> limit = JobLimit(8)
        >>> limit.share(5, {}), limit.share(100, {}), limit.share(100, {"other": 6}), limit.share(1, {"other": 9})
        (None, 8, 2, 0)
        """
        if self._most is None:
            return None
        room = self._room(waiting)
        return None if number <= room else room

    def note(self, array: str, share: int | None) -> None:
        """Note the share that an array has in Slurm, None for all of its jobs."""
        if share is not None:
            self._shares[array] = share

    def keep(self, array: str) -> None:
        """Note that Slurm does not change the share of an array."""
        self._fixed.add(array)

    def larger_share(self, waiting: Mapping[str, int]) -> tuple[str, int] | None:
        """Return the oldest array that may run more jobs than its share now, and its new share; None for no such.

        Args:
            waiting: See `share`.

        >>> limit = JobLimit(8)
        >>> limit.note("a", 2)
        >>> limit.larger_share({"a": 50, "b": 6}), limit.larger_share({"a": 50, "b": 1}), limit.larger_share({"a": 2})
        (None, ('a', 7), None)
        """
        room = self._room(waiting)
        small = (one for one in self._shares if self._shares[one] < waiting.get(one, 0) and one not in self._fixed)
        array = next(small, None)
        return (array, self._shares[array] + room) if array and room else None

    def _room(self, waiting: Mapping[str, int]) -> int:
        most = self._most or 0
        return max(0, most - Counter({one: min(n, self._shares.get(one, n)) for one, n in waiting.items()}).total())
