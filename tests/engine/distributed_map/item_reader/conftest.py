"""Fixtures of the item readers' tests: functions that read objects as a Map state does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from genomics_pipeline.engine.distributed_map.item_reader import ItemReader
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.language.errors import StatesError


class Read(Protocol):
    """A function that reads and counts the items of objects, and returns their values."""

    def __call__(self, objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> list[Any]: ...


class ReadFailure(Protocol):
    """A function that fails to read objects, and returns the cause of the failure."""

    def __call__(self, objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> str: ...


@pytest.fixture
def read(harness: Any) -> Read:
    def call(objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> list[Any]:
        harness.store.objects = dict(objects)
        reader = ItemReader(harness.store, uri, listed, ReaderConfig(**config))
        values = list(reader.values())
        assert reader.count() == len(values)
        assert [item["Value"] for item in reader.items()] == values
        assert [item["Index"] for item in reader.items()] == list(range(len(values)))
        return values

    return call


@pytest.fixture
def read_failure(harness: Any) -> ReadFailure:
    def call(objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> str:
        harness.store.objects = dict(objects)
        reader = ItemReader(harness.store, uri, listed, ReaderConfig(**config))
        causes = set()
        for operation in (lambda: list(reader.values()), reader.count):
            with pytest.raises(StatesError) as raised:
                operation()
            assert raised.value.error == "States.ItemReaderFailed"
            causes.add(str(raised.value.cause))
        (cause,) = causes
        return cause

    return call
