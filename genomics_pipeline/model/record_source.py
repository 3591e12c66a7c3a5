"""The source of records: the form of the objects that an ItemReader reads, `[maps.record.source]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OBJECTS = "OBJECTS"
MANIFEST = "MANIFEST"
SHEET = "SHEET"
VCF = "VCF"
WRITTEN = (SHEET, VCF)  # of which the run writes the records, as JSON Lines
SHARD_BYTES = 32 << 20
COMMA = "COMMA"
TEXTS = ("JSONL", "CSV")  # of which a file can be divided between two lines


@dataclass(frozen=True, slots=True)
class RecordSource:
    """The form of the objects that hold records.

    Attributes:
        format: ``JSONL``, ``CSV``, ``JSON``, ``PARQUET``; ``MANIFEST`` for the objects that an inventory of S3 lists;
            ``OBJECTS`` for the objects below a prefix, each a record ``{Etag, Key, LastModified, Size, StorageClass}``;
            ``SHEET`` for the lanes with FASTQ files of a sample sheet, which the run writes as JSON Lines:
            `sheet_records.record_lines`; ``VCF`` likewise for the parts of a VCF: `vcf_shards`.
        prefix: The records are those of all objects below a prefix, one after the other, instead of one object's.
        header: The names of the columns of CSV; none where the first row has them.
        delimiter: The delimiter of CSV, in AWS's words.
        pointer: Of JSON: the JSON Pointer to the array of records; the whole file by default.
        max_items: The number of records to read at most; None for all.
        shard_bytes: Of VCF: the compressed size of a shard, about.
    """

    format: str = "JSONL"
    prefix: bool = False
    header: tuple[str, ...] = ()
    delimiter: str = COMMA
    pointer: str = ""
    max_items: int | None = None
    shard_bytes: int = SHARD_BYTES

    @property
    def is_json_lines(self) -> bool:
        """True if the execution reads one object of JSON Lines, so that a rerun can, too."""
        return self == JSON_LINES or self.is_written

    @property
    def is_written(self) -> bool:
        """True if the run writes the records itself, of the file that the user names."""
        return self.format in WRITTEN

    @property
    def listed(self) -> bool:
        """True if the execution's input names a prefix instead of an object."""
        return self.prefix or self.format == OBJECTS

    def place_misfit(self, key: str) -> str | None:
        """Return what is wrong with the key of a run's records, or None.

        >>> RecordSource().place_misfit("day/"), RecordSource(prefix=True).place_misfit("day/")
        ("expected an object, found the prefix 'day/'", None)
        """
        if self.listed and key and not key.endswith("/"):
            return f"expected a prefix that ends in '/', without which it would match longer names; found {key!r}"
        if not self.listed and (not key or key.endswith("/")):
            return f"expected an object, found the prefix {key!r}"
        return None


JSON_LINES = RecordSource()


def record_source(raw: Mapping[str, Any]) -> RecordSource:
    """Return the source that a pipeline's file declares."""
    return RecordSource(**{**raw, "header": tuple(raw.get("header", ()))})
