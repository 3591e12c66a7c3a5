"""``ToleratedFailureCount`` and ``ToleratedFailurePercentage``: how many items may fail."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.engine.visit import Visit


@dataclass(frozen=True, slots=True)
class ToleratedFailure:
    """How many items may fail; with neither limit, none may."""

    count: int | None
    percentage: float | None

    @classmethod
    def of(cls, visit: Visit) -> ToleratedFailure:
        """The limits of a Map state."""
        state = visit.state
        return cls(visit.field(state, "ToleratedFailureCount"), visit.field(state, "ToleratedFailurePercentage"))

    def exceeded(self, failed: int, total: int) -> bool:
        """Whether so many failed items of so many are too many.

        >>> ToleratedFailure(None, 50).exceeded(1, 2), ToleratedFailure(None, 50).exceeded(2, 3)
        (False, True)
        >>> ToleratedFailure(None, None).exceeded(1, 9)
        True
        >>> ToleratedFailure(None, 32.3).exceeded(323, 1000)  # though 32.3 * 1000 is a little less than 32300
        False
        """
        if failed == 0:
            return False
        if self.count is None and self.percentage is None:
            return True
        over_count = self.count is not None and failed > self.count
        return over_count or (self.percentage is not None and failed * 100 > round(self.percentage * total, 6))
