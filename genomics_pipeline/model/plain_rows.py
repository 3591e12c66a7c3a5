"""The plain rows of a sample sheet: their samples, found in columns of Arrow and not row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.model.sheet_blocks import (
    DEFAULTS,
    EMPTY,
    FILE_COLUMNS,
    Marks,
    Numbers,
    SheetBlock,
    is_long,
    one_array,
)

OWN = ("patient", "sex", "status")  # of a sample, equal in all of its rows
SLICE = 1 << 14  # samples at a time


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of some samples, each sample's together.

    Attributes:
        lines: The number of the line of each row.
        offsets: The index of the first row of each sample, and behind the last one.
        columns: Columns with absolute paths.
    """

    lines: Numbers
    offsets: Numbers
    columns: Mapping[str, pa.StringArray]

    @property
    def first(self) -> Numbers:
        """The index of the first row of each sample."""
        return self.offsets[:-1]


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows as columns.

    Attributes:
        columns: All columns of a sheet that can be plain; what is not given is empty, or the default.
        lines: The number of the line of each row.
        codes: The number of the sample of each row, in the order of their first rows.
        prefix: What precedes relative paths.
    """

    columns: dict[str, pa.ChunkedArray]
    lines: Numbers
    codes: Numbers
    prefix: str

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return int(self.codes.max(initial=-1)) + 1

    @property
    def first_rows(self) -> Numbers:
        """The index of the first row of each sample."""
        first = np.empty(self.samples, dtype=np.int64)
        first[self.codes[::-1]] = np.arange(len(self))[::-1]
        return first

    @property
    def lanes(self) -> int:
        """The number of lanes: each row has one, but those of gVCFs."""
        return len(self) - int(pc.sum(pc.not_equal(self.columns["gvcf"], EMPTY)).as_py() or 0)

    def suspicious(self) -> Marks:
        """Mark rows that may contradict others: of samples that differ, and of lanes or gVCFs that are not unique."""
        marks = np.zeros(len(self), dtype=bool)
        if self.samples == len(self):
            return marks
        first = self.first_rows
        several = np.flatnonzero(np.bincount(self.codes)[self.codes] > 1)
        leaders = first[self.codes[several]]
        for column in OWN:
            values = self.columns[column]
            marks[several] |= _array(pc.not_equal(values.take(several), values.take(leaders)))
        marks[several] |= _array(pc.not_equal(self.columns["gvcf"].take(several), EMPTY))
        lanes = _codes(self.columns["lane"])
        pairs = self.codes * (int(lanes.max()) + 1) + lanes
        marks |= repeated(pairs)
        return marks

    def of(self, samples: Collection[str], files: Collection[str]) -> Marks:
        """Mark the rows of samples, and those with a file.

        Args:
            samples: The names of the samples.
            files: The absolute paths or URIs of the files.
        """
        marks = _array(pc.is_in(self.columns["sample"], pa.array(samples, pa.string())))
        texts = [*files, *(one.removeprefix(self.prefix) for one in files)]
        for column in FILE_COLUMNS:
            marks |= _array(pc.is_in(self.columns[column], pa.array(texts, pa.string())))
        return marks

    def without(self, lines: Numbers) -> PlainRows:
        """Return the rows that are not on some lines."""
        if not lines.size:
            return self
        kept = ~np.isin(self.lines, lines)
        columns = {name: one.filter(pa.array(kept)) for name, one in self.columns.items()}
        return PlainRows(columns, self.lines[kept], _codes(columns["sample"]), self.prefix)

    def _absolute(self, name: str, values: Any) -> Any:
        """Return the values of a column, with absolute paths."""
        if name not in FILE_COLUMNS:
            return values
        relative = pc.invert(pc.match_substring_regex(values, "^(?:$|/|s3://|https://)"))
        if not pc.any(relative).as_py():
            return values
        return pc.if_else(relative, pc.binary_join_element_wise(self.prefix, values, ""), values)

    def each_sample(self) -> Iterator[Sample]:
        """Yield the samples, in the order of their first rows; some of them exist at a time."""
        names = ("lane", "fastq_1", "fastq_2", "library", "bam", "cram", "gvcf")
        for some in self.slices(("sample", *OWN, *names)):
            columns = some.columns
            values = zip(some.lines.tolist(), *(columns[name].to_pylist() for name in names), strict=True)
            texts = [
                (gvcf, Lane(lane, fastq_1 or None, fastq_2 or None, library or None, line, bam or None, cram or None))
                for line, lane, fastq_1, fastq_2, library, bam, cram, gvcf in values
            ]
            own = zip(*(columns[name].take(some.first).to_pylist() for name in ("sample", *OWN)), strict=True)
            for (sample, patient, sex, status), (start, end) in zip(own, pairwise(some.offsets.tolist()), strict=True):
                of_sample = texts[start:end]
                gvcf = of_sample[-1][0] or None
                lanes = () if gvcf else tuple(lane for _, lane in of_sample)
                yield Sample(sample, patient, sex, int(status), lanes, gvcf, of_sample[0][1].line)

    def slices(self, names: Collection[str]) -> Iterator[Slice]:
        """Yield some samples at a time, in the order of their first rows.

        Args:
            names: The columns that they have.
        """
        order = np.argsort(self.codes, kind="stable")
        bounds = np.searchsorted(self.codes[order], np.arange(self.samples + 1))
        for start in range(0, self.samples, SLICE):
            own = bounds[start : start + SLICE + 1]
            rows = order[own[0] : own[-1]]
            columns = {name: self._absolute(name, _some(self.columns[name], rows)) for name in names}
            yield Slice(self.lines[rows], own - own[0], columns)


def plain_rows(blocks: Sequence[SheetBlock], prefix: str) -> PlainRows:
    """Return the plain rows of blocks.

    Args:
        blocks: The blocks, at least one.
        prefix: What precedes relative paths.
    """
    lines = np.concatenate([block.lines[block.plain] for block in blocks])
    columns: dict[str, pa.ChunkedArray] = {}
    for name in ("sample", *OWN, "lane", "library", *FILE_COLUMNS):
        if name in blocks[0].columns:
            columns[name] = pa.chunked_array([_kept(block, name) for block in blocks])
        elif name == "patient":
            columns[name] = columns["sample"]
        else:
            columns[name] = pa.chunked_array([pa.repeat(pa.scalar(DEFAULTS.get(name, "")), len(lines))])
    names = np.concatenate([block.hashes["sample"][block.plain] for block in blocks])
    is_unique = not repeated(names).any() and all(map(is_long, columns["sample"].chunks))
    return PlainRows(columns, lines, np.arange(len(lines)) if is_unique else _codes(columns["sample"]), prefix)


def _some(values: pa.ChunkedArray, rows: Numbers) -> pa.StringArray:
    """Return the values of some rows, which are mostly beside each other: `take` copies the whole column."""
    first, last = int(rows.min()), int(rows.max())
    near = one_array(values.slice(first, last + 1 - first))
    is_order = len(rows) == last + 1 - first and bool((np.diff(rows) == 1).all())
    return near if is_order else near.take(pa.array(rows - first))


def _kept(block: SheetBlock, name: str) -> pa.StringArray:
    values = block.columns[name]
    return values if block.plain.all() else values.filter(pa.array(block.plain))


def _array(marks: Any) -> Marks:
    found: Marks = np.array(marks)
    return found


def _codes(values: pa.ChunkedArray) -> Numbers:
    """Return a number for each value, from 0 in the order of their first rows."""
    chunks = values.dictionary_encode().chunks
    return np.concatenate([np.empty(0, np.int64), *(chunk.indices.to_numpy().astype(np.int64) for chunk in chunks)])


def repeated(values: npt.NDArray[Any]) -> Marks:
    """Mark the values that there are several times."""
    ordered = np.sort(values)
    several = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.isin(values, several) if several.size else np.zeros(len(values), dtype=bool)
