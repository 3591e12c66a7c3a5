"""A sample sheet after all checks: its plain rows as columns, and the samples of all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines, parse_sheet
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.sheet import ignore
from genomics_pipeline.model.sheet_records import lane_files, record_lines

if TYPE_CHECKING:
    from genomics_pipeline.model.plain_rows import PlainRows
    from genomics_pipeline.model.plain_texts import SampleTexts

SMALL_BYTES = 1 << 20  # sheets that are checked before Arrow would be imported


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """A valid sample sheet.

    Attributes:
        others: The samples that are not among the plain rows, in the order of their first rows.
        plain: The plain rows; None for none.
    """

    others: Sequence[Sample]
    plain: PlainRows | None = None

    @property
    def samples(self) -> int:
        """The number of samples."""
        return len(self.others) + (self.plain.samples if self.plain else 0)

    @property
    def lanes(self) -> int:
        """The number of lanes."""
        return sum(len(one.lanes) for one in self.others) + (self.plain.lanes if self.plain else 0)

    def __iter__(self) -> Iterator[Sample]:
        """Yield all samples, in the order of their first rows; those of plain rows exist only meanwhile."""
        if self.plain is None:
            return iter(self.others)
        return merge(self.plain.each_sample(), self.others, key=lambda one: one.line or 0)

    def json_texts(self) -> Iterator[str]:
        """Yield the lines of ``manifest.jsonl`` and ``gvcfs.jsonl``, as `model.manifest` writes them, in parts."""
        for of_gvcfs, write in ((False, manifest_lines), (True, gvcf_lines)):
            others = [one for one in self.others if (one.gvcf is not None) == of_gvcfs]
            if self.plain is None:
                yield from write(others)
            else:
                from genomics_pipeline.model.plain_texts import sample_texts

                exact = ((one.line or 0, next(write([one]))) for one in others)
                yield from _merged(sample_texts(self.plain, of_gvcfs), exact)

    def record_texts(self) -> Iterator[str]:
        """Yield the lines of the lanes with FASTQ files as records, in parts: see `model.sheet_records`."""
        if self.plain is None:
            yield from map(record_lines, self.others)
        else:
            from genomics_pipeline.model.plain_texts import record_texts

            exact = ((one.line or 0, record_lines(one)) for one in self.others)
            yield from _merged(record_texts(self.plain), exact)

    def fastq_files(self) -> Iterator[str]:
        """Yield the paths and URIs of the FASTQ files, in the order of their samples and lanes."""
        exact = ((one.line or 0, file) for one in self.others for file in lane_files(one))
        if self.plain is None:
            return (file for _, file in exact)
        from genomics_pipeline.model.plain_texts import fastq_files

        return (file for _, file in merge(fastq_files(self.plain), exact, key=itemgetter(0)))


def _merged(plain: Iterable[SampleTexts], exact: Iterator[tuple[int, str]]) -> Iterator[str]:
    """Yield the texts of samples in the order of their first lines, in parts.

    Args:
        plain: The texts of plain rows.
        exact: The first line and the text of each other sample.
    """
    following = next(exact, None)
    for some in plain:
        if following is None or (len(some.lines) and some.lines[-1] < following[0]):
            yield some.joined()
            continue
        for line, text in some.each():
            while following is not None and following[0] < line:
                yield following[1]
                following = next(exact, None)
            yield text
    if following is not None:
        yield following[1]
    yield from (text for _, text in exact)


def check_sheet(
    data: bytes,
    name: str,
    base: str,
    warn: Callable[[Problem], None] = ignore,
    follow: Callable[[str], str] = str,
) -> CheckedSheet:
    """Return a sheet after the checks of `parse_sheet`.

    Args:
        data: The sheet in UTF-8.
        name: Its path or URI, for messages; the extension tells CSV, TSV and JSON Lines apart.
        base: The folder or URI that relative paths of files are relative to.
        warn: Takes what is not used of the sheet, once for each column.
        follow: Returns an absolute path without ``..``; what is behind the last one stays as it is.

    Raises:
        DataError: with all problems, in source order.
    """
    if len(data) <= SMALL_BYTES:
        return CheckedSheet(parse_sheet(data.decode(), name, base, warn, follow))
    from genomics_pipeline.model.sheet_columns import check_columns

    return CheckedSheet(*check_columns(data, name, base, warn, follow))
