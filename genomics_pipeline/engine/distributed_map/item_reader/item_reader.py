"""The ItemReader of a Map state: the choice of objects, their order, and their form."""

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

Chunk = tuple[list[Any], str]  # values, and ``Map.Item.Source`` of all of them


@dataclass(frozen=True, slots=True)
class ItemReader:
    """The reader of objects that contain items, or are the items.

    Attributes:
        store: The store that holds the objects.
        uri: The URI of the object (``s3:getObject``), or the prefix of all URIs (``s3:listObjectsV2``).
        listed: Whether the objects are listed by a prefix.
        config: ``ReaderConfig``.
    """

    store: Store
    uri: str
    listed: bool
    config: ReaderConfig

    @classmethod
    def of(cls, visit: Visit) -> ItemReader:
        """Return the reader of a Map state.

        ``VersionId`` and ``ExpectedBucketOwner`` are ignored, because objects of a store have neither.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        reader = visit.state["ItemReader"]
        listed = reader["Resource"].endswith(":s3:listObjectsV2")
        config = ReaderConfig.of(visit, reader)
        arguments = visit.arguments(reader, "ItemReader/")
        members = arguments if isinstance(arguments, dict) else {}
        bucket, key = members.get("Bucket"), members.get("Prefix", "") if listed else members.get("Key")
        if not (isinstance(bucket, str) and bucket and isinstance(key, str)):
            expected = f"strings in Bucket and {'Prefix' if listed else 'Key'}"
            raise StatesError(ITEM_READER_FAILED, f"ItemReader: expected {expected}, found {compact(arguments)}")
        return cls(visit.execution.engine.store, f"s3://{bucket}/{key}", listed, config)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the items in order, in chunks of items with the same source.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        remaining = self.config.max_items
        for values, source in self._all_chunks():
            if len(values) >= remaining:
                yield values[:remaining], source
                return
            remaining -= len(values)
            yield values, source

    def values(self) -> Iterator[Any]:
        """Yield the items' values in order.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        for values, _ in self.chunks():
            yield from values

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield ``Map.Item`` of the context object for each item.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        numbers = count()
        for values, source in self.chunks():
            for value in values:
                yield {"Index": next(numbers), "Value": value, "Source": source}

    def count(self) -> int:
        """Return the number of items; all objects but Parquet files are read to their ends, so that they are checked.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        if self.config.input_type != "PARQUET":
            return sum(len(values) for values, _ in self.chunks())
        uris, config = self._objects()
        number = 0
        for uri in uris:
            with _as_states_error(uri):
                number += count_object(self.store, uri, config)
            if number >= self.config.max_items:
                break
        return min(number, self.config.max_items)

    def _all_chunks(self) -> Iterator[Chunk]:
        if self.listed and self.config.transformation == "NONE":
            bucket = "/".join(self.uri.split("/", 3)[:3])
            with _as_states_error(self.uri):
                for values in listing.describe(self.store.list(self.uri)):
                    yield values, bucket
            return
        uris, config = self._objects()
        for uri in uris:
            with _as_states_error(uri):
                for values in read_object(self.store, uri, config):
                    yield values, uri

    def _objects(self) -> tuple[Iterator[str], ReaderConfig]:
        """Return the URIs of the objects that contain the items, and the configuration to read them."""
        if self.listed:
            return self._list_uris(lambda: listing.loadable_uris(self.store.list(self.uri))), self.config
        if self.config.manifest_type == "S3_INVENTORY":
            with _as_states_error(self.uri):
                return inventory.files(self.store.read(self.uri), self.config)
        if self.config.manifest_type == "ATHENA_DATA":
            return self._list_uris(self._athena_uris), self.config
        return iter([self.uri]), self.config

    def _athena_uris(self) -> Iterator[str]:
        with closing(self.store.open(self.uri)) as stream:
            yield from athena.uris(blocks(stream, self.uri))

    def _list_uris(self, uris: Callable[[], Iterator[str]]) -> Iterator[str]:
        with _as_states_error(self.uri):
            yield from uris()


@contextmanager
def _as_states_error(uri: str) -> Iterator[None]:
    """Turn errors while an object is read into States.ItemReaderFailed with the object's URI in the cause."""
    try:
        yield
    except ItemReaderCause as error:
        raise StatesError(ITEM_READER_FAILED, str(error)) from error
    except (UnreadableItems, PipelineError, LookupError, OSError, EOFError, zlib.error) as error:
        cause = str(error)  # a store's error already contains the URI
        raise StatesError(ITEM_READER_FAILED, cause if cause.startswith(f"{uri}: ") else f"{uri}: {cause}") from error
