"""Requests that Batch refuses: too large ones, and jobs with other names than it allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from genomics_pipeline.engine.tasks.aws_response import optimised_cause
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.job_name import is_job_name
from genomics_pipeline.model.json_text import compact


def check_request(name: str, arguments: Mapping[str, Any]) -> None:
    """Refuse the arguments of SubmitJob that Batch would refuse.

    Args:
        name: ``JobName``.
        arguments: All of them.

    Raises:
        StatesError: ``Batch.ClientException``, with Batch's message, recorded: ASFHyP3/hyp3 issue 3041 (size),
            nextflow-io/nextflow issue 822 (name, also for one that is too long).
    """
    if (size := len(compact(arguments).encode())) > quotas.SUBMIT_JOB.value:
        most, found = (number // 1024 for number in (quotas.SUBMIT_JOB.value, size))
        raise _refusal(f"Job size must be less than {most} KiB, got {found} KiB")
    if not is_job_name(name):
        raise _refusal("Job name should match valid pattern")


def _refusal(problem: str) -> StatesError:
    message = f"Error executing request, Exception : {problem}, RequestId: {uuid4()}"
    return StatesError("Batch.ClientException", optimised_cause(message, "AWSBatch", 400, "ClientException"))
