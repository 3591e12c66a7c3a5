"""The names that the sequences of a reference may have, by SAM, VCF and the tools that read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.reference.fai import Contig

MAX_LENGTH_BP = (1 << 31) - 2  # BAM and VCF have lengths and positions of 32 bits
_FORBIDDEN = re.compile(rb"[^!-~]|[\\,\"'`()\[\]{}<>]")  # SAM specification, 1.2.1; VCF 4.3, 1.4.7
_RANGE = re.compile(r"[0-9]+-[0-9]+")
_BED_HEADERS = (b"track", b"browser")
RENAME = "rename it, for example to {}, in this file and wherever else the name is used, such as in BED files"


def name_problem(name: bytes) -> str | None:
    r"""Return what is wrong with a name, and what to do; None for a name that every tool takes.

    >>> name_problem(b"HLA-A*01:01:01:01"), name_problem(b"gi|9626243|ref|NC_001416.1|")
    (None, None)
    >>> name_problem(b"x,y").partition(";")[0]
    "expected a name that SAM and VCF allow, without ',', found 'x,y'"
    """
    shown = ascii(name.decode("latin-1"))
    if len(name) > budgets.FASTA_NAME.value:  # it is part of each region in a task's payload
        return (
            f"expected a name of at most {budgets.FASTA_NAME.value} bytes, found {len(name)}: {shown[:40]}…; shorten it"
        )
    if wrong := _FORBIDDEN.search(name):
        expected = f"expected a name that SAM and VCF allow, without {wrong[0].decode('latin-1')!a}"
    elif name[:1] in (b"*", b"="):
        expected = f"expected a name that SAM and VCF allow, without {chr(name[0])!r} at its beginning"
    elif name[:1] == b"#":
        expected = "expected a name without '#' at its beginning, which begins a comment in VCF and BED"
    elif name in _BED_HEADERS:
        expected = "expected a name that does not begin a header line of BED"
    else:
        return None
    return f"{expected}, found {shown}; {RENAME.format(_legal_name(name))}"


def _legal_name(name: bytes) -> str:
    legal = re.sub(r"_+", "_", _FORBIDDEN.sub(b"_", name.lstrip(b"*=#")).decode("ascii")).strip("_")
    return legal if legal and name not in _BED_HEADERS else f"chr_{legal}".rstrip("_")


def ambiguous_names(lines: Mapping[str, int], file: str) -> Iterator[Problem]:
    """Yield the names that are also a region of another sequence, such as ``chr1:1-100`` beside ``chr1``.

    Args:
        lines: The line of each sequence in the file, by name.
        file: The file.
    """
    for name, line in lines.items():
        other, colon, region = name.rpartition(":")
        if colon and _RANGE.fullmatch(region) and other in lines:
            expected = f"expected a name that is not also a region of the sequence {other!r} (line {lines[other]})"
            legal = f"{other}_{region}"
            yield Problem(f"{expected}, found {name!r}; {RENAME.format(legal)}", file, line)


def length_problem(name: str, length_bp: int) -> str | None:
    """Return what is wrong with a sequence's length; None for one that BAM and VCF can hold."""
    if length_bp <= MAX_LENGTH_BP:
        return None
    expected = f"expected a sequence of at most {MAX_LENGTH_BP} bases, as BAM and VCF can hold"
    return f"{expected}, found more in {name!r}; divide it"


def index_problems(contigs: Iterable[Contig], file: str) -> Iterator[Problem]:
    """Yield what is wrong with the names and lengths in a FASTA index.

    Args:
        contigs: Its sequences.
        file: The index.
    """
    lines: dict[str, int] = {}
    for number, (name, length_bp) in enumerate(contigs, 1):
        if name in lines:
            again = f"expected each sequence once, found {name!r} again (first on line {lines[name]})"
            yield Problem(again, file, number)
        elif message := name_problem(name.encode()) or length_problem(name, length_bp):
            yield Problem(message, file, number)
        lines.setdefault(name, number)
    yield from ambiguous_names(lines, file)
