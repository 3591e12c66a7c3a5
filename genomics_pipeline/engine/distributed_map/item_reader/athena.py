"""``ManifestType: ATHENA_DATA``: the items are those of the objects whose URIs Athena's UNLOAD listed in a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genomics_pipeline.engine.distributed_map.item_reader import csv
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems


def uris(manifest: Iterable[bytes]) -> Iterator[str]:
    """Yield the objects' URIs.

    Raises:
        UnreadableItems: if it is no such manifest.
    """
    for chunk in csv.read(manifest, given=["uri"]):
        for row in chunk:
            if not row["uri"].startswith("s3://"):
                raise UnreadableItems(f"expected the s3:// URI of an object in every line, found {row['uri']}")
            yield row["uri"]
