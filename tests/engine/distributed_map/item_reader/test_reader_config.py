"""ReaderConfig: MaxItems of a path."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.errors import StatesError


def config(found: Any, **more: Any) -> ReaderConfig:
    """The config of a state whose MaxItemsPath leads to what was found."""

    def field(node: dict[str, Any], name: str, default: Any, at: str) -> Any:
        assert at == "ItemReader/ReaderConfig/"
        return found if name == "MaxItems" else node.get(name, default)

    reader = {"ReaderConfig": {"InputType": "JSONL", "MaxItemsPath": "$.most", **more}}
    return ReaderConfig.of(SimpleNamespace(field=field), reader)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "most"), [(1, 1), ("7", 7), (0, 100_000_000), (100_000_001, 100_000_000), (100_000_000, 100_000_000)]
)
def test_max_items_path(found: Any, most: int) -> None:
    assert config(found).max_items == most


# Recorded: localstack/localstack test_base_scenarios test_map_item_reader_csv_max_items_paths
@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (-1, "field MaxItems must be positive"),
        ("-1", "field MaxItems must be positive"),
        ("many", "The MaxItemsPath field refers to value 'many' which is not a valid integer: $.most"),
        (1.5, "The MaxItemsPath field refers to value '1.5' which is not a valid integer: $.most"),
        (True, "The MaxItemsPath field refers to value 'True' which is not a valid integer: $.most"),
    ],
)
def test_max_items_path_that_leads_to_no_count(found: Any, cause: str) -> None:
    with pytest.raises(StatesError) as raised:
        config(found)
    assert (raised.value.error, raised.value.cause) == ("States.ItemReaderFailed", cause)


@pytest.mark.parametrize("more", [{"InputType": "MANIFEST"}, {"InputType": None, "ManifestType": "S3_INVENTORY"}])
def test_both_forms_of_an_inventory(more: dict[str, Any]) -> None:
    assert (config(0, **more).input_type, config(0, **more).manifest_type) == (None, "S3_INVENTORY")
