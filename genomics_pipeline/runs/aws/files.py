"""Checks of the files that a run on AWS reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.objects import Head, bucket_region, head
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.stores.s3 import split


class RequiredFile(NamedTuple):
    """A file that is needed.

    Attributes:
        uri: Its URI, or a path.
        user: What needs it, for messages.
        kind: What it should be, for messages.
    """

    uri: str
    user: str
    kind: str


def reads(samples: Iterable[Sample]) -> Iterator[RequiredFile]:
    """Yield the FASTQ files of a manifest."""
    for sample in samples:
        for lane in sample.lanes:
            for uri in filter(None, (lane.fastq_1, lane.fastq_2)):
                yield RequiredFile(uri, f"sample {sample.sample}, lane {lane.lane}", "a FASTQ file")


def parameter_files(pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]) -> Iterator[RequiredFile]:
    """Yield the files that parameters name."""
    for stage in pipeline.stages:
        given = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        for name, spec in stage.step.parameters.items():
            value = given.get(name, spec.default)
            if spec.type == "file" and isinstance(value, str) and value:
                yield RequiredFile(value, f"parameter {stage.name}.{name}", "a file")


def problems(wanted: Iterable[RequiredFile], bucket: str, clients: Clients) -> Iterator[Problem]:
    """Yield the problems of files, in their order.

    Args:
        wanted: The files; those on S3 are looked at in parallel.
        bucket: The stack's, where files of this machine could be uploaded to.
        clients: boto3's.

    Raises:
        RunError: if S3 cannot be asked.
    """
    clients.s3  # noqa: B018 # made before threads ask for it

    def look(one: RequiredFile) -> Problem | None:
        message = _misfit(one, head(one.uri, clients)) if one.uri.startswith("s3://") else _local(one, bucket)
        return Problem(f"{one.user}: {message}", one.uri) if message else None

    yield from filter(None, in_parallel(look, wanted))


def _misfit(wanted: RequiredFile, found: Head | None) -> str | None:
    if found is None:
        return f"expected {wanted.kind}, found no such file"
    if found.forbidden:
        return f"expected {wanted.kind}, found 403 Forbidden: it is not there, or it may not be read"
    if found.archive:
        return f"expected {wanted.kind} that can be read at once, found it archived ({found.archive}); restore it first"
    return None if found.size_bytes else f"expected {wanted.kind}, found an empty one"


def _local(wanted: RequiredFile, bucket: str) -> str:
    path = wanted.uri.removeprefix("file://")
    if wanted.kind == "a file":
        upload = f"aws s3 cp {path} s3://{bucket}/files/"
    else:
        folder = posixpath.dirname(path)
        upload = f"aws s3 sync {folder} s3://{bucket}/reads/{posixpath.basename(folder)}"
    return f"expected {wanted.kind} on S3, found one of this machine; upload it: {upload}"


def region_warnings(samples: Iterable[Sample], region: str, clients: Clients) -> Iterator[str]:
    """Yield a warning for each bucket with reads in another region: AWS charges their transfer by the GB."""
    buckets = {split(wanted.uri)[0] for wanted in reads(samples) if wanted.uri.startswith("s3://")}
    for bucket in sorted(buckets):
        found = bucket_region(bucket, clients)
        if found not in (None, region):
            place = f"s3://{bucket} is in {found}, the stack in {region}"
            yield f"{place}: AWS charges every GB read between regions; copy the reads into {region} first"
