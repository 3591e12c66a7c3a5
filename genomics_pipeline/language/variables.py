"""The assignment of variables, within AWS's limits (developer guide, workflow-variables, "Limits").

The way that sizes are counted, and the causes: radkawar/stackd, testdata/aws/stepfunctions/variable_limits.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.language.errors import DATA_LIMIT_EXCEEDED, StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps


def assign(state: str, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables in scope after a state's ``Assign``.

    >>> assign("A", {"x": 1, "y": 2}, {"x": 3})
    {'x': 3, 'y': 2}

    Args:
        state: The state's name.
        before: The variables before it.
        values: The variables that it assigns.

    Raises:
        StatesError: ``States.DataLimitExceeded``.
    """
    size = 0
    for name, value in values.items():
        variable_size = len(dumps(value))
        size += variable_size
        assigned = f"Variable '{name}' in state '{state}' was assigned {variable_size} bytes"
        if variable_size > quotas.ASSIGN.value:
            raise _limit_exceeded(f"Variable size limit exceeded. {assigned}.")
        if size > quotas.ASSIGN.value:
            raise _limit_exceeded(
                f"State total variable size limit exceeded. {assigned}, which caused the size of variables assigned in "
                f"the state to exceed its limit by {size - quotas.ASSIGN.value} bytes."
            )
    after = {**before, **values}
    total = sum(len(dumps(value)) for value in after.values())
    if total > quotas.VARIABLES.value:
        raise _limit_exceeded(
            f"Execution total variable size limit exceeded. State '{state}' assigned variables that exceed the total "
            f"execution limit by {total - quotas.VARIABLES.value} bytes."
        )
    return after


def _limit_exceeded(cause: str) -> StatesError:
    return StatesError(DATA_LIMIT_EXCEEDED, cause, location="Assign")
