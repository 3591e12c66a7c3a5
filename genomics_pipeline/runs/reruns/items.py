"""The manifest of a rerun: the items of the child executions that failed or never started.

Rows are read and lines are written in portions: memory does not grow with their number. An item is in one child of a
Map Run, and a child in one of its result files, also after a redrive. An item may be in another Map Run too, which AWS
starts when it redrives a state that failed before its items. Then only its first line is written, because two children
would write into the same folder.

Most rows are never decoded; `records.row_bytes` states the assumptions.
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
from genomics_pipeline.report.run_state import PENDING
from genomics_pipeline.runs.reruns.first_attempts import Ladders, raised_line

PORTION = 64  # rows that are read at a time; with more of them, garbage collection takes a tenth of the time

RerunItem = tuple[str, bytes, ResultRow, bool]  # name, line, child, whether the child is a batch
Labels = Callable[[Sequence[ResultRow]], Iterable[str]]

_CLASSES = {name.encode(): str(name) for name in FailureClass}


@dataclass(slots=True)
class RerunCounts:
    """Counts of the items that failed or never started.

    Attributes:
        items: The number of items that were written.
        by_class: The same number by the class of the failure or `PENDING`; empty without labels.
        done: The number of items that are done, unlike others of their batch, and were left out.
        filtered: The number of items that were left out because of their class or name.
        repeated: The number of items that were left out because another Map Run had them before.
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
    selects_class: Callable[[str], bool] | None = None,
    selects_name: Callable[[str], bool] | None = None,
    done: Callable[[Sequence[str]], Container[str]] | None = None,
    known: set[str] | None = None,
    ladders: Ladders | None = None,
) -> RerunCounts:
    """Write the manifest of a rerun, one line for each item, in the order of the rows, and return the counts.

    Args:
        map_runs: The FAILED and PENDING rows of each Map Run.
        out: The manifest: an empty file, open for reading and writing.
        superseded: The items that a newer execution had; the collection may grow from Map Run to Map Run.
        labels: Returns the classes of children, `PENDING` for PENDING ones; without it no cause is read.
        selects_class: Returns whether to write the items of a class.
        selects_name: Returns whether to write the item of a name.
        done: Returns those items of a batch that are done.
        known: Gets the names of all items in the rows.
        ladders: The memory ladders by stage, by which items climb that ran out of memory.

    Raises:
        DataError: for a row that is not one of ResultWriter, or an item that is not one of a manifest.
    """
    counts = RerunCounts()
    items, manifest = _RowItems(), _ManifestWriter(out)
    for map_run, rows in _in_portions(map_runs):
        current = items.of(rows)
        if known is not None:
            known.update(map(itemgetter(0), current))
        if superseded:
            current = [item for item in current if item[0] not in superseded]
            rows = list(dict.fromkeys([item[2] for item in current]))
        label = dict(zip(rows, labels(rows), strict=True)) if labels is not None else {}
        selected = current
        if selects_class is not None:
            selected = [item for item in selected if selects_class(label[item[2]])]
        if selects_name is not None:
            selected = [item for item in selected if selects_name(item[0])]
        undone = selected
        if done is not None and any(map(itemgetter(3), selected)):
            undone = list(_without_done(selected, done))
        undone = [(name, raised_line(line, row, ladders or {}), row, many) for name, line, row, many in undone]
        new = manifest.add(map_run, undone)
        counts.filtered += len(current) - len(selected)
        counts.done += len(selected) - len(undone)
        counts.repeated += new.count(False)
        counts.items += new.count(True)
        if label:
            counts.by_class.update([label[item[2]] for item in compress(undone, new)])
    return counts


def _in_portions(map_runs: Iterable[Iterable[ResultRow]]) -> Iterator[tuple[int, list[ResultRow]]]:
    """Yield the rows in portions, each of one Map Run and with its number, from 1."""
    for number, rows in enumerate(map_runs, 1):
        remaining = iter(rows)
        while portion := list(islice(remaining, PORTION)):
            yield number, portion


def _without_done(items: Iterable[RerunItem], done: Callable[[Sequence[str]], Container[str]]) -> Iterator[RerunItem]:
    """Yield the items without those of a batch that are done; the only item of a failed child is not done."""
    for _, group in groupby(items, itemgetter(2)):
        of_child = list(group)
        finished = done([name for name, *_ in of_child]) if of_child[0][3] else ()
        yield from (item for item in of_child if item[0] not in finished)


def row_label(row: ResultRow) -> str:
    """Return the class of a child's failure, or `PENDING`.

    A row of a definition of ours begins with the class, which is the one that `classify` returns.
    """
    match = FAILURE_CLASS.match(row.line)
    if match and (label := _CLASSES.get(match[1])):
        return label
    if row.line.endswith(PENDING_ENDS) or row.child["Status"] == "PENDING":
        return PENDING
    return str(classify(row.error, row.cause).failure_class)


class _RowItems:
    """The items of children, as their inputs have them.

    The inputs of the children of a Map Run, if they are no batches, differ in their items only. Once the text around
    the item is known, the texts of the items are cut out of the rows and parsed many at a time.
    """

    def __init__(self) -> None:
        self._around: tuple[bytes, bytes] | None = None

    def of(self, rows: Sequence[ResultRow]) -> list[RerunItem]:
        """Return the items of children.

        Raises:
            DataError: for a row that is not one of ResultWriter, or an item that is not one of a manifest.
        """
        first: list[RerunItem] = []
        if self._around is None:
            first, rows = self._of_one(rows[0]), rows[1:]
        parts = [row.raw_input(*self._around) for row in rows] if self._around else []
        alike = _parse_items(list(filter(None, parts)), list(compress(rows, parts)))
        if len(alike) == len(rows):
            return first + alike
        if 2 * len(alike) < len(rows):  # rows of another Map Run, or batches
            self._around, parts = None, []
        read = iter(alike)
        each = ([next(read)] if part else self._of_one(row) for row, part in zip_longest(rows, parts))
        return list(chain(first, *each))

    def _of_one(self, row: ResultRow) -> list[RerunItem]:
        try:
            text = row.input_text()
            items = row.items_in(text)
            named = [(item_id(item), _line(item, text, index), row, len(items) > 1) for index, item in enumerate(items)]
        except DataError as error:
            raise error if str(error).startswith(row.location) else DataError(f"{row.location}: {error}") from None
        if len(named) == 1 and self._around is None:
            self._learn(text, named[0][1].decode())
        return named

    def _learn(self, text: str, item: str) -> None:
        """Remember the text around an item in the input of its child, unless the child is a batch."""
        before, _, after = text.partition(item)
        try:
            rest = orjson.loads(f"{before}null{after}")
        except ValueError:
            return
        if "Items" not in rest and rest.get("item", "") is None:
            self._around = input_delimiters(before, after)


def _parse_items(parts: Sequence[bytes], rows: Sequence[ResultRow]) -> list[RerunItem]:
    """Return the items in escaped texts; none if any text is not an object with a name, on one line."""
    try:
        texts = "\n".join(orjson.loads(b'["' + b'","'.join(parts) + b'"]'))
        names = [item["sample"] for item in orjson.loads("[" + texts.replace("\n", ",") + "]")]
        if not all(map(NAME.fullmatch, names)):
            return []
    except (ValueError, LookupError, TypeError):
        return []
    lines = texts.encode().split(b"\n")
    return list(zip(names, lines, rows, repeat(False))) if len(rows) == len(names) == len(lines) else []


def _line(item: Mapping[str, Any], text: str, index: int) -> bytes:
    """Return the line of an item: its bytes in its child's input, if that is compact, as AWS and our engine write it.

    Args:
        item: The item.
        text: The input of its child.
        index: The position of the item in the input.
    """
    try:
        line = orjson.dumps(item)
        if line.decode() in text:
            return line
    except TypeError:  # half of a surrogate pair
        pass
    # orjson changes numbers beyond 64 bits.
    return json.dumps(items_of(text)[index], separators=(",", ":")).encode()


class _ManifestWriter:
    """A writer of the lines of a manifest, each item once.

    Names are kept in memory from the second Map Run on only, because an item is in one child of a Map Run.

    Args:
        out: The manifest: an empty file, open for reading and writing.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._map_run = 0
        self._names: set[str] | None = None

    def add(self, map_run: int, items: Sequence[RerunItem]) -> list[bool]:
        """Write the lines of the items that no Map Run before had; return for each item whether it was written.

        Args:
            map_run: The number of the Map Run.
            items: Items of that Map Run.
        """
        if self._names is None and self._map_run not in (0, map_run):
            self._names = self._read_names()
        self._map_run = map_run
        new = [True] * len(items) if self._names is None else list(_add_new(self._names, items))
        self._out.write(b"\n".join([*map(itemgetter(1), compress(items, new)), b""]))
        return new

    def _read_names(self) -> set[str]:
        """Return the names of the items in the file."""
        self._out.seek(0)
        names = {item_id(loads_lenient(line)) for line in self._out}
        self._out.seek(0, SEEK_END)
        return names


def _add_new(names: set[str], items: Iterable[RerunItem]) -> Iterator[bool]:
    """Add the names of items; yield for each name whether it was new."""
    for name, *_ in items:
        yield name not in names
        names.add(name)
