"""ItemReader: the items of a Distributed Map, one at a time, from one object."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from genomics_pipeline.engine.errors import ITEM_READER_FAILED, StatesError
from genomics_pipeline.engine.visit import Visit
from genomics_pipeline.model.errors import PipelineError

if TYPE_CHECKING:
    from genomics_pipeline.stores.protocol import Store

GET_OBJECT = "arn:aws:states:::s3:getObject"
_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


@dataclass(frozen=True, slots=True)
class ItemReader:
    """An object that holds items.

    Attributes:
        store: Where it lies.
        bucket: Its bucket.
        key: Its key.
        config: ``ReaderConfig``, evaluated.
    """

    store: Store
    bucket: str
    key: str
    config: Mapping[str, Any]

    @classmethod
    def of(cls, visit: Visit) -> ItemReader:
        """The reader of a Map state.

        Raises:
            StatesError: if it reads in a way that is not there.
        """
        reader = visit.state["ItemReader"]
        if reader["Resource"] != GET_OBJECT:
            raise StatesError(ITEM_READER_FAILED, f"ItemReader: expected {GET_OBJECT}, found {reader['Resource']}")
        arguments = visit.arguments(reader, "ItemReader/")
        config = visit.template(reader.get("ReaderConfig", {}), "ItemReader/ReaderConfig")
        if config.get("InputType") not in _READERS:
            raise StatesError(
                ITEM_READER_FAILED,
                f"ItemReader: expected InputType {', '.join(_READERS)}, found {config.get('InputType')}",
            )
        return cls(visit.execution.engine.store, arguments["Bucket"], arguments["Key"], config)

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.items())

    def values(self) -> Iterator[Any]:
        """Their values."""
        return (item["Value"] for item in self.items())

    def item(self, index: int, value: Any) -> Mapping[str, Any]:
        """``Map.Item`` of one of them."""
        return {"Index": index, "Value": value, "Source": f"s3://{self.bucket}/{self.key}"}

    def items(self) -> Iterator[dict[str, Any]]:
        """``Map.Item`` of each item.

        Raises:
            StatesError: ``States.ItemReaderFailed``.
        """
        source = f"s3://{self.bucket}/{self.key}"
        try:
            with self.store.open(source) as raw:
                stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if self.key.endswith(".gz") else raw  # type: ignore[assignment]
                values = _READERS[self.config["InputType"]](stream, self.config)
                for place, value in enumerate(islice(values, self.config.get("MaxItems"))):
                    yield {"Index": place, "Value": value, "Source": source}
        except (PipelineError, OSError, EOFError, ValueError, LookupError, TypeError, csv.Error, zlib.error) as error:
            raise StatesError(ITEM_READER_FAILED, f"{source}: {error}") from error


def _json_lines(stream: IO[bytes], config: Mapping[str, Any]) -> Iterator[Any]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error


def _json(stream: IO[bytes], config: Mapping[str, Any]) -> Iterator[Any]:
    found = json.load(stream)
    for part in config.get("ItemsPointer", "").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    if not isinstance(found, list):
        raise ValueError(f"expected an array of items, found {type(found).__name__}")  # noqa: TRY004  # bad data
    yield from found


def _csv(stream: IO[bytes], config: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, delimiter=_DELIMITERS[config.get("CSVDelimiter", "COMMA")])
    headers = config["CSVHeaders"] if config["CSVHeaderLocation"] == "GIVEN" else next(rows, [])
    for row in rows:
        yield dict(zip(headers, [*row, *[""] * (len(headers) - len(row))], strict=False))


_READERS = {"JSONL": _json_lines, "JSON": _json, "CSV": _csv}
