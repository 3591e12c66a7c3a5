"""Quantile regression on one property of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class QuantileLine:
    """A quantile of a need as a line over a size: ``fixed + slope * size``, neither below 0."""

    fixed: float
    slope: float

    def at(self, size: float) -> float:
        """Return the quantile for a size."""
        return self.fixed + self.slope * size


def fit_line(sizes: Sequence[float], needs: Sequence[float], quantile: float) -> QuantileLine:
    """Return the line with the given share of the needs at or below it.

    It minimises the loss of Koenker and Bassett (Econometrica 1978) over lines that do not fall, as a linear program:
    what a need is above the line costs `quantile`, what it is below costs the rest.

    Args:
        sizes: The sizes, not all alike.
        needs: The need at each size.
        quantile: The share, between 0 and 1.
    """
    count = len(needs)
    unit = max(sizes)  # coefficients of one order of magnitude are solved exactly
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = 2 + 2 * count, count
    program.col_cost_ = np.repeat([0.0, quantile, 1 - quantile], [2, count, count])
    program.col_lower_ = np.zeros(program.num_col_)
    program.col_upper_ = np.full(program.num_col_, highspy.kHighsInf)
    program.row_lower_ = program.row_upper_ = np.asarray(needs, dtype=float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.arange(count + 1) * 4
    program.a_matrix_.index_ = _columns(count).ravel()
    program.a_matrix_.value_ = _values(np.asarray(sizes, dtype=float) / unit).ravel()
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.passModel(program)
    solver.run()
    fixed, slope = solver.getSolution().col_value[:2]
    return QuantileLine(fixed, slope / unit)


def _columns(count: int) -> NDArray[np.int64]:
    """Return the columns of each row: the fixed part, the slope, what the need is above and below the line."""
    rows = np.arange(count)
    return np.stack(
        [np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64), 2 + rows, 2 + count + rows], axis=1
    )


def _values(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    ones = np.ones_like(sizes)
    return np.stack([ones, sizes, ones, -ones], axis=1)
