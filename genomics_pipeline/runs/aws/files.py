"""Checks of the files that a run on AWS reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.objects import bucket_region, head
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.s3_uri import object_misfit, split_object
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.runs.given_files import RequiredFile, reads
from genomics_pipeline.stores.web_store import WebStore


def file_problems(
    required: Iterable[RequiredFile], bucket: str, clients: Clients, sizes: dict[str, int] | None = None
) -> Iterator[tuple[RequiredFile, Problem]]:
    """Yield the files that cannot be used, each with its problem, in their order.

    Args:
        required: The files; they are checked in parallel.
        bucket: The bucket of the stack, to which files of this machine could be uploaded.
        clients: The AWS clients.
        sizes: Gets the size in bytes of each file that can be used, by its URI.

    Raises:
        RunError: if S3 cannot be reached.
    """
    known: dict[str, int] = {} if sizes is None else sizes
    clients.s3  # noqa: B018 # created before threads use it

    def check(one: RequiredFile) -> tuple[RequiredFile, Problem] | None:
        message = _problem(one, bucket, clients, known)
        return (one, Problem(f"{one.user}: {message}", one.uri)) if message else None

    yield from filter(None, in_parallel(check, required))


def _problem(required: RequiredFile, bucket: str, clients: Clients, sizes: dict[str, int]) -> str | None:
    if required.uri.startswith("s3://"):
        return _misfit(required, clients, sizes)
    return _web_misfit(required, sizes) if is_web(required.uri) else _upload_advice(required, bucket)


def _web_misfit(required: RequiredFile, sizes: dict[str, int]) -> str | None:
    try:
        found = WebStore().stat(required.uri)
    except DataError as error:
        return str(error).removeprefix(f"{without_secrets(required.uri)}: ")
    if found is None:
        return f"expected {required.kind}, found no such file"
    sizes[required.uri] = found.size_bytes
    return None if found.size_bytes else f"expected {required.kind}, found an empty one"


def _misfit(required: RequiredFile, clients: Clients, sizes: dict[str, int]) -> str | None:
    if message := object_misfit(required.uri):
        return message
    found = head(required.uri, clients)
    if found is None:
        return f"expected {required.kind}, found no such file"
    if found.missing:
        return f"expected {required.kind}, found {found.missing}; or it does not exist"
    if found.archive:
        return f"expected {required.kind} that is not archived, found it in {found.archive}; restore it first"
    sizes[required.uri] = found.size_bytes
    return None if found.size_bytes else f"expected {required.kind}, found an empty one"


def _upload_advice(required: RequiredFile, bucket: str) -> str:
    path = required.uri.removeprefix("file://")
    if required.kind == "a file":
        upload = f"aws s3 cp {path} s3://{bucket}/files/"
    else:
        folder = posixpath.dirname(path)
        upload = f"aws s3 sync {folder} s3://{bucket}/reads/{posixpath.basename(folder)}"
    return f"expected {required.kind} on S3, found a file of this machine; upload it: {upload}"


def region_warnings(samples: Iterable[Sample], region: str, clients: Clients) -> Iterator[str]:
    """Yield a warning for each bucket with reads in another Region: AWS charges for the transfer by the GB.

    Args:
        samples: The samples.
        region: The Region of the stack.
        clients: The AWS clients.
    """
    buckets = {split_object(file.uri)[0] for file in reads(samples) if file.uri.startswith("s3://")}
    for bucket in sorted(buckets):
        bucket_home = bucket_region(bucket, clients)
        if bucket_home not in (None, region):
            regions = f"s3://{bucket} is in {bucket_home}, the stack in {region}"
            yield f"{regions}: AWS charges every GB read between regions; copy the reads into {region} first"
