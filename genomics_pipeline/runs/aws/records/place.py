"""The records that the argument RECORDS of `submit` names: an object or a prefix in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from genomics_pipeline.asl.record_budget import check_folders
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.objects import head
from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.aws.stack import describe, parameter_values
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.pipeline import MapSettings, Pipeline
from genomics_pipeline.model.record_input import RecordsPlace
from genomics_pipeline.model.record_source import VCF
from genomics_pipeline.model.s3_uri import object_misfit, split_prefix
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.sheet_lanes import SheetLanes
from genomics_pipeline.runs.vcf_records import read_vcf_shards
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
        texts: Returns the records that the run uploads: the lanes of a sample sheet, or the shards of a VCF; None for
            records that are in S3.
        contigs: The contigs with records of a VCF.
        uris: The objects that have content; none where the run uploads its records.
    """

    place: RecordsPlace
    version: str
    objects: int
    size_bytes: int
    buckets: frozenset[str]
    texts: Callable[[], Iterable[str]] | None = None
    contigs: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


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
    uris = tuple(one.uri for one in objects if one.size_bytes)
    return RecordsOnS3(place, digest.hexdigest(), len(objects), size, frozenset([bucket]), uris=uris)


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
    problems = list(_uri_problems(lanes.files()))
    if problems:
        raise DataError(problems)
    clients.s3  # noqa: B018 # created before threads use it
    size, objects, buckets = 0, 0, set[str]()

    def versions() -> Iterator[str]:
        nonlocal size, objects
        files = (uri for uri in lanes.files() if not is_web(uri))
        for uri, found in in_parallel(lambda uri: (uri, head(uri, clients)), files):
            buckets.add(split_prefix(uri)[0])
            size, objects = size + (found.size_bytes if found else 0), objects + (found is not None)
            yield found.version if found else ""

    digest = lanes.digest(versions())
    return RecordsOnS3(RecordsPlace("", ""), digest, objects, size, frozenset(buckets), lanes.texts)


def shards_on_s3(vcf: str, shard_bytes: int, store: Store) -> RecordsOnS3:
    """Return the shards of a VCF in S3, or on a web server.

    Args:
        vcf: The URI of the VCF.
        shard_bytes: The compressed size of a shard, about.
        store: The store that reads it.

    Raises:
        UsageError: without a VCF.
        DataError: for a file of this machine, and a VCF that cannot be divided.
    """
    if vcf and not (vcf.startswith("s3://") or is_web(vcf)):
        raise DataError(f"{vcf}: expected a VCF on S3, found a file of this machine; upload it with its index")
    found = read_vcf_shards(vcf, shard_bytes, store, "/")
    digest = sha256(f"{found.text}\0{found.version}".encode()).hexdigest()
    buckets = frozenset() if is_web(vcf) else frozenset([split_prefix(vcf)[0]])
    return RecordsOnS3(RecordsPlace("", ""), digest, 1, found.size_bytes, buckets, lambda: [found.text], found.contigs)


def joined_problem(pipeline: Pipeline, vcf: str, found: RecordsOnS3) -> Problem | None:
    """Return why the stage that gathers could not write one file of all shards, or None.

    Args:
        pipeline: The pipeline.
        vcf: The VCF, for messages.
        found: Its shards; other records have no size that says so.
    """
    stage = pipeline.gather_stage
    if pipeline.maps[RECORD].source.format != VCF or stage is None or not stage.step.outputs:
        return None
    most = stage.step.resources.ephemeral_storage_mib << 20
    if found.size_bytes <= most:
        return None
    expected = (
        f"expected a VCF of at most {most:,} bytes, the ephemeral storage in which the stage {stage.name} joins shards"
    )
    return Problem(f"{expected}, found {found.size_bytes:,}; submit its contigs in runs of their own", vcf)


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
