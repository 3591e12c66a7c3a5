"""Files of other kinds that are given as FASTQ, recognised by their first bytes."""

from __future__ import annotations

from struct import unpack_from

# The same as in `genomics_pipeline/stores/compression.py`, which no step can import: a test compares them.
COMPRESSED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([first, 0x2A, 0x4D, 0x18]): "zstd" for first in range(0x50, 0x60)},
    b"\x1f\x9d": "compress",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
# SAM specification, 4.2; CRAM specification, 6; HDF5 file format specification, II.A; POD5's format specification.
_BINARY = {
    b"BAM\1": "a BAM file; name it in the column bam",
    b"CRAM": "a CRAM file; name it in the column cram",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, such as FAST5, which holds signals; call its bases first",
    b"\x8bPOD\r\n\x1a\n": "a POD5 file, which holds signals; call its bases first",
    b"NCBI.sra": "an SRA archive; extract its FASTQ files first",
    b"\x1f\x8b": "gzip again: it was compressed twice; decompress it once",
}
_PAGES = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML document",
    b"<error": "an XML document",
    b"{": "a JSON document",
}
_SAM_HEADERS = (b"@HD\t", b"@SQ\t", b"@RG\t", b"@PG\t", b"@CO\t")


def compression_problem(start: bytes) -> str | None:
    """Return why a file is not read, by its first bytes: a compression other than gzip; or None."""
    name = next((name for first, name in COMPRESSED.items() if start.startswith(first)), None)
    return name and f"expected a plain or gzip file, found {name}; decompress it, or compress it with gzip"


def content_problem(start: bytes) -> str | None:
    r"""Return the kind that a file is of instead of FASTQ, by the first bytes of its content; None for any other.

    >>> content_problem(b"CRAM\3")
    'expected FASTQ, found a CRAM file; name it in the column cram'
    """
    if found := next((words for first, words in _BINARY.items() if start.startswith(first)), None):
        return f"expected FASTQ, found {found}"
    text = start.lstrip().lower()
    if page := next((words for first, words in _PAGES.items() if text.startswith(first)), None):
        return f"expected FASTQ, found {page}, such as the error of a server; transfer the file again"
    if start.startswith(_SAM_HEADERS):
        return "expected FASTQ, found a SAM file; convert it to BAM, and name that in the column bam"
    if start.startswith(b">"):
        return "expected FASTQ, found FASTA, which has no qualities"
    if start[257:262] == b"ustar":
        return "expected FASTQ, found a tar archive; extract its files first"
    return None


def is_bgzf(start: bytes) -> bool:
    """Return whether a gzip file is one of blocks whose sizes its headers say (SAM specification, 4.1)."""
    return block_size(start, 0) is not None


def block_size(data: bytes, place: int) -> int | None:
    """Return the size of the block of BGZF that begins at a place; None if none does.

    Args:
        data: A part of a file.
        place: The place in it.
    """
    if data[place : place + 4] != b"\x1f\x8b\x08\x04" or len(data) < place + 18:
        return None
    if data[place + 12 : place + 16] != b"BC\2\0":
        return None
    size: int = unpack_from("<H", data, place + 16)[0]
    return size + 1
