"""The manifest of a rerun: the items of the children that failed or never started.

Rows are read and lines written one after the other: memory does not grow with their number. An item is in one child of
a Map Run, and a child in one of its files, also after a redrive. If an item is in another Map Run too, which AWS starts
when it redrives a state that failed before its items, only its first line is written: two children would write into
one folder.

Most rows are never decoded: `records.row_bytes` states what that relies on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, groupby, islice, repeat, zip_longest
from operator import itemgetter
from os import SEEK_END
from typing import Any, BinaryIO

import orjson

from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.json_text import loads_lenient
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.model.task import item_id, items_of
from genomics_pipeline.records.result_row import ResultRow, input_delimiters
from genomics_pipeline.records.row_bytes import FAILURE_CLASS, PENDING_ENDS

NEVER_STARTED = "pending"
ROWS = 64  # read at a time; with more, garbage collection takes a tenth of the time

RerunItem = tuple[str, bytes, ResultRow, bool]  # name, line, child, whether the child is a batch
Labels = Callable[[Sequence[ResultRow]], Iterable[str]]

_CLASSES = {name.encode(): str(name) for name in FailureClass}


@dataclass(slots=True)
class RerunCounts:
    """Counts of the items that failed or never started.

    Attributes:
        items: Written.
        by_class: Written, by the class of the failure or `NEVER_STARTED`; empty where no labels were asked for.
        done: Left out because they are done, unlike others of their batch.
        filtered: Left out because of their class or name.
        repeated: Left out because an earlier Map Run had them.
    """

    items: int = 0
    by_class: Counter[str] = field(default_factory=Counter)
    done: int = 0
    filtered: int = 0
    repeated: int = 0


def plan_rerun(
    map_runs: Iterable[Iterable[ResultRow]],
    out: BinaryIO,
    *,
    superseded: Collection[str] = frozenset(),
    labels: Labels | None = None,
    of_class: Callable[[str], bool] | None = None,
    named: Callable[[str], bool] | None = None,
    done: Callable[[Sequence[str]], Container[str]] | None = None,
) -> RerunCounts:
    """Write the manifest of a rerun, one line an item, in the order of the rows, and return the counts.

    Args:
        map_runs: The rows of each Map Run, FAILED and PENDING.
        out: The manifest: an empty file that is open for reading and writing.
        superseded: Items that a newer execution had; it may grow from Map Run to Map Run.
        labels: Returns the classes of children, `NEVER_STARTED` for PENDING ones. Without it no cause is read.
        of_class: Returns whether a class is wanted.
        named: Returns whether an item of that name is wanted.
        done: Returns the items that are done, of those of a batch.

    Raises:
        DataError: for rows that are not ResultWriter's, or items that are not ours.
    """
    counts = RerunCounts()
    items, written = _RowItems(), _Written(out)
    for map_run, rows in _in_portions(map_runs):
        found = items.of(rows)
        if superseded:
            found = [item for item in found if item[0] not in superseded]
            rows = list(dict.fromkeys([item[2] for item in found]))
        label = dict(zip(rows, labels(rows), strict=True)) if labels is not None else {}
        wanted = found
        if of_class is not None:
            wanted = [item for item in wanted if of_class(label[item[2]])]
        if named is not None:
            wanted = [item for item in wanted if named(item[0])]
        left = wanted
        if done is not None and any(map(itemgetter(3), wanted)):
            left = list(_undone(wanted, done))
        new = written.add(map_run, left)
        counts.filtered += len(found) - len(wanted)
        counts.done += len(wanted) - len(left)
        counts.repeated += new.count(False)
        counts.items += new.count(True)
        if label:
            counts.by_class.update([label[item[2]] for item in compress(left, new)])
    return counts


def _in_portions(map_runs: Iterable[Iterable[ResultRow]]) -> Iterator[tuple[int, list[ResultRow]]]:
    """Yield the rows in portions of one Map Run each, with its number."""
    for number, rows in enumerate(map_runs, 1):
        left = iter(rows)
        while portion := list(islice(left, ROWS)):
            yield number, portion


def _undone(items: Iterable[RerunItem], done: Callable[[Sequence[str]], Container[str]]) -> Iterator[RerunItem]:
    """Yield the items but those of a batch that are done. A child that is no batch failed as its only item did."""
    for _, group in groupby(items, itemgetter(2)):
        held = list(group)
        finished = done([name for name, *_ in held]) if held[0][3] else ()
        yield from (item for item in held if item[0] not in finished)


def row_label(row: ResultRow) -> str:
    """Return the class of a child's failure, or `NEVER_STARTED`.

    The class that our definitions found is at the beginning of the row; `classify` would find the same.
    """
    found = FAILURE_CLASS.match(row.line)
    if found and (label := _CLASSES.get(found[1])):
        return label
    if row.line.endswith(PENDING_ENDS) or row.child["Status"] == "PENDING":
        return NEVER_STARTED
    return str(classify(row.error, row.cause).failure_class)


class _RowItems:
    """The items of children, as they were given.

    The inputs of the children of a Map Run that are no batches differ in their items only. Once the text around the
    item is known, the texts of the items are cut out of the rows, and parsed many at a time.
    """

    def __init__(self) -> None:
        self._around: tuple[bytes, bytes] | None = None

    def of(self, rows: Sequence[ResultRow]) -> list[RerunItem]:
        """Return the children's items.

        Raises:
            DataError: for a row that is not ResultWriter's, or items that are not ours.
        """
        first: list[RerunItem] = []
        if self._around is None:
            first, rows = self._of_one(rows[0]), rows[1:]
        parts = [row.raw_input(*self._around) for row in rows] if self._around else []
        alike = _parsed(list(filter(None, parts)), list(compress(rows, parts)))
        if len(alike) == len(rows):
            return first + alike
        if 2 * len(alike) < len(rows):  # those of another Map Run, or batches
            self._around, parts = None, []
        read = iter(alike)
        each = ([next(read)] if part else self._of_one(row) for row, part in zip_longest(rows, parts))
        return list(chain(first, *each))

    def _of_one(self, row: ResultRow) -> list[RerunItem]:
        try:
            given = row.input_text()
            items = row.items_in(given)
            found = [
                (item_id(item), _line(item, given, place), row, len(items) > 1) for place, item in enumerate(items)
            ]
        except DataError as error:
            raise error if str(error).startswith(row.location) else DataError(f"{row.location}: {error}") from None
        if len(found) == 1 and self._around is None:
            self._learn(given, found[0][1].decode())
        return found

    def _learn(self, given: str, item: str) -> None:
        """Keep the text around an item, if its child is no batch."""
        before, _, after = given.partition(item)
        try:
            rest = orjson.loads(f"{before}null{after}")
        except ValueError:
            return
        if "Items" not in rest and rest.get("item", "") is None:
            self._around = input_delimiters(before, after)


def _parsed(parts: Sequence[bytes], rows: Sequence[ResultRow]) -> list[RerunItem]:
    """Return the items of these texts, which are escaped; none if one is not a named object on one line."""
    try:
        texts = "\n".join(orjson.loads(b'["' + b'","'.join(parts) + b'"]'))
        names = [item["sample"] for item in orjson.loads("[" + texts.replace("\n", ",") + "]")]
        if not all(map(NAME.fullmatch, names)):
            return []
    except (ValueError, LookupError, TypeError):
        return []
    lines = texts.encode().split(b"\n")
    return list(zip(names, lines, rows, repeat(False))) if len(rows) == len(names) == len(lines) else []


def _line(item: Mapping[str, Any], given: str, place: int) -> bytes:
    """Return an item as it was given, to the byte where its input is compact, as AWS and our engine write it."""
    try:
        line = orjson.dumps(item)
        if line.decode() in given:
            return line
    except TypeError:  # a half of a surrogate pair
        pass
    # Numbers beyond 64 bits are others to orjson.
    return json.dumps(items_of(given)[place], separators=(",", ":")).encode()


class _Written:
    """The lines that were written, one an item.

    Names are held from the second Map Run on: within a Map Run, an item is in one child.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._map_run = 0
        self._names: set[str] | None = None

    def add(self, map_run: int, items: Sequence[RerunItem]) -> list[bool]:
        """Write the lines of the items that no other Map Run had; return for each item whether it was written."""
        if self._names is None and self._map_run not in (0, map_run):
            self._names = self._read()
        self._map_run = map_run
        new = [True] * len(items) if self._names is None else list(_added(self._names, items))
        self._out.write(b"\n".join([*map(itemgetter(1), compress(items, new)), b""]))
        return new

    def _read(self) -> set[str]:
        """Return the names in the file."""
        self._out.seek(0)
        found = {item_id(loads_lenient(line)) for line in self._out}
        self._out.seek(0, SEEK_END)
        return found


def _added(names: set[str], items: Iterable[RerunItem]) -> Iterator[bool]:
    """Add the items' names; yield for each whether it is new."""
    for name, *_ in items:
        yield name not in names
        names.add(name)
