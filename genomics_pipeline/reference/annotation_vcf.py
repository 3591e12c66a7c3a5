"""VCF files of known variants, such as dbSNP's, against a reference and the columns that are taken from them."""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator
from itertools import takewhile

from genomics_pipeline.model import budgets
from genomics_pipeline.model.annotation_columns import unknown_columns
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.contig_names import contig_hint
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, text_lines

_INFO = re.compile(rb"##INFO=<ID=([^,>]+)")
_TBI, _CSI = b"TBI\x01", b"CSI\x01"


def vcf_problems(uri: str, index: str, columns: str, store: Store, contigs: Collection[str]) -> Iterator[Problem]:
    """Yield the problems of a VCF file whose columns are taken.

    Args:
        uri: The file, which exists.
        index: Its index, which exists.
        columns: The columns; see `model.annotation_columns`.
        store: The store of the files.
        contigs: The names of the contigs of the reference.

    Raises:
        OSError: if a file cannot be read.
    """
    kind = TextKind("VCF", budgets.VCF_HEADER, budgets.VCF_LINE)
    try:
        header = list(takewhile(lambda line: line.startswith(b"##"), text_lines(uri, kind, store)))
    except DataError as error:
        yield from (Problem(one.message, uri) for one in error.problems)
        return
    if not header or not header[0].startswith(b"##fileformat=VCF"):
        yield Problem("expected a VCF file compressed with bgzip, whose first line begins with ##fileformat=VCF", uri)
        return
    fields = [match[1].decode("utf-8", "backslashreplace") for line in header if (match := _INFO.match(line))]
    yield from (Problem(message, uri) for message in unknown_columns(columns, fields))
    try:
        names = indexed_contigs(index, store)
    except DataError as error:
        yield from (Problem(one.message, index) for one in error.problems)
        return
    if names and not set(names).intersection(contigs):
        hint = contig_hint(names[0], contigs)
        rename = "to rename contigs: bcftools annotate --rename-chrs"
        yield Problem(f"expected contigs of the reference, found {names[0]!r} and no other; {hint} {rename}", uri)


def indexed_contigs(index: str, store: Store) -> list[str]:
    """Return the names of the contigs in an index of a VCF file, TBI or CSI.

    The layouts are those of https://samtools.github.io/hts-specs/tabix.pdf and CSIv1.pdf: a CSI index of a VCF file has
    tabix's fields as its auxiliary data.

    Raises:
        DataError: for a file that is no such index.
    """
    with store.open(index) as stored, reported_damage():
        data = open_decompressed(stored).read(budgets.INDEX_LINE.value)
    try:
        if data.startswith(_TBI):
            fields = data[8:]  # after the magic number and the number of sequences
        elif data.startswith(_CSI):
            fields = data[16:]  # after the magic number, min_shift, depth and l_aux
        else:
            raise DataError("expected an index in TBI or CSI, found a file of another kind")
        (length,) = struct.unpack_from("<i", fields, 24)
    except struct.error:
        raise DataError("expected an index in TBI or CSI, found one that is cut off") from None
    names = fields[28 : 28 + length].split(b"\0")
    return [name.decode("utf-8", "backslashreplace") for name in names if name]
