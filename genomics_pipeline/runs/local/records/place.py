"""The records that the argument RECORDS names: a file or a folder of this machine, an object or a prefix in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from genomics_pipeline.asl.record_budget import check_folders
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.record_input import RecordsPlace
from genomics_pipeline.model.record_source import SHEET, VCF, RecordSource
from genomics_pipeline.model.s3_uri import split_prefix
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.runs.run_folder import BUCKET as RUN_BUCKET
from genomics_pipeline.runs.sheet_lanes import read_sheet_lanes
from genomics_pipeline.runs.vcf_records import read_vcf_shards
from genomics_pipeline.stores.protocol import ObjectInfo
from genomics_pipeline.stores.routed import RoutedStore

# The bucket that stands for the folder around the records. Names of S3 buckets have no upper-case letters.
BUCKET = "RECORDS"


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """The records of a run.

    Attributes:
        place: Their place, in the execution's input.
        version: The sha256 of the versions of their objects.
        buckets: The folder of this machine that stands for their bucket, if there is one.
        texts: Returns the records that the run writes into its folder: those of a sample sheet, or of a VCF; None for
            other records.
        contigs: The contigs with records of a VCF.
    """

    place: RecordsPlace
    version: str
    buckets: Mapping[str, Path] = field(default_factory=dict)
    texts: Callable[[], Iterable[str]] | None = None
    contigs: tuple[str, ...] = ()


def find_records(text: str, source: RecordSource, store: RoutedStore, parts: int) -> FoundRecords:
    """Return the records that an argument names.

    Args:
        text: The argument: the place of records, a sample sheet, or a VCF.
        source: The form that the pipeline reads.
        store: The store that reads them.
        parts: The number of Map Runs among which the folders below a prefix are divided.

    Raises:
        DataError: if there are none, or in another form than the pipeline reads.
    """
    if source.format == SHEET:
        return _lanes(text, store)
    if source.format == VCF:
        return _shards(text, source, store)
    buckets: dict[str, Path] = {}
    if text.startswith("s3://"):
        bucket, key = split_prefix(text)
    else:
        if "://" in text:
            expected = "expected a path or an s3:// URI, which an ItemReader can read"
            raise DataError(f"{without_secrets(text)}: {expected}; download it first")
        path = Path(text).resolve()
        bucket, key = BUCKET, f"{path.name}/" if path.is_dir() else path.name
        buckets = {BUCKET: path.parent}
    if message := source.place_misfit(key):
        raise DataError(f"{text}: {message}")
    objects = _objects(text, f"s3://{bucket}/{key}", source, store.with_buckets(buckets))
    prefixes = _prefixes(objects, f"s3://{bucket}/", key) if parts > 1 else ()
    check_folders(text, prefixes)
    digest = sha256()
    for one in objects:
        digest.update(f"{one.uri}\0{one.size_bytes}\0{one.version}\n".encode())
    return FoundRecords(RecordsPlace(bucket, key, prefixes), digest.hexdigest(), buckets)


def _lanes(sheet: str, store: RoutedStore) -> FoundRecords:
    """Return the lanes of a sample sheet, with the versions of files that are on this machine."""
    lanes = read_sheet_lanes(sheet)
    here = (uri for uri in lanes.files() if "://" not in uri)
    versions = (f"{uri}\0{info.version}" for uri in here if (info := store.stat(uri)) is not None)
    return FoundRecords(RecordsPlace(RUN_BUCKET, run_layout.RECORDS), lanes.digest(versions), texts=lanes.texts)


def _shards(vcf: str, source: RecordSource, store: RoutedStore) -> FoundRecords:
    """Return the shards of a VCF, with the versions of it and of its index."""
    found = read_vcf_shards(vcf, source.shard_bytes, store, str(Path.cwd()))
    digest = sha256(f"{found.text}\0{found.version}".encode()).hexdigest()
    place = RecordsPlace(RUN_BUCKET, run_layout.RECORDS)
    return FoundRecords(place, digest, texts=lambda: [found.text], contigs=found.contigs)


def _objects(text: str, uri: str, source: RecordSource, store: RoutedStore) -> list[ObjectInfo]:
    if source.listed:
        objects = list(store.list(uri))
        if not objects:
            raise DataError(f"{text}: expected objects below this prefix, found none")
        return objects
    if (info := store.stat(uri)) is None:
        raise DataError(f"{text}: expected a file of records, found none")
    if info.size_bytes == 0:
        raise DataError(f"{text}: expected records ({source.format}), found an empty file")
    return [info]


def _prefixes(objects: list[ObjectInfo], bucket: str, prefix: str) -> tuple[str, ...]:
    """Return the folders directly below a prefix, which several Map Runs divide among them."""
    below = (one.uri.removeprefix(f"{bucket}{prefix}") for one in objects)
    folders = sorted({f"{prefix}{name.partition('/')[0]}/" for name in below if "/" in name})
    return tuple(folders) or (prefix,)
