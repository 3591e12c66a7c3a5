"""``s3:listObjectsV2``: the items are the objects that begin with a Prefix, described."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from genomics_pipeline.stores.protocol import ObjectInfo

_CHUNK = 1000


def describe(objects: Iterable[ObjectInfo]) -> Iterator[list[dict[str, Any]]]:
    """Yield the items, many at once. ``LastModified`` is in seconds since the epoch; no member names the bucket.

    Members and their order as recorded: radkawar/stackd testdata/aws/stepfunctions/distributed_map.json, s3_metadata.
    """
    found = iter(objects)
    while chunk := list(islice(found, _CHUNK)):
        yield [
            {
                "Etag": f'"{one.version}"',
                "Key": one.uri.split("/", 3)[3],
                "LastModified": one.modified,
                "Size": one.size_bytes,
                "StorageClass": one.storage_class,
            }
            for one in chunk
        ]


def loadable(objects: Iterable[ObjectInfo]) -> Iterator[str]:
    """``LOAD_AND_FLATTEN``: the URIs of the objects whose items are read; a folder of the console is none of them."""
    return (one.uri for one in objects if not (one.uri.endswith("/") and one.size_bytes == 0))
