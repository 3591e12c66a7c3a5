"""The plain rows of a sample sheet as lines of JSON, made in columns of Arrow; plain values need no escapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genomics_pipeline.model.plain_rows import OWN, PlainRows
from genomics_pipeline.model.sheet_blocks import EMPTY, FILE_COLUMNS, Marks, Numbers


@dataclass(frozen=True, slots=True)
class SampleTexts:
    """A text for each of some samples.

    Attributes:
        lines: The number of the first line of each sample.
        texts: The text of each.
    """

    lines: Numbers
    texts: pa.StringArray

    def each(self) -> Iterator[tuple[int, str]]:
        """Yield the first line and the text of each sample."""
        return zip(self.lines.tolist(), self.texts.to_pylist(), strict=True)

    def joined(self) -> str:
        """Return all of the texts as one."""
        texts = self.texts
        offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
        start, end = int(offsets[0]), int(offsets[-1])
        return texts.buffers()[2].slice(start, end - start).to_pybytes().decode() if end > start else ""


def sample_texts(rows: PlainRows, of_gvcfs: bool) -> Iterator[SampleTexts]:
    """Yield the lines of samples in ``manifest.jsonl``, or in ``gvcfs.jsonl``, as `model.manifest` writes them.

    Args:
        rows: The rows of the samples.
        of_gvcfs: Whether to yield the samples with a gVCF, and not those with reads.
    """
    for some in rows.slices(("sample", *OWN, "lane", "library", *FILE_COLUMNS)):
        lanes = _of_samples(_lane_json(some.columns), some.offsets, ",")
        first = {name: some.columns[name].take(some.first) for name in ("sample", *OWN, "gvcf")}
        marks: Marks = np.array(pc.not_equal(first["gvcf"], EMPTY)) == of_gvcfs
        rest = [',"gvcf":"', first["gvcf"], '"}\n'] if of_gvcfs else [',"lanes":[', lanes, "]}\n"]
        begin = ['{"sample":"', first["sample"], '","patient":"', first["patient"], '","sex":"', first["sex"]]
        texts = _join(*begin, '","status":', first["status"], *rest)
        lines = some.lines[some.first]
        yield SampleTexts(lines, texts) if marks.all() else SampleTexts(lines[marks], texts.filter(pa.array(marks)))


def record_texts(rows: PlainRows) -> Iterator[SampleTexts]:
    """Yield the records of samples' lanes, as `model.sheet_records` writes them; none is an empty text."""
    for some in rows.slices(("sample", "lane", "library", "fastq_1", "fastq_2")):
        lines, offsets, columns = some.lines, some.offsets, some.columns
        is_given: Marks = np.array(pc.not_equal(columns["fastq_1"], EMPTY))
        if not is_given.all():
            offsets = np.concatenate([[0], np.cumsum(is_given)])[offsets]
            lines = lines[is_given]
            columns = {name: one.filter(pa.array(is_given)) for name, one in columns.items()}
        texts = _join(
            *(
                '{"sample":"',
                columns["sample"],
                '","lane":"',
                columns["lane"],
                '","fastq_1":"',
                columns["fastq_1"],
                '"',
            ),
            *(_member("fastq_2", columns["fastq_2"]), _member("library", columns["library"])),
            *(',"line":', pa.array(lines).cast(pa.string()), _of_library(columns, offsets), "}\n"),
        )
        yield SampleTexts(some.lines[some.first], _of_samples(texts, offsets, ""))


def fastq_files(rows: PlainRows) -> Iterator[tuple[int, str]]:
    """Yield the first line of the sample and the path or URI of each FASTQ file, in the order of their lanes."""
    for some in rows.slices(("fastq_1", "fastq_2")):
        lines = np.repeat(some.lines[some.first], np.diff(some.offsets)).tolist()
        mates = (some.columns[name].to_pylist() for name in ("fastq_1", "fastq_2"))
        pairs = chain.from_iterable(zip(*mates, strict=True))
        twice = chain.from_iterable(zip(lines, lines, strict=True))
        yield from ((line, file) for line, file in zip(twice, pairs, strict=True) if file)


def _of_library(columns: Mapping[str, pa.StringArray], offsets: Numbers) -> pa.StringArray | str:
    """Return the member ``of_library`` of each row; no text where it is the first of its library.

    Args:
        columns: The columns.
        offsets: Where each sample begins, and the last one ends.
    """
    count = len(columns["library"])
    if len(offsets) == count + 1 and (np.diff(offsets) == 1).all():
        return ""
    libraries = columns["library"].dictionary_encode().indices.to_numpy().astype(np.int64)
    samples = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    key = samples * (int(libraries.max(initial=0)) + 1) + libraries
    _, first, groups = np.unique(key, return_index=True, return_inverse=True)
    others = first[groups]
    files = pc.if_else(pa.array(others == np.arange(count)), EMPTY, columns["fastq_1"].take(others))
    return _member("of_library", files)


def _lane_json(columns: Mapping[str, pa.StringArray]) -> pa.StringArray:
    """Return the JSON of each row's lane."""
    mates = columns["fastq_2"]
    mates = pc.if_else(pc.equal(mates, EMPTY), pa.scalar("null"), _join('"', mates, '"'))
    files = _join(',"fastq_1":"', columns["fastq_1"], '","fastq_2":', mates)
    for name in ("bam", "cram"):
        if pc.any(is_given := pc.not_equal(columns[name], EMPTY)).as_py():
            files = pc.if_else(is_given, _member(name, columns[name]), files)
    return _join('{"lane":"', columns["lane"], '"', files, _member("library", columns["library"]), "}")


def _member(name: str, values: pa.StringArray) -> pa.StringArray:
    """Return a member of an object for each value, behind others; no text where it is empty."""
    return pc.if_else(pc.equal(values, EMPTY), EMPTY, _join(f',"{name}":"', values, '"'))


def _of_samples(texts: pa.StringArray, offsets: Numbers, separator: str) -> pa.StringArray:
    """Return the texts of each sample's rows as one.

    Args:
        texts: The text of each row.
        offsets: Where each sample begins, and the last one ends.
        separator: What is between them.
    """
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts), separator)


def _join(*parts: str | pa.StringArray) -> pa.StringArray:
    """Return texts of parts; a part is the same text in all of them, or one for each."""
    return pc.binary_join_element_wise(*parts, "")
