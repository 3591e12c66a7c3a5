"""The handler of a step on Lambda: the entry point of AWS's runtime interface client in the step's image.

================================  ==============================================================
``GENOMICS_PIPELINE_STEP``        the step's folder
``GENOMICS_PIPELINE_BUCKETS``     JSON: local folders by bucket, for runs on this machine
``TMPDIR``                        the folder for copies of files that parameters name
================================  ==============================================================
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from genomics_pipeline.model.json_text import loads
from genomics_pipeline.stores.client_config import honour_region
from genomics_pipeline.worker.adapters import make_store
from genomics_pipeline.worker.step_function import StepFunction, step_function


@cache
def function() -> StepFunction:
    """Return the function of this process's step, which is read by the first call.

    Raises:
        DataError: for a step that cannot be read.
    """
    honour_region(os.environ)
    return step_function(os.environ, make_store)


def handler(event: Any, context: object) -> dict[str, Any]:
    """Answer a call as Lambda makes it; see `StepFunction.answer`.

    Args:
        event: The payload.
        context: Lambda's context object, which is not used.
    """
    answer: dict[str, Any] = loads(function().answer(event))
    return answer
