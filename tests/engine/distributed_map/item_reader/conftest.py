"""Fixtures of the item readers' tests: functions that read objects as a Map state does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import orjson
import pytest

from genomics_pipeline.engine.distributed_map.item_reader import ItemReader
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.json_text import dumps


class Read(Protocol):
    """A function that reads and counts the items of objects, and returns their values."""

    def __call__(self, objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> list[Any]: ...


class ReadFailure(Protocol):
    """A function that fails to read objects, and returns the cause of the failure."""

    def __call__(self, objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> str: ...


def texts_of(reader: ItemReader) -> list[bytes]:
    return [text for chunk in reader.chunks() for text in chunk.texts]


@pytest.fixture
def read(harness: Any) -> Read:
    def call(objects: Mapping[str, bytes], uri: str, *, listed: bool = False, **config: Any) -> list[Any]:
        harness.store.objects = dict(objects)
        reader = ItemReader(harness.store, uri, listed, ReaderConfig(**config))
        texts = texts_of(reader)
        values = list(map(orjson.loads, texts))
        assert texts == list(map(dumps, values))
        assert reader.count() == len(values)
        assert texts_of(reader) == texts  # some are not parsed again after they have been counted
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
        for operation in (lambda: texts_of(reader), lambda: list(reader.items()), reader.count):
            with pytest.raises(StatesError) as raised:
                operation()
            assert raised.value.error == "States.ItemReaderFailed"
            causes.add(str(raised.value.cause))
        (cause,) = causes
        return cause

    return call
