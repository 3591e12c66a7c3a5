"""The run that a Batch job belongs to: runs of a stack share its queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from genomics_pipeline.model.task import PAYLOAD_VARIABLE, RunPlace

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef


def is_job_of(place: RunPlace, job: JobDetailTypeDef) -> bool:
    """Return whether a job belongs to a run, by its payload: names of other runs' jobs may begin like its own."""
    environment = job.get("container", {}).get("environment", ())
    text = next((one["value"] for one in environment if one["name"] == PAYLOAD_VARIABLE), "")
    if text.startswith("s3://"):
        return text.startswith(place.uri(""))
    try:
        return bool(RunPlace(**json.loads(text)["run"]) == place)
    except (ValueError, KeyError, TypeError):
        return False
