"""ReaderConfig: how the objects of an ItemReader are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.distributed_map.item_reader.csv import DELIMITERS
from genomics_pipeline.engine.distributed_map.item_reader.limits import MAX_ITEMS
from genomics_pipeline.engine.errors import ITEM_READER_FAILED, StatesError
from genomics_pipeline.engine.query_language import Node
from genomics_pipeline.engine.visit import Visit

INPUT_TYPES = ("CSV", "JSON", "JSONL", "PARQUET")
_AT = "ItemReader/ReaderConfig/"
_MAX_POINTER = 2000  # characters


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """The fields of a ReaderConfig, evaluated.

    Attributes:
        input_type: ``InputType``; None where the objects themselves are the items.
        manifest_type: ``ManifestType``: ``ATHENA_DATA``, ``S3_INVENTORY`` (also of the older ``InputType: MANIFEST``).
        transformation: ``Transformation``: ``NONE``, ``LOAD_AND_FLATTEN``.
        csv_headers: ``CSVHeaders``; None where the first row is the header (``CSVHeaderLocation: FIRST_ROW``).
        csv_delimiter: What ``CSVDelimiter`` stands for.
        items_pointer: ``ItemsPointer``.
        max_items: ``MaxItems``.
    """

    input_type: str | None = None
    manifest_type: str | None = None
    transformation: str = "NONE"
    csv_headers: Sequence[str] | None = None
    csv_delimiter: str = ","
    items_pointer: str = ""
    max_items: int = MAX_ITEMS

    @classmethod
    def of(cls, visit: Visit, reader: Node) -> ReaderConfig:
        """The configuration of a Map state's ItemReader.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        config = reader.get("ReaderConfig", {})

        def field(name: str, default: Any, *known: str) -> Any:
            found = visit.field(config, name, default, _AT)
            if known and found is not None and found not in known:
                raise wrong(name, " or ".join(known), found)
            return found

        input_type = field("InputType", None, *INPUT_TYPES, "MANIFEST")
        manifest_type = field("ManifestType", None, "ATHENA_DATA", "S3_INVENTORY")
        if input_type == "MANIFEST" or manifest_type == "S3_INVENTORY":
            input_type, manifest_type = None, "S3_INVENTORY"
        pointer = field("ItemsPointer", "")
        if not isinstance(pointer, str) or len(pointer) >= _MAX_POINTER or not (pointer + "/").startswith("/"):
            raise wrong("ItemsPointer", f"a JSON Pointer of less than {_MAX_POINTER} characters", pointer)
        return cls(
            input_type,
            manifest_type,
            field("Transformation", "NONE", "NONE", "LOAD_AND_FLATTEN"),
            _headers(field("CSVHeaderLocation", None, "FIRST_ROW", "GIVEN"), field("CSVHeaders", None), input_type),
            DELIMITERS[field("CSVDelimiter", "COMMA", *DELIMITERS)],
            pointer,
            _max_items(visit, config),
        )


def wrong(name: str, expected: str, found: Any) -> StatesError:
    """A field of the ItemReader is not what it must be."""
    return StatesError(ITEM_READER_FAILED, f"ItemReader: {name}: expected {expected}, found {found}")


def _headers(location: str | None, headers: Any, input_type: str | None) -> Sequence[str] | None:
    if input_type != "CSV":
        return None
    if location is None:
        raise wrong("CSVHeaderLocation", "FIRST_ROW or GIVEN", None)
    if location == "FIRST_ROW":
        return None
    if not isinstance(headers, list) or not headers or not all(isinstance(header, str) for header in headers):
        raise wrong("CSVHeaders", "an array of strings", headers)
    return headers


def _max_items(visit: Visit, config: Node) -> int:
    """0 is no limit, and more than AWS allows is cut.

    The causes are AWS's: localstack/localstack test_base_scenarios test_map_item_reader_csv_max_items_paths.
    """
    found = visit.field(config, "MaxItems", 0, _AT)
    if isinstance(found, str) and found.removeprefix("-").isdigit():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        path = config.get("MaxItemsPath")
        if path is None:
            raise wrong("MaxItems", "an integer", found)
        cause = f"The MaxItemsPath field refers to value '{found}' which is not a valid integer: {path}"
        raise StatesError(ITEM_READER_FAILED, cause)
    if found < 0:
        raise StatesError(ITEM_READER_FAILED, "field MaxItems must be positive")
    return min(found or MAX_ITEMS, MAX_ITEMS)
