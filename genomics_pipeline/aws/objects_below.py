"""The objects below a prefix of a bucket, or all of their versions, and their deletion a thousand at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.patience import ROUNDS, THROTTLED, pause_s
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.quantity import quantity

_RETRIED = (*THROTTLED, "InternalError")  # error codes of single objects in an answer, which botocore does not retry


@dataclass(frozen=True, slots=True)
class BatchOfObjects:
    """Some objects or versions, at most as many as one request deletes: one page of a list.

    Attributes:
        objects: Each object as DeleteObjects names it, by its ``Key``, and for a version by its ``VersionId`` too.
        size_bytes: Their size.
    """

    objects: tuple[Mapping[str, str], ...] = ()
    size_bytes: int = 0

    def __add__(self, other: BatchOfObjects) -> BatchOfObjects:
        return BatchOfObjects(self.objects + other.objects, self.size_bytes + other.size_bytes)

    def divide(self, keys: frozenset[str]) -> tuple[BatchOfObjects, BatchOfObjects]:
        """Return the objects with other keys, and those with one of the given keys; their sizes are not kept."""
        parts = ([one for one in self.objects if (one["Key"] in keys) is chosen] for chosen in (False, True))
        others, chosen = (BatchOfObjects(tuple(part)) for part in parts)
        return others, chosen


def objects_below(bucket: str, prefix: str, versions: bool, clients: Clients) -> Iterator[BatchOfObjects]:
    """Yield the objects below a prefix.

    Args:
        bucket: The bucket.
        prefix: The prefix; empty for all objects.
        versions: List all versions of objects, and delete markers, instead of the current objects.
        clients: The AWS clients.

    Raises:
        RunError: if AWS refuses.
    """
    operation = "list_object_versions" if versions else "list_objects_v2"
    pages: Any = clients.s3.get_paginator(operation)  # type: ignore[call-overload]
    with aws_call(f"list s3://{bucket}/{prefix}"):
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            found = [one for kind in ("Contents", "Versions", "DeleteMarkers") for one in page.get(kind, ())]
            if found:
                objects = ({name: one[name] for name in ("Key", "VersionId") if name in one} for one in found)
                yield BatchOfObjects(tuple(objects), sum(one.get("Size", 0) for one in found))


def delete_batch(
    bucket: str, batch: BatchOfObjects, clients: Clients, pause: Callable[[float], None] = time.sleep
) -> None:
    """Delete objects with one request, and those that S3 was too busy for with further ones.

    Args:
        bucket: The bucket.
        batch: The objects.
        clients: The AWS clients.
        pause: Waits for the given number of seconds.

    Raises:
        RunError: if AWS refuses; what was deleted stays deleted.
    """
    left = list(batch.objects)
    for round_ in range(ROUNDS):
        if not left:
            return
        with aws_call(f"delete objects of s3://{bucket}"):
            answer = clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": left, "Quiet": True})  # type: ignore[typeddict-item]
        errors = answer.get("Errors", [])
        refused = [error for error in errors if error["Code"] not in _RETRIED]
        if refused or (errors and round_ == ROUNDS - 1):
            first = (refused or errors)[0]
            shown = f"{first['Key']}: {first['Message']}"
            raise RunError(f"cannot delete {quantity(len(errors), 'object')} of s3://{bucket}, such as {shown}")
        left = [{name: error[name] for name in ("Key", "VersionId") if error.get(name)} for error in errors]
        if left:
            pause(pause_s(round_))
