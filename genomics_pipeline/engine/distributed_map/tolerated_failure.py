"""``ToleratedFailureCount`` and ``ToleratedFailurePercentage``: the limits on failed items."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from genomics_pipeline.engine.visit import Visit


@dataclass(frozen=True, slots=True)
class ToleratedFailure:
    """The limits on failed items: with neither, no item may fail."""

    count: int | None
    percentage: float | None

    @classmethod
    def of(cls, visit: Visit) -> ToleratedFailure:
        """Evaluate the limits of a Map state."""
        state = visit.state
        return cls(visit.field(state, "ToleratedFailureCount"), visit.field(state, "ToleratedFailurePercentage"))

    def is_exceeded(self, failed: int, total: int) -> bool:
        """Return whether `failed` items of `total` are more than tolerated.

        The percentage counts as the decimal number in the document, not as the nearest binary floating-point number.

        >>> ToleratedFailure(None, 50).is_exceeded(1, 2), ToleratedFailure(None, 50).is_exceeded(2, 3)
        (False, True)
        >>> ToleratedFailure(None, None).is_exceeded(1, 9)
        True
        >>> ToleratedFailure(None, 32.3).is_exceeded(323, 1000)  # though 32.3 * 1000 is a little less than 32300
        False
        >>> ToleratedFailure(None, 99.99999999999999).is_exceeded(4, 4)
        True
        """
        if failed == 0:
            return False
        if self.count is None and self.percentage is None:
            return True
        over_count = self.count is not None and failed > self.count
        return over_count or (self.percentage is not None and failed * 100 > Decimal(str(self.percentage)) * total)
