"""``ManifestType: ATHENA_DATA``: the objects that hold the items are listed in the CSV file of Athena's UNLOAD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genomics_pipeline.engine.distributed_map.item_reader import csv
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems


def uris(manifest: Iterable[bytes]) -> Iterator[str]:
    """Yield the objects' URIs.

    Raises:
        UnreadableItems: if the content is not such a manifest.
    """
    for chunk in csv.read(manifest, headers=["uri"]):
        for row in chunk:
            if not row["uri"].startswith("s3://"):
                raise UnreadableItems(f"expected the s3:// URI of an object in every line, found {row['uri']}")
            yield row["uri"]
