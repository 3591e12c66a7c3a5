"""ReaderConfig: the form of the objects of an ItemReader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genomics_pipeline.engine.distributed_map.item_reader.csv import DELIMITERS
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import ITEM_READER_FAILED, RUNTIME, StatesError
from genomics_pipeline.language.jsonpath.path_fields import parse_integer
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import compact


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """The evaluated fields of a ReaderConfig.

    Attributes:
        input_type: ``InputType``; None if the objects themselves are the items.
        manifest_type: ``ManifestType``: ``ATHENA_DATA`` or ``S3_INVENTORY``, formerly ``InputType: MANIFEST``.
        transformation: ``Transformation``: ``NONE`` or ``LOAD_AND_FLATTEN``.
        csv_headers: ``CSVHeaders``; None if the first row is the header (``CSVHeaderLocation: FIRST_ROW``).
        csv_delimiter: The character that ``CSVDelimiter`` names.
        items_pointer: ``ItemsPointer``.
        max_items: ``MaxItems``.
    """

    input_type: str | None = None
    manifest_type: str | None = None
    transformation: str = "NONE"
    csv_headers: Sequence[str] | None = None
    csv_delimiter: str = ","
    items_pointer: str = ""
    max_items: int = quotas.MAP_RUN_ITEMS.value

    @classmethod
    def of(cls, visit: Visit, reader: Node) -> ReaderConfig:
        """Return the configuration of a Map state's ItemReader.

        Fields other than ``MaxItems`` are literals, which have been validated.

        Raises:
            StatesError: ``States.ItemReaderFailed``; ``States.QueryEvaluationError`` if ``MaxItems`` is an expression
                that fails.
        """
        config = reader.get("ReaderConfig", {})
        input_type, manifest_type = config.get("InputType"), config.get("ManifestType")
        if input_type == "MANIFEST" or manifest_type == "S3_INVENTORY":
            input_type, manifest_type = None, "S3_INVENTORY"
        return cls(
            input_type,
            manifest_type,
            config.get("Transformation", "NONE"),
            config["CSVHeaders"] if config.get("CSVHeaderLocation") == "GIVEN" else None,
            DELIMITERS[config.get("CSVDelimiter", "COMMA")],
            config.get("ItemsPointer", ""),
            _max_items(visit, config),
        )


def _max_items(visit: Visit, config: Node) -> int:
    """Return ``MaxItems``, or AWS's limit if it is 0 or more than that.

    The causes are AWS's: localstack/localstack test_base_scenarios test_map_item_reader_csv_max_items_paths.
    """
    value = visit.field(config, "MaxItems", 0, "ItemReader/ReaderConfig/")
    number = parse_integer(value)
    if number is None:
        shown = value if isinstance(value, str) else compact(value)
        cause = f"The MaxItemsPath field refers to value '{shown}' which is not a valid integer: "
        raise StatesError(RUNTIME, cause + config["MaxItemsPath"], evaluation_failed=False)
    if number < 0:
        raise StatesError(ITEM_READER_FAILED, "field MaxItems must be positive")
    return min(number or quotas.MAP_RUN_ITEMS.value, quotas.MAP_RUN_ITEMS.value)
