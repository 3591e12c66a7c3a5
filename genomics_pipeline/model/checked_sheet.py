"""A sample sheet after all checks: its plain rows as columns, and the samples of all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines, parse_sheet
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.sheet import ignore

if TYPE_CHECKING:
    from genomics_pipeline.model.plain_rows import PlainRows

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

    def to_samples(self) -> list[Sample]:
        """Return all samples, in the order of their first rows."""
        if self.plain is None:
            return [*self.others]
        return list(merge(self.plain.to_samples(), self.others, key=lambda one: one.line or 0))

    def json_texts(self) -> Iterator[str]:
        """Yield the lines of ``manifest.jsonl`` and ``gvcfs.jsonl``, as `model.manifest` writes them, in parts."""
        for of_gvcfs, write in ((False, manifest_lines), (True, gvcf_lines)):
            others = [one for one in self.others if (one.gvcf is not None) == of_gvcfs]
            if self.plain is None:
                yield write(others)
            elif not others:
                yield from self.plain.json_texts(of_gvcfs)
            else:
                exact = ((one.line or 0, write([one])) for one in others)
                yield from (text for _, text in merge(self.plain.json_lines(of_gvcfs), exact))


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
