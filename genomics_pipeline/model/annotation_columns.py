"""Columns that are taken from a VCF file of known variants, as `bcftools annotate --columns` names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from genomics_pipeline.model.errors import did_you_mean

# `ID`, an INFO field, or an INFO field under another name; names as in the VCF specification 4.3, section 1.6.1.
_NAME = r"[A-Za-z_][A-Za-z0-9_.]*"
_COLUMN = re.compile(rf"(?:(?:INFO/)?{_NAME}:=)?(?:INFO/)?({_NAME})")
ID = "ID"


def unknown_columns(columns: str, fields: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with each column that a file cannot give.

    Args:
        columns: The columns between commas, such as ``ID,CLNSIG,gnomad_AF:=AF``.
        fields: The INFO fields that the header of the file declares.

    >>> list(unknown_columns("ID,INFO/CLNSIG,gnomad_AF:=AF", ["CLNSIG", "AF"]))
    []
    >>> list(unknown_columns("CLNSIC", ["CLNSIG"]))
    ["expected columns that the file has, found 'CLNSIC'; did you mean 'CLNSIG'?"]
    """
    for column in columns.split(","):
        match = _COLUMN.fullmatch(column)
        if match is None:
            yield f"expected columns such as ID, CLNSIG or gnomad_AF:=AF between commas, found {column!r}"
        elif match[1] != ID and match[1] not in fields:
            yield f"expected columns that the file has, found {match[1]!r}; {did_you_mean(match[1], [ID, *fields])}"
