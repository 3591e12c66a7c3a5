"""Reference panels of phased genotypes, VCF or BCF files, against a reference: their headers and records.

All records of a small panel are checked before a run, and its index. A panel of a whole genome has too many: of a file
on this machine, the first ones of each contig are read, by the index, and of another VCF file the first ones. The step
that imputes checks each record that it uses by the same rules. The layout of BCF's header is that of the VCF
specification 4.3, section 6.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.annotation_vcf import indexed_contigs
from genomics_pipeline.reference.contig_names import contig_hint
from genomics_pipeline.reference.panel_records import FIRST_SAMPLE, Bases, PanelRules
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, text_lines

_BCF = b"BCF\x02"
_CONTIG = re.compile(r"##contig=<(?:.*,)?ID=([^,>]+)")
_KIND = TextKind("VCF", budgets.VCF_HEADER, budgets.VCF_LINE)
_WHOLE = TextKind("VCF", budgets.PANEL_TEXT, budgets.VCF_LINE)


def panel_problems(
    uri: str,
    index: str,
    store: Store,
    contigs: Mapping[str, int],
    bases: Bases | None,
    samples: Collection[str] = (),
) -> Iterator[Problem]:
    """Yield the problems of a panel, those of records at most as many as their budget says.

    Args:
        uri: The file, which exists.
        index: Its index, which exists.
        store: The store of the files.
        contigs: The length of each contig of the reference, by name.
        bases: Returns bases of the reference; None where they cannot be read before a run.
        samples: The samples of the cohort, which are left out of the panel.

    Raises:
        OSError: if a file cannot be read.
    """
    try:
        header, records = _read(uri, store)
    except DataError as error:
        yield from (Problem(one.message, uri) for one in error.problems)
        return
    people = _people(header)
    if message := _people_misfit(people, samples):
        yield Problem(message, uri)
        return
    try:
        names = indexed_contigs(index, store) if records else []  # the index of a BCF file has no names
    except DataError as error:
        yield from (Problem(one.message, index) for one in error.problems)
        return
    names = names or [match[1] for line in header if (match := _CONTIG.match(line))]
    if names and not set(names).intersection(contigs):
        rename = "to rename contigs: bcftools annotate --rename-chrs"
        found = f"found {names[0]!r} and no other; {contig_hint(names[0], contigs)}"
        yield Problem(f"expected contigs of the reference, {found} {rename}", uri)
        return
    rules = PanelRules(uri, people, contigs, bases)
    own = [name for name in dict.fromkeys(names) if name in contigs]
    try:
        yield from islice(rules.problems(_checked(uri, index, records, own, store)), budgets.PANEL_ERRORS.value)
        if store.local(uri) is not None and _is_small(uri, store) and not rules.has_problems:
            yield from _index_problems(uri, index, rules.counts)
    except DataError as error:
        yield from (Problem(one.message, uri) for one in error.problems)
    except (OSError, ValueError) as error:
        yield Problem(f"expected a whole file with its index, found: {error}", uri)


def _people_misfit(people: Sequence[str], samples: Collection[str]) -> str | None:
    """Return what is wrong with the people of a panel, or None."""
    if not people:
        return "expected a VCF or BCF file with genotypes of people, found none in its header"
    if set(people) <= set(samples):
        return f"expected people who are not in the cohort, found {len(people)}, all of whom are samples of it"
    return None


def _is_small(uri: str, store: Store) -> bool:
    info = store.stat(uri)
    return info is not None and info.size_bytes <= budgets.PANEL_WHOLE.value


def _checked(uri: str, index: str, first: list[str], contigs: list[str], store: Store) -> Iterable[str]:
    """Return the records to check: all of a small panel, else the first ones.

    Args:
        uri: The file.
        index: Its index.
        first: The first records of the file; none of a BCF file.
        contigs: The contigs of the reference that it may have.
        store: The store of the files.
    """
    local = store.local(uri)
    if not _is_small(uri, store):
        return first if local is None else _first_records(str(local), index, contigs)
    if first:
        lines = (line.decode("utf-8", "backslashreplace") for line in text_lines(uri, _WHOLE, store))
        return (line for line in lines if not line.startswith("#"))
    return () if local is None else _bcf_records(str(local))


def _bcf_records(path: str) -> Iterator[str]:
    import pysam

    with pysam.VariantFile(path) as file:
        yield from (str(record).rstrip("\n") for record in file)


@contextmanager
def _by_index(path: str, index: str) -> Iterator[Callable[[str], Iterable[object]]]:
    """Give a function that returns the records of a contig, whose text is that of a line; none of one without records.

    Args:
        path: The file, VCF or BCF, on this machine.
        index: Its index.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the index is of another file.
    """
    import pysam

    with pysam.VariantFile(path, index_filename=index) as file:
        if file.is_bcf:
            yield file.fetch
            return
    with pysam.TabixFile(path, index=index) as lines:
        contigs = frozenset(lines.contigs)
        yield lambda contig: lines.fetch(contig) if contig in contigs else ()


def _first_records(path: str, index: str, contigs: list[str]) -> list[str]:
    """Return the first records of each contig of a file, all together as many as their budget says."""
    each = max(1, budgets.PANEL_RECORDS.value // max(1, len(contigs)))
    with _by_index(path, index) as fetch:
        return [str(record).rstrip("\n") for one in contigs for record in islice(fetch(one), each)]


def _index_problems(path: str, index: str, counts: Mapping[str, int]) -> Iterator[Problem]:
    """Yield a problem for the first contig of whose records an index does not find as many as there are.

    Args:
        path: The file, on this machine.
        index: Its index.
        counts: The number of records of each contig.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if the index is of another file.
    """
    with _by_index(path, index) as fetch:
        for contig, count in counts.items():
            found = sum(1 for _ in fetch(contig))
            if found != count:
                expected = (
                    f"expected the index of {path}, found one by which {found:,} of {count:,} records of {contig}"
                )
                yield Problem(f"{expected} are found; make it again: bcftools index -f {path}", index)
                return


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
    return header[-1].split("\t")[FIRST_SAMPLE:] if header and header[-1].startswith("#CHROM") else []


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
