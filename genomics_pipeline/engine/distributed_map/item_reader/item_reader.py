"""The ItemReader of a Map state: the choice of objects, their order, and their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from genomics_pipeline.engine.distributed_map.item_chunk import ItemChunk
from genomics_pipeline.engine.distributed_map.item_reader import athena, inventory, listing
from genomics_pipeline.engine.distributed_map.item_reader.compression import blocks
from genomics_pipeline.engine.distributed_map.item_reader.first_columns import FirstColumns
from genomics_pipeline.engine.distributed_map.item_reader.objects import count_object, read_object, read_texts
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import ItemReaderCause, UnreadableItems
from genomics_pipeline.engine.events import Note
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.language.errors import ITEM_READER_FAILED, StatesError
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.json_text import compact, dumps_each
from genomics_pipeline.stores.protocol import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ItemReader:
    """The reader of objects that contain items, or are the items.

    Attributes:
        store: The store that holds the objects.
        uri: The URI of the object (``s3:getObject``), or the prefix of all URIs (``s3:listObjectsV2``).
        listed: Whether the objects are listed by a prefix.
        config: ``ReaderConfig``.
        note: Takes a sentence about what AWS accepts, although it is seldom meant.
        compact_versions: For each object whose lines were found to be compact JSON when they were counted, its version.
    """

    store: Store
    uri: str
    listed: bool
    config: ReaderConfig
    note: Callable[[str], object] = str
    compact_versions: dict[str, str] = field(default_factory=dict)

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
        engine = visit.execution.engine
        return cls(engine.store, f"s3://{bucket}/{key}", listed, config, lambda text: engine.observer(Note(text)))

    def chunks(self) -> Iterator[ItemChunk]:
        """Yield the items in order, not decoded.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        return (ItemChunk(texts) for texts, _ in self._limited(self._texts()))

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield ``Map.Item`` of the context object for each item.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        numbers = count()
        for values, source in self._limited(self._values()):
            for value in values:
                yield {"Index": next(numbers), "Value": value, "Source": source}

    def count(self) -> int:
        """Return the number of items; all objects but Parquet files are read to their ends, so that they are checked.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        number, most, columns = 0, self.config.max_items, FirstColumns()
        if self._lists_items():
            return sum(len(values) for values, _ in self._limited(self._described()))
        uris, config = self._objects()
        for uri in uris:
            with _as_states_error(uri):
                counted = count_object(self.store, uri, config, most - number)
            for text in (*counted.notes, *columns.differences(uri, counted.columns)):
                self.note(f"{uri}: {text}")
            number += counted.items
            if counted.compact_version is not None:
                self.compact_versions[uri] = counted.compact_version
            if number >= most:
                break
        return min(number, most)

    def _limited(self, chunks: Iterator[tuple[list[T], str]]) -> Iterator[tuple[list[T], str]]:
        """Yield chunks up to ``MaxItems``."""
        remaining = self.config.max_items
        for members, source in chunks:
            if len(members) >= remaining:
                yield members[:remaining], source
                return
            remaining -= len(members)
            yield members, source

    def _lists_items(self) -> bool:
        """Return whether the objects themselves are the items."""
        return self.listed and self.config.transformation == "NONE"

    def _described(self) -> Iterator[tuple[list[Any], str]]:
        bucket = "/".join(self.uri.split("/", 3)[:3])
        with _as_states_error(self.uri):
            for values in listing.describe(self.store.list(self.uri)):
                yield values, bucket

    def _values(self) -> Iterator[tuple[list[Any], str]]:
        """Yield values in chunks, and ``Map.Item.Source`` of each chunk."""
        if self._lists_items():
            yield from self._described()
            return
        uris, config = self._objects()
        for uri in uris:
            with _as_states_error(uri):
                for values in read_object(self.store, uri, config):
                    yield values, uri

    def _texts(self) -> Iterator[tuple[list[bytes], str]]:
        """Yield items as compact JSON in chunks, and ``Map.Item.Source`` of each chunk."""
        if self._lists_items():
            yield from ((dumps_each(values), source) for values, source in self._described())
            return
        uris, config = self._objects()
        for uri in uris:
            with _as_states_error(uri):
                for texts in read_texts(self.store, uri, config, self.compact_versions.get(uri)):
                    yield texts, uri

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
        raise StatesError(ITEM_READER_FAILED, str(error), detail=f"{uri}: {error.detail}") from error
    except (UnreadableItems, PipelineError, LookupError, OSError) as error:
        cause = str(error)  # a store's error already contains the URI
        raise StatesError(ITEM_READER_FAILED, cause if cause.startswith(f"{uri}: ") else f"{uri}: {cause}") from error
