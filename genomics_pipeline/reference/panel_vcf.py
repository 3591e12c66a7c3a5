"""Reference panels of phased genotypes, VCF or BCF files, against a reference: their headers and first records.

A panel of a whole genome has more records than can be read before a run: of a file on this machine, the first ones of
each contig are, by the index, and of another VCF file the first ones. The step that imputes checks each record that
it uses by the same rules. The layout of BCF's header is that of the VCF specification 4.3, section 6.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.annotation_vcf import indexed_contigs
from genomics_pipeline.reference.contig_names import contig_hint
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, text_lines

_BCF = b"BCF\x02"
_FIRST_SAMPLE = 9  # columns before it
_CONTIG = re.compile(r"##contig=<(?:.*,)?ID=([^,>]+)")
_PHASED = re.compile(r"\d+(\|\d+)?")  # haploid genotypes, as of chrX, are left out later
_BASES = frozenset("ACGT")
_KIND = TextKind("VCF", budgets.VCF_HEADER, budgets.VCF_LINE)
Bases = Callable[[str, int, int], str]  # of a contig, from a position, counted from 0, to another


def panel_problems(
    uri: str, index: str, store: Store, contigs: Mapping[str, int], bases: Bases | None
) -> Iterator[Problem]:
    """Yield the problems of a panel, those of records at most as many as their budget says.

    Args:
        uri: The file, which exists.
        index: Its index, which exists.
        store: The store of the files.
        contigs: The length of each contig of the reference, by name.
        bases: Returns bases of the reference; None where they cannot be read before a run.

    Raises:
        OSError: if a file cannot be read.
    """
    try:
        header, records = _read(uri, store)
        # The index of a BCF file has no names.
        names = indexed_contigs(index, store) if records else []
        names = names or [match[1] for line in header if (match := _CONTIG.match(line))]
    except DataError as error:
        yield from (Problem(one.message, uri) for one in error.problems)
        return
    people = _people(header)
    if not people:
        yield Problem("expected a VCF or BCF file with genotypes of people, found none in its header", uri)
        return
    if names and not set(names).intersection(contigs):
        rename = "to rename contigs: bcftools annotate --rename-chrs"
        found = f"found {names[0]!r} and no other; {contig_hint(names[0], contigs)}"
        yield Problem(f"expected contigs of the reference, {found} {rename}", uri)
        return
    local = store.local(uri)
    if local is not None:
        try:
            records = _first_records(str(local), index, [name for name in dict.fromkeys(names) if name in contigs])
        except (OSError, ValueError) as error:
            yield Problem(f"expected a whole file with its index, found: {error}", uri)
            return
    yield from islice(_record_problems(uri, records, people, contigs, bases), budgets.PANEL_ERRORS.value)


def _first_records(path: str, index: str, contigs: list[str]) -> list[str]:
    """Return the first records of each contig of a file on this machine, all together as many as their budget says.

    Args:
        path: The file, VCF or BCF.
        index: Its index.
        contigs: The contigs, of which some may have no records.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the index is of another file.
    """
    import pysam

    each = max(1, budgets.PANEL_RECORDS.value // max(1, len(contigs)))
    with pysam.VariantFile(path, index_filename=index) as file:
        if file.is_bcf:
            return [str(record).rstrip("\n") for one in contigs for record in islice(file.fetch(one), each)]
    with pysam.TabixFile(path, index=index) as lines:
        own = [one for one in contigs if one in lines.contigs]
        return [line for one in own for line in islice(lines.fetch(one), each)]


def panel_people(uri: str, store: Store) -> list[str]:
    """Return the names of a panel's people; none of a file that is no panel, which `panel_problems` reports.

    Args:
        uri: The file, which exists.
        store: The store of the file.

    Raises:
        OSError: if the file cannot be read.
    """
    try:
        header, _ = _read(uri, store)
    except DataError:
        return []
    return _people(header)


def _people(header: list[str]) -> list[str]:
    return header[-1].split("\t")[_FIRST_SAMPLE:] if header and header[-1].startswith("#CHROM") else []


def _read(uri: str, store: Store) -> tuple[list[str], list[str]]:
    """Return the header's lines and the first records, without those of a BCF file.

    Raises:
        DataError: for a damaged file.
    """
    with store.open(uri) as stored, reported_damage():
        stream = open_decompressed(stored)
        start = stream.read(9)
        if start.startswith(_BCF):
            (length,) = struct.unpack_from("<I", start, 5)
            if length > budgets.VCF_HEADER.value:
                raise DataError(f"expected a header of at most {budgets.VCF_HEADER}, found a longer one")
            text = stream.read(length).rstrip(b"\0").decode("utf-8", "backslashreplace")
            return text.splitlines(), []
    header: list[str] = []
    records: list[str] = []
    size = 0
    for line in text_lines(uri, _KIND, store):
        text = line.decode("utf-8", "backslashreplace")
        if text.startswith("#"):
            header.append(text)
            continue
        size += len(line)
        if len(records) == budgets.PANEL_RECORDS.value or size > budgets.VCF_HEADER.value // 2:
            break
        records.append(text)
    return header, records


def _record_problems(
    uri: str, records: list[str], people: list[str], contigs: Mapping[str, int], bases: Bases | None
) -> Iterator[Problem]:
    for line in records:
        fields = line.split("\t")
        if len(fields) != _FIRST_SAMPLE + len(people) or not fields[1].isdigit():
            yield Problem(f"expected {_FIRST_SAMPLE + len(people)} columns, found {line[:60]!r}", uri)
            return
        contig, pos, ref = fields[0], int(fields[1]), fields[3].upper()
        if contig in contigs:
            place = f"{contig}:{pos}"
            if message := _reference_misfit(contig, pos, ref, contigs[contig], bases):
                yield Problem(f"{place}: {message}", uri)
            if message := _genotype_misfit(fields[_FIRST_SAMPLE:], people):
                yield Problem(f"{place}: {message}", uri)


def _reference_misfit(contig: str, pos: int, ref: str, length: int, bases: Bases | None) -> str | None:
    """Return what is wrong with a record's REF, or None."""
    found = f"found {ref}; is the panel of another assembly?"
    if pos - 1 + len(ref) > length:
        return f"expected REF within the {length} bases of {contig}, {found}"
    own = bases(contig, pos - 1, pos - 1 + len(ref)).upper() if bases else ref
    if any(a != b and {a, b} <= _BASES for a, b in zip(ref, own, strict=True)):
        return f"expected the reference's {own} as REF, {found}"
    return None


def _genotype_misfit(columns: list[str], people: list[str]) -> str | None:
    """Return what is wrong with the first genotype that is not phased, or missing; None if there is none."""
    for name, column in zip(people, columns, strict=True):
        genotype = column.partition(":")[0]
        if not _PHASED.fullmatch(genotype):
            expected = "expected phased genotypes without missing alleles, such as 0|1"
            return f"{expected}, found {genotype} of {name}; phase the panel first"
    return None
