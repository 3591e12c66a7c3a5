"""``s3:listObjectsV2``: the items are descriptions of the objects with a prefix, or are read from these objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from genomics_pipeline.stores.protocol import ObjectInfo

_CHUNK = 1000


def describe(objects: Iterable[ObjectInfo]) -> Iterator[list[dict[str, Any]]]:
    """Yield descriptions of the objects, in chunks; ``LastModified`` is in seconds since the epoch.

    Members and their order as recorded: radkawar/stackd testdata/aws/stepfunctions/distributed_map.json, s3_metadata.
    """
    remaining = iter(objects)
    while chunk := list(islice(remaining, _CHUNK)):
        yield [
            {
                "Etag": f'"{info.version}"',
                "Key": info.uri.split("/", 3)[3],
                "LastModified": info.modified,
                "Size": info.size_bytes,
                "StorageClass": info.storage_class,
            }
            for info in chunk
        ]


def loadable_uris(objects: Iterable[ObjectInfo]) -> Iterator[str]:
    """Return the URIs of the objects to read for ``LOAD_AND_FLATTEN``, without the S3 console's folder objects."""
    return (info.uri for info in objects if not (info.uri.endswith("/") and info.size_bytes == 0))
