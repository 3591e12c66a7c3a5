"""The shards of a VCF as the records of a run: what a pipeline with the source ``VCF`` reads."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.model.parameters import absolute_uri
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import REGION_INDEXES
from genomics_pipeline.reference.bgzf import END, MAX_BLOCK_BYTES, whole_blocks
from genomics_pipeline.reference.tabix_index import TabixIndex
from genomics_pipeline.reference.vcf_shards import shard_regions
from genomics_pipeline.stores.given_file import find_index, stat_given
from genomics_pipeline.stores.protocol import ObjectInfo, Store
from genomics_pipeline.worker.excerpt import HEADER_BYTES, PartReader
from genomics_pipeline.worker.excerpt_header import read_header

_GZIP, _BGZIP = b"\x1f\x8b", b"\x1f\x8b\x08\x04"
_OTHER_INDEX = "the index is of another file, or of this one before it was changed; make it again with `bcftools index"


@dataclass(frozen=True, slots=True)
class VcfShards:
    """The shards of a VCF.

    Attributes:
        text: A line of JSON for each, the execution's records.
        uri: The URI or the absolute path of the file.
        version: `ObjectInfo.version` of the file, and of its index.
        size_bytes: The size of the file.
        contigs: The contigs with records.
    """

    text: str
    uri: str
    version: str
    size_bytes: int
    contigs: tuple[str, ...]


class _Indexed(NamedTuple):
    """A file with its index."""

    tabix: TabixIndex
    numbers: Mapping[str, int] | None
    contigs: tuple[str, ...]


def read_vcf_shards(vcf: str, shard_bytes: int, store: Store, folder: str) -> VcfShards:
    """Return the shards of a VCF or BCF file, after its ends and its index were looked at.

    Args:
        vcf: The path or URI of the file.
        shard_bytes: The compressed size of a shard, about.
        store: The store of the file.
        folder: The current folder, which a relative path begins from.

    Raises:
        UsageError: without a file.
        DataError: for a file that is no VCF or BCF that bgzip compressed, is cut off, or has no index of its own.
    """
    if not vcf:
        raise UsageError("RECORDS: expected a VCF or BCF file that bgzip compressed, with its index; found none")
    uri, shown = absolute_uri(vcf, folder), without_secrets(vcf)
    info = stat_given(uri, store)
    _refuse_other_compression(shown, uri, info, store)
    if (beside := find_index(uri, REGION_INDEXES, store)) is None:
        expected = f"expected its index beside it ({shown}.tbi or {shown}.csi), found none"
        raise DataError(f"{shown}: {expected}; make it with `bcftools index -t {shown}`")
    index_info = stat_given(beside, store)
    try:
        found = _read(uri, info, beside, index_info, store)
    except DataError as error:
        raise DataError(f"{shown}: {error}") from None
    regions = list(shard_regions(found.tabix, shard_bytes, found.numbers))
    file = {"vcf": uri, "version": info.version, "shards": len(regions), "of_records": found.tabix.records()}
    records = ({"shard": number, **file, "regions": list(map(str, one))} for number, one in enumerate(regions, 1))
    text = "".join(f"{_line(record)}\n" for record in records)
    return VcfShards(text, uri, f"{info.version}\0{index_info.version}", info.size_bytes, found.contigs)


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def _refuse_other_compression(shown: str, uri: str, info: ObjectInfo, store: Store) -> None:
    """Refuse a file whose first bytes are not those of bgzip.

    Raises:
        DataError: for such a file, with the command that makes one of it.
    """
    if not info.size_bytes:
        raise DataError(f"{shown}: expected a VCF or BCF file, found an empty file")
    head = store.read_part(uri, 0, len(_BGZIP), info.version).data
    if head == _BGZIP:
        return
    kind = "gzip of another kind" if head.startswith(_GZIP) else "another, or none"
    plain = shown.removesuffix(".gz")
    made = f"`gunzip -c {shown} | bgzip > {plain}.bgz`" if head.startswith(_GZIP) else f"`bgzip {shown}`"
    expected = "expected the compression of bgzip, of which parts can be read"
    raise DataError(f"{shown}: {expected}, found {kind}; compress it with {made}, then `bcftools index -t`")


def _read(uri: str, info: ObjectInfo, beside: str, index_info: ObjectInfo, store: Store) -> _Indexed:
    """Return a file's index, compared with its header and its end.

    Raises:
        DataError: if they do not agree.
    """
    reader = PartReader(store, uri, info.version, info.size_bytes, threading.Event())
    header = read_header(reader.blocks(0, info.size_bytes, HEADER_BYTES))
    if reader.read(max(0, info.size_bytes - len(END)), info.size_bytes) != END:
        raise DataError("expected the empty block with which bgzip ends a file, found none: the file is cut off")
    name = without_secrets(beside).rpartition("/")[2]
    try:
        index = TabixIndex(store.read_part(beside, 0, index_info.size_bytes, index_info.version).data)
        index.refuse_lack_of_names(header.numbers)
        contigs = tuple(index.contigs(header.numbers))
        _refuse_other_end(reader, index.end(), len(contigs))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    return _Indexed(index, header.numbers, contigs)


def _refuse_other_end(reader: PartReader, end: int, contigs: int) -> None:
    """Refuse a file that does not end where its index says that the last record does.

    Raises:
        DataError: for such a file.
    """
    size, (place, within) = reader.size_bytes, divmod(end, MAX_BLOCK_BYTES)
    if not contigs:
        return
    if place + len(END) > size:
        raise DataError(f"expected records to byte {place:,}, found a file of {size:,} bytes; {_OTHER_INDEX}`")
    behind = reader.read(place, min(size, place + 2 * MAX_BLOCK_BYTES))
    try:
        texts = [block.text for block in whole_blocks(behind, place)]
    except DataError:
        raise DataError(f"expected the last record before byte {place:,}, found none; {_OTHER_INDEX}`") from None
    rest = b"".join(texts)[within:]
    if rest or sum(map(len, texts)) < within or place + 2 * MAX_BLOCK_BYTES < size:
        raise DataError(f"expected the last record before byte {place:,}, found more behind it; {_OTHER_INDEX}`")
