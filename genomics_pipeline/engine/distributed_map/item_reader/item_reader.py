"""The ItemReader of one Map state: which objects, read how, in which order."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from genomics_pipeline.engine.distributed_map.item_reader import athena, inventory, listing
from genomics_pipeline.engine.distributed_map.item_reader.compression import blocks
from genomics_pipeline.engine.distributed_map.item_reader.objects import count_object, read_object
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import ItemReaderCause, UnreadableItems
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import ITEM_READER_FAILED, StatesError
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.stores.protocol import Store

Chunk = tuple[list[Any], str]  # values, and ``Map.Item.Source`` of each


@dataclass(frozen=True, slots=True)
class ItemReader:
    """Objects that hold items, or are them.

    Attributes:
        store: Where they lie.
        uri: The object, or what the URIs of the objects begin with.
        listed: Whether they are listed (``s3:listObjectsV2``) rather than named (``s3:getObject``).
        config: ``ReaderConfig``.
    """

    store: Store
    uri: str
    listed: bool
    config: ReaderConfig

    @classmethod
    def of(cls, visit: Visit) -> ItemReader:
        """Return the reader of a Map state. ``VersionId`` and ``ExpectedBucketOwner`` say nothing about objects here.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        reader = visit.state["ItemReader"]
        listed = reader["Resource"].endswith(":s3:listObjectsV2")
        config = ReaderConfig.of(visit, reader)
        arguments = visit.arguments(reader, "ItemReader/")
        given = arguments if isinstance(arguments, dict) else {}
        bucket, key = given.get("Bucket"), given.get("Prefix", "") if listed else given.get("Key")
        if not (isinstance(bucket, str) and bucket and isinstance(key, str)):
            expected = f"strings in Bucket and {'Prefix' if listed else 'Key'}"
            raise StatesError(ITEM_READER_FAILED, f"ItemReader: expected {expected}, found {compact(arguments)}")
        return cls(visit.execution.engine.store, f"s3://{bucket}/{key}", listed, config)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the items in order, many at once, each time of one source.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        left = self.config.max_items
        for values, source in self._all():
            if len(values) >= left:
                yield values[:left], source
                return
            left -= len(values)
            yield values, source

    def values(self) -> Iterator[Any]:
        """Yield the items in order.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        for values, _ in self.chunks():
            yield from values

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield ``Map.Item`` of each item.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        numbers = count()
        for values, source in self.chunks():
            for value in values:
                yield {"Index": next(numbers), "Value": value, "Source": source}

    def count(self) -> int:
        """Return how many items there are. Everything but Parquet is read to its end: what is wrong with it is told.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        if self.config.input_type != "PARQUET":
            return sum(len(values) for values, _ in self.chunks())
        uris, config = self._objects()
        found = 0
        for uri in uris:
            with _told(uri):
                found += count_object(self.store, uri, config)
            if found >= self.config.max_items:
                break
        return min(found, self.config.max_items)

    def _all(self) -> Iterator[Chunk]:
        if self.listed and self.config.transformation == "NONE":
            bucket = "/".join(self.uri.split("/", 3)[:3])
            with _told(self.uri):
                for values in listing.describe(self.store.list(self.uri)):
                    yield values, bucket
            return
        uris, config = self._objects()
        for uri in uris:
            with _told(uri):
                for values in read_object(self.store, uri, config):
                    yield values, uri

    def _objects(self) -> tuple[Iterator[str], ReaderConfig]:
        """Return the URIs of the objects that hold the items, and how they are read."""
        if self.listed:
            return self._guarded(lambda: listing.loadable(self.store.list(self.uri))), self.config
        if self.config.manifest_type == "S3_INVENTORY":
            with _told(self.uri):
                return inventory.rows(self.store.read(self.uri), self.config)
        if self.config.manifest_type == "ATHENA_DATA":
            return self._guarded(self._unloaded), self.config
        return iter([self.uri]), self.config

    def _unloaded(self) -> Iterator[str]:
        with closing(self.store.open(self.uri)) as stream:
            yield from athena.uris(blocks(stream, self.uri))

    def _guarded(self, uris: Callable[[], Iterator[str]]) -> Iterator[str]:
        with _told(self.uri):
            yield from uris()


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Yield what goes wrong while an object is read, as States.ItemReaderFailed."""
    try:
        yield
    except ItemReaderCause as error:
        raise StatesError(ITEM_READER_FAILED, str(error)) from error
    except (UnreadableItems, PipelineError, LookupError, OSError, EOFError, zlib.error) as error:
        cause = str(error)  # a store's names the object itself
        raise StatesError(ITEM_READER_FAILED, cause if cause.startswith(f"{uri}: ") else f"{uri}: {cause}") from error
