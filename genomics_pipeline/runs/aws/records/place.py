"""The records that the argument RECORDS of `submit` names: an object or a prefix in S3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from genomics_pipeline.asl.record_budget import check_folders
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.objects import head
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.aws.stack import describe, parameter_values
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.pipeline import MapSettings
from genomics_pipeline.model.record_input import RecordsPlace
from genomics_pipeline.model.s3_uri import object_misfit, split_prefix
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.sheet_lanes import SheetLanes
from genomics_pipeline.stores.protocol import ObjectInfo, Store


@dataclass(frozen=True, slots=True)
class RecordsOnS3:
    """The records of a run.

    Attributes:
        place: Their place, in the execution's input.
        version: The sha256 of the versions of their objects.
        objects: The number of objects.
        size_bytes: Their size.
        buckets: The buckets that the run reads: that of the records, or of the files that they name.
        text: The lanes of a sample sheet, which the run uploads as its records.
    """

    place: RecordsPlace
    version: str
    objects: int
    size_bytes: int
    buckets: frozenset[str]
    text: str = ""


def find_on_s3(text: str, settings: MapSettings, store: Store) -> RecordsOnS3:
    """Return the records that an argument names.

    Args:
        text: The argument.
        settings: The settings of the map over records.
        store: The store that reads them.

    Raises:
        DataError: if there are none, or in another form than the pipeline reads.
    """
    source, shown = settings.source, without_secrets(text)
    if not text.startswith("s3://"):
        kind = "a prefix" if source.listed else "an object"
        expected = f"expected the s3:// URI of {kind}, which Step Functions reads"
        raise DataError(f"{shown or 'RECORDS'}: {expected}; found {'a path' if text else 'none'}")
    bucket, key = split_prefix(text)
    if message := source.place_misfit(key):
        raise DataError(f"{shown}: {message}")
    objects = list(store.list(f"s3://{bucket}/{key}")) if source.listed else _object(text, store)
    if not objects:
        raise DataError(
            f"{shown}: expected {'objects below this prefix' if source.listed else 'an object'}, found none"
        )
    for one in objects:
        if one.size_bytes > quotas.READER_OBJECT.value:
            raise DataError(f"{one.uri}: AWS allows {quotas.READER_OBJECT} in an object, found {one.size_bytes}")
    if not sum(one.size_bytes for one in objects):
        raise DataError(f"{shown}: expected records ({source.format}), found nothing but empty objects")
    prefixes = _folders(objects, f"s3://{bucket}/", key) if settings.map_runs > 1 else ()
    check_folders(shown, prefixes)
    digest = sha256()
    for one in objects:
        digest.update(f"{one.uri}\0{one.size_bytes}\0{one.version}\n".encode())
    place = RecordsPlace(bucket, key, prefixes)
    size = sum(one.size_bytes for one in objects)
    return RecordsOnS3(place, digest.hexdigest(), len(objects), size, frozenset([bucket]))


def lanes_on_s3(lanes: SheetLanes, clients: Clients) -> RecordsOnS3:
    """Return the lanes of a sample sheet, whose files are in S3 or on web servers.

    The versions of those in S3 are looked up, in parallel. A file that is not there is one of the failures of the run,
    with all others.

    Args:
        lanes: The lanes.
        clients: The AWS clients.

    Raises:
        DataError: for files of this machine, and URIs that AWS does not allow.
        RunError: if S3 cannot be reached.
    """
    problems = list(_uri_problems(lanes.files))
    if problems:
        raise DataError(problems)
    files = [uri for uri in lanes.files if not is_web(uri)]
    clients.s3  # noqa: B018 # created before threads use it
    digest, size, objects = sha256(lanes.text.encode()), 0, 0
    for found in in_parallel(lambda uri: head(uri, clients), files):
        digest.update(f"{found.version if found else ''}\n".encode())
        size, objects = size + (found.size_bytes if found else 0), objects + (found is not None)
    buckets = frozenset(split_prefix(uri)[0] for uri in files)
    return RecordsOnS3(RecordsPlace("", ""), digest.hexdigest(), objects, size, buckets, lanes.text)


def _uri_problems(files: Iterable[str]) -> Iterator[Problem]:
    for uri in files:
        if uri.startswith("s3://"):
            message = object_misfit(uri)
        else:
            message = None if is_web(uri) else "expected a FASTQ file on S3, found a file of this machine; upload it"
        if message:
            yield Problem(message, uri)


def _object(uri: str, store: Store) -> list[ObjectInfo]:
    found = store.stat(uri)
    return [] if found is None else [found]


def _folders(objects: list[ObjectInfo], bucket: str, prefix: str) -> tuple[str, ...]:
    """Return the folders directly below a prefix, each of which a Map Run reads.

    Raises:
        DataError: for an object that is in none of them, since no Map Run would read it.
    """
    names = [one.uri.removeprefix(f"{bucket}{prefix}") for one in objects]
    if beside := [name for name in names if "/" not in name]:
        expected = "expected objects in folders below this prefix only, since the pipeline has map_runs"
        raise DataError(f"{bucket}{prefix}: {expected}; found {beside[0]!r} beside them")
    return tuple(sorted({f"{prefix}{name.partition('/')[0]}/" for name in names}))


def bucket_problem(bucket: str, own: str, stack: str, adapters: Adapters) -> str | None:
    """Return why the state machines of a stack may not read records of a bucket, or None.

    Args:
        bucket: The bucket.
        own: The bucket of the stack.
        stack: The stack.
        adapters: The AWS clients.

    Raises:
        RunError: if AWS cannot be reached.
    """
    if bucket == own:
        return None
    values = parameter_values(describe(stack, adapters.clients))
    if any(one.endswith(f":{bucket}") for one in values.get("InputBuckets", "").split(",")):
        return None
    advice = f"genomics-pipeline deploy --parameter InputBuckets=arn:aws:s3:::{bucket}"
    return f"expected a bucket that the stack {stack} may read: its own, {own}, or one of InputBuckets ({advice})"
