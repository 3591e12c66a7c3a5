"""What a rerun runs: the samples of the children that failed or never began, as a new manifest.

Rows come and lines go: nothing is kept of them. An item is in one child of a Map Run, and a child in one of its files,
also after a redrive; should one come again nevertheless (of another Map Run, which AWS makes when it redrives a state
that failed before its items), only its first line is written: two children would write into one folder.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import SEEK_END
from typing import Any, BinaryIO

import orjson

from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import item_id, items_of
from genomics_pipeline.stores.result_manifest import ResultRow, loads

NEVER_STARTED = "pending"
_LINES = 256  # held back, to be written at once
_HASH = (1 << 64) - 1  # a hash has a sign


@dataclass(slots=True)
class Planned:
    """What was planned, in items.

    Attributes:
        items: Written.
        by_class: Those, by the class of their failure or `NEVER_STARTED`; empty where no class was asked for.
        done: Left out: they are done, though others of their batch are not.
        filtered: Left out: of another class or name.
        repeated: Left out: they came before.
    """

    items: int = 0
    by_class: Counter[str] = field(default_factory=Counter)
    done: int = 0
    filtered: int = 0
    repeated: int = 0


def plan(
    sources: Iterable[Iterable[ResultRow]],
    out: BinaryIO,
    *,
    of_class: Callable[[FailureClass | None], bool] | None = None,
    named: Callable[[str], bool] | None = None,
    done: Callable[[Sequence[str]], Container[str]] | None = None,
) -> Planned:
    """Write the lines of the new manifest, an item each, as it was given, in the order of the rows.

    Args:
        sources: FAILED and PENDING rows of the Map Runs.
        out: The manifest: an empty file that can be read too.
        of_class: Whether a class is wanted; None stands for a child that never began. Without it no cause is read.
        named: Whether an item is wanted.
        done: Which items of a batch are done, of those of the names.

    Raises:
        DataError: for rows that are not ResultWriter's, or items that are not ours.
    """
    planned = Planned()
    items, written = _Items(), _Written(out)
    for source in sources:
        for row in source:
            found = items.of(row)
            label = ""
            if of_class is not None:
                failure = _class(row)
                label = failure or NEVER_STARTED
                if not of_class(failure):
                    planned.filtered += len(found)
                    continue
            finished: Container[str] = done([name for name, _ in found]) if done and len(found) > 1 else ()
            for name, line in found:
                if named is not None and not named(name):
                    planned.filtered += 1
                elif finished and name in finished:
                    planned.done += 1
                elif not written.add(name, line):
                    planned.repeated += 1
                else:
                    planned.items += 1
                    if label:
                        planned.by_class[label] += 1
    written.flush()
    return planned


def _class(row: ResultRow) -> FailureClass | None:
    if row.child["Status"] == "PENDING":
        return None
    return classify(row.error, row.cause).failure_class


class _Items:
    """The items of children, each as it was given.

    Beside its item the input of a child that is no batch is the same text for all children of a Map Run: once that is
    known, only the item is read, and its text is taken as it is.
    """

    def __init__(self) -> None:
        self._before, self._after = "?", ""  # begins no JSON

    def of(self, row: ResultRow) -> list[tuple[str, bytes]]:
        """Name and line of each item of a child.

        Raises:
            DataError: for a row that is not ResultWriter's, or items that are not ours.
        """
        given = row.given()
        try:
            if given.startswith(self._before) and given.endswith(self._after):
                text = given[len(self._before) : len(given) - len(self._after)]
                if (item := _object(text)) is not None:
                    return [(item_id(item), text.encode())]
            items = row.items_in(given)
            found = [(item_id(item), _line(item, given, place)) for place, item in enumerate(items)]
        except DataError as error:
            raise error if str(error).startswith(row.place) else DataError(f"{row.place}: {error}") from None
        if len(found) == 1:
            self._learn(given, found[0][1].decode())
        return found

    def _learn(self, given: str, item: str) -> None:
        """Keep what stands around an item, if it is that of a child that is no batch."""
        before, _, after = given.partition(item)
        around = _object(f"{before}null{after}") or {}
        if "Items" not in around and around.get("item", "") is None:
            self._before, self._after = before, after


def _object(text: str) -> dict[str, Any] | None:
    """The object that a text is, on one line."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "\n" not in text else None


def _line(item: Mapping[str, Any], given: str, place: int) -> bytes:
    """An item as it was given: to the byte, where its input was as compact as AWS and our engine write it."""
    try:
        line = orjson.dumps(item)
        if line.decode() in given:
            return line
    except TypeError:  # a half of a surrogate pair
        pass
    # Numbers beyond 64 bits are others to orjson.
    return json.dumps(items_of(given)[place], separators=(",", ":")).encode()


class _Written:
    """The lines written, each item once, in 16 bytes an item: a table of the names' hashes, 16 MiB at least.

    A hash that is there may be another name's: the file tells. Once a name comes again all of them are held.
    """

    def __init__(self, out: BinaryIO, slots: int = 1 << 21) -> None:
        self._out = out
        self._lines: list[bytes] = []
        self._names: set[str] | None = None
        self._clear(slots)

    def add(self, name: str, line: bytes) -> bool:
        """Write an item's line, unless there is one."""
        if self._names is not None:
            if name in self._names:
                return False
            self._names.add(name)
        elif not self._is_new(hash(name)) and name in (names := self._read()):
            self._names = names
            return False
        self._lines.append(line)
        if len(self._lines) == _LINES:
            self.flush()
        return True

    def flush(self) -> None:
        """Write what is held back."""
        self._out.write(b"".join([line + b"\n" for line in self._lines]))
        self._lines.clear()

    def _is_new(self, value: int) -> bool:
        """Keep a hash: whether it was not there."""
        table, last = self._table, self._last
        value = value & _HASH or 1  # 0 is a free place
        place = value & last
        while found := table[place]:
            if found == value:
                return False
            place = (place + 1) & last
        table[place] = value
        self._free -= 1
        if not self._free:
            self._grow()
        return True

    def _grow(self) -> None:
        old = self._table
        self._clear(2 * len(old))
        for value in filter(None, old):
            self._is_new(value)

    def _clear(self, slots: int) -> None:
        self._table = array("Q", bytes(8 * slots))
        self._last = slots - 1
        self._free = slots * 2 // 3  # fuller, it is slow

    def _read(self) -> set[str]:
        """The names in the file."""
        self.flush()
        self._out.seek(0)
        found = {item_id(loads(line)) for line in self._out}
        self._out.seek(0, SEEK_END)
        return found
