"""``ManifestType: S3_INVENTORY``: the items are the rows of the CSV files that an inventory's manifest.json lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import UnreadableItems
from genomics_pipeline.model.json_text import loads

_EXPECTED = "expected the manifest.json of an S3 Inventory in CSV"


def files(manifest: bytes, config: ReaderConfig) -> tuple[Iterator[str], ReaderConfig]:
    """Return the URIs of the inventory's files, and the configuration to read them.

    The files have no header row; the manifest's ``fileSchema`` names their columns.

    Raises:
        UnreadableItems: if the content is not such a manifest.
    """
    try:
        inventory = loads(manifest)
        file_format = inventory["fileFormat"]
        headers = [name.strip() for name in inventory["fileSchema"].split(",")]
        bucket = inventory["destinationBucket"].rpartition(":")[2]
        keys = [file["key"] for file in inventory["files"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableItems(f"{_EXPECTED}: {type(error).__name__}: {error}") from error
    if file_format != "CSV":
        raise UnreadableItems(f"{_EXPECTED}, found fileFormat {file_format}")
    return (f"s3://{bucket}/{key}" for key in keys), replace(
        config, input_type="CSV", csv_headers=headers, csv_delimiter=","
    )
