"""The attempts of a stage that failed: as a definition keeps them, and as it names them to the job that follows.

A job finds them in `task.TRIED_VARIABLE`, so that its worker can record those that left no record of their own:
``[timeout 4096 7c1f…,out_of_memory 4096 09ab…]``, class, memory in MiB and id of each, the oldest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import TRIED_VARIABLE


@dataclass(frozen=True, slots=True)
class StageTry:
    """One attempt of a stage that failed.

    Attributes:
        failure_class: The class of its failure.
        memory_mib: The memory of its job.
        job_id: The Batch job; None where none was submitted, or the failure does not name it.
    """

    failure_class: FailureClass
    memory_mib: int | None = None
    job_id: str | None = None


def parse_tries(text: str) -> tuple[StageTry, ...]:
    """Return the attempts that a job's variable names.

    >>> parse_tries("[timeout 4096 7c1f,host_lost 4096 ]")[1]
    StageTry(failure_class=<FailureClass.HOST_LOST: 'host_lost'>, memory_mib=4096, job_id=None)
    >>> parse_tries("[]")
    ()

    Raises:
        DataError: for any other text.
    """
    try:
        if not (text.startswith("[") and text.endswith("]")):
            raise ValueError(text)
        return tuple(map(_try, text[1:-1].split(","))) if text != "[]" else ()
    except ValueError:
        expected = "expected failed attempts such as [timeout 4096 7c1f]"
        raise DataError(f"{TRIED_VARIABLE}: {expected}, found {text!r}") from None


def _try(text: str) -> StageTry:
    failure_class, memory, job_id = text.split(" ")
    return StageTry(FailureClass(failure_class), int(memory), job_id or None)


def unrecorded(tried: Sequence[StageTry], recorded: Sequence[str]) -> Sequence[StageTry]:
    """Return the attempts that followed the newest one with a record.

    Args:
        tried: The attempts of a stage, the oldest first.
        recorded: The jobs that have records.

    >>> tries = [StageTry(FailureClass.TIMEOUT, 1, "a"), StageTry(FailureClass.TIMEOUT, 1, "b")]
    >>> [one.job_id for one in unrecorded(tries, ["a"])]
    ['b']
    """
    known = [number for number, one in enumerate(tried, 1) if one.job_id in recorded]
    return tried[max(known, default=0) :]
