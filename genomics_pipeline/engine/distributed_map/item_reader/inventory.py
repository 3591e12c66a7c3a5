"""``ManifestType: S3_INVENTORY``: the items are the rows of the CSV files that a manifest.json names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model.json_text import loads

_EXPECTED = "expected the manifest.json of an S3 Inventory in CSV"


def rows(manifest: bytes, config: ReaderConfig) -> tuple[Iterator[str], ReaderConfig]:
    """Return the files' URIs, and how they are read: without a header row, by the manifest's ``fileSchema``.

    Raises:
        UnreadableItems: if it is no such manifest.
    """
    try:
        found = loads(manifest)
        form = found["fileFormat"]
        headers = [name.strip() for name in found["fileSchema"].split(",")]
        bucket = found["destinationBucket"].rpartition(":")[2]
        keys = [file["key"] for file in found["files"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableItems(f"{_EXPECTED}: {type(error).__name__}: {error}") from error
    if form != "CSV":
        raise UnreadableItems(f"{_EXPECTED}, found fileFormat {form}")
    return (f"s3://{bucket}/{key}" for key in keys), replace(
        config, input_type="CSV", csv_headers=headers, csv_delimiter=","
    )
