"""The size of a job's container overrides, as ECS counts it when Batch starts the job.

It counts the characters of the overrides as JSON text, with brackets, names and quotes (Amazon ECS API reference,
RunTask): a payload, which is JSON in JSON, has each of its own quotes escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact

# The StatusReason of a job with more, recorded: Netflix/metaflow issues 977 and 1482, ASFHyP3/hyp3 issue 3041.
OVERRIDES_TOO_LONG = f"Container Overrides length must be at most {quotas.CONTAINER_OVERRIDES.value}"

# The part that a job of ours may use. The rest is for what Step Functions and Batch add: the container's name and the
# variables MANAGED_BY_AWS, AWS_BATCH_JOB_ID, AWS_BATCH_JOB_ATTEMPT, AWS_BATCH_JQ_NAME and AWS_BATCH_CE_NAME.
OVERRIDES_BUDGET = 7_300


def overrides_length(overrides: Mapping[str, Any]) -> int:
    """Return the number of characters of container overrides as JSON text.

    >>> overrides_length({"Environment": [{"Name": "A", "Value": '"'}]})
    43
    """
    return len(compact(overrides))
