"""Operations on arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common.arrays import distinct

STEPS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("values", [[], [7], [3, -1, 3, 3, 0, -1], [*range(100)] * 3])
def test_distinct_values_are_those_of_numpy(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    assert distinct(array).tolist() == np.unique(array).tolist()
    assert array.tolist() == values


def test_masked_arrays_are_not_imported() -> None:
    code = "import sys, numpy as np; from common.arrays import distinct; distinct(np.ones(3)); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=STEPS, capture_output=True, text=True, check=True)
    assert "common.arrays" in found.stdout.split()
    assert "numpy.ma" not in found.stdout.split()
