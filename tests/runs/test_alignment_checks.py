"""Checks of BAM and CRAM files before a run: what the alignment step would refuse for their headers and ends."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pysam
import pytest

from genomics_pipeline.reference.alignment_header import read_alignment_header
from genomics_pipeline.runs.alignment_checks import header_problem, reference_digests, reference_problems
from genomics_pipeline.runs.given_files import RequiredFile
from genomics_pipeline.stores.local import LocalStore

STORE = LocalStore({})
BASES = {"chr1": "".join(Random(4).choices("ACGT", k=400)), "chr2": "".join(Random(5).choices("ACGT", k=300))}
CONTIGS = {name: len(bases) for name, bases in BASES.items()}
DIGESTS = {name: hashlib.md5(bases.encode(), usedforsecurity=False).hexdigest() for name, bases in BASES.items()}
GROUPS = [{"ID": "1", "SM": "s1"}, {"ID": "2", "PL": "ILLUMINA", "SM": "s1"}]
ALIGN = "leave `start` empty to align its reads"
REALIGN = f"{ALIGN}, after converting CRAM to BAM"


def write(
    path: Path,
    order: str | None = "coordinate",
    bases: Mapping[str, str] = BASES,
    groups: Sequence[Mapping[str, str]] = GROUPS,
) -> RequiredFile:
    """Write a file of one read, aligned if there is something to align it to, that is taken as aligned."""
    fasta = path.with_name("given.fa")
    fasta.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in bases.items()))
    rows = [
        {"SN": name, "LN": len(sequence), "M5": hashlib.md5(sequence.encode(), usedforsecurity=False).hexdigest()}
        for name, sequence in bases.items()
    ]
    header: dict[str, Any] = {"HD": {"VN": "1.6", **({"SO": order} if order else {})}, "SQ": rows, "RG": list(groups)}
    kind = path.suffix[1:]
    mode = "wc" if kind == "cram" else "wb"
    with pysam.AlignmentFile(str(path), mode, header=header, reference_filename=str(fasta)) as file:
        record = pysam.AlignedSegment(file.header)
        record.query_name, record.query_sequence, record.flag = "r1", next(iter(bases.values()), "A" * 60)[:50], 4
        record.query_qualities = pysam.qualitystring_to_array("F" * 50)
        if bases:
            record.flag, record.reference_id, record.reference_start, record.cigarstring = 0, 0, 0, "50M"
        file.write(record)
    return given(path)


def given(path: Path, sample: str = "s1", as_aligned: bool = True) -> RequiredFile:
    return RequiredFile(str(path), f"sample {sample}", "a file", sample, 2, path.suffix[1:], as_aligned=as_aligned)


def reference_problem(file: RequiredFile, digests: Mapping[str, str] = DIGESTS) -> str | None:
    found = list(reference_problems([file], "sheet.csv", STORE, CONTIGS, digests))
    return found[0][1].message.removeprefix(f"{file.user}: {file.uri}: ") if found else None


@pytest.mark.parametrize("name", ["a.bam", "a.cram"])
def test_a_good_file_has_no_problem(name: str, tmp_path: Path) -> None:
    for order in ("coordinate", "unknown", None):
        file = write(tmp_path / name, order)
        assert header_problem(file, STORE) is None
        assert reference_problem(file) is None
    header = read_alignment_header(file.uri, file.uri.rpartition(".")[2], STORE)
    assert (dict(header.contigs), header.digests, header.is_whole) == (CONTIGS, DIGESTS, True)


@pytest.mark.parametrize("name", ["a.bam", "a.cram"])
def test_headers_that_do_not_fit(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    advice = "give the sample that name in the sheet, or rename it with `samtools reheader`"
    other = given(path, "s2", as_aligned=False)
    write(path)
    assert header_problem(other, STORE) == f"expected read groups of sample s2 (SM), found s1; {advice}"
    sort = f"sort it with `samtools sort`; {ALIGN}"
    expected = f"expected records sorted by position, found SO:queryname in its header; {sort}"
    assert header_problem(write(path, "queryname"), STORE) == expected
    assert header_problem(given(path, as_aligned=False), STORE) is None
    add = f"add one with `samtools addreplacerg`; {ALIGN}"
    expected = f"expected read groups of sample s1 (@RG), found none; {add}"
    assert header_problem(write(path, groups=()), STORE) == expected
    expected = f"expected aligned reads, found unaligned ones: its header has no sequences (@SQ); {ALIGN}"
    assert header_problem(write(path, "unsorted", {}), STORE) == expected
    assert header_problem(given(path, as_aligned=False), STORE) is None


@pytest.mark.parametrize("name", ["a.bam", "a.cram"])
def test_other_references(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    fewer = write(path, bases={"chr1": BASES["chr1"]})
    expected = f"expected chr2 of 300 bp as contig 2, as in the reference, found none; {REALIGN}"
    assert reference_problem(fewer) == expected
    assert reference_problem(given(path, as_aligned=False)) is None
    more = write(path, bases={**BASES, "chr3": "ACGT" * 20})
    expected = f"expected none as contig 3, as in the reference, found chr3 of 80 bp; {REALIGN}"
    assert reference_problem(more) == expected
    decoded = "expected contigs of the reference, found chr3 of 80 bp, which it lacks" if "cram" in name else None
    assert reference_problem(given(path, as_aligned=False)) == decoded
    changed = write(path, bases={**BASES, "chr1": BASES["chr1"][::-1]})
    md5 = hashlib.md5(BASES["chr1"][::-1].encode(), usedforsecurity=False).hexdigest()
    found = f"found those of another chr1: its MD5 is {md5}, not {DIGESTS['chr1']}"
    assert reference_problem(changed) == f"expected reads aligned to the reference, {found}; {REALIGN}"
    assert reference_problem(changed, {}) is None


def test_digests_are_those_of_the_dictionary(tmp_path: Path) -> None:
    assert reference_digests(str(tmp_path / "x.fa"), STORE) == {}
    (tmp_path / "x.dict").write_text("@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:400\tM5:0a\n@SQ\tSN:chr2\tLN:300\n")
    assert reference_digests(str(tmp_path / "x.fa"), STORE) == {"chr1": "0a"}


def test_files_that_are_cut_off(tmp_path: Path) -> None:
    for name, end in (("a.bam", 28), ("a.cram", 38)):
        path = Path(write(tmp_path / name).uri)
        kind = name[2:].upper()
        data = path.read_bytes()
        path.write_bytes(data[:-end])
        for as_aligned in (True, False):
            found = header_problem(given(path, as_aligned=as_aligned), STORE)
            assert found == f"expected a whole {kind} file, found no last block (EOF): it is cut off"
        path.write_bytes(data[:40])
        assert "cut off" in (found := str(header_problem(given(path), STORE))) or "ended before the end" in found


def test_files_of_other_formats(tmp_path: Path) -> None:
    fastq, empty, missing = (tmp_path / name for name in ("a.bam", "empty.cram", "missing.bam"))
    fastq.write_text("@r1\nA\n+\nF\n")
    empty.touch()
    found = [header_problem(given(path), STORE) for path in (fastq, empty, missing)]
    assert found == [
        "expected a BAM file, found a file that begins with b'@r1\\n'",
        "expected a CRAM file, found an empty file",
        "expected a BAM file, found no such file",
    ]


def test_damaged_headers_are_refused_and_never_an_unexpected_error(tmp_path: Path) -> None:
    rng = Random(3)
    for name in ("a.bam", "a.cram"):
        path = Path(write(tmp_path / name).uri)
        data = path.read_bytes()
        for _ in range(200):
            changed = bytearray(data)
            for _ in range(rng.randint(1, 4)):
                changed[rng.randrange(4, 200)] = rng.randrange(256)
            path.write_bytes(changed[: rng.randrange(4, len(changed))])
            header_problem(given(path), STORE)


class _Web(io.BytesIO):
    """A stream that can only be read from its beginning."""

    def seekable(self) -> bool:
        return False


def test_the_end_of_a_stream_that_cannot_be_sought_is_left_to_the_step(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "a.bam").uri)

    class WebLike(LocalStore):
        def open(self, uri: str) -> BinaryIO:
            return _Web(path.read_bytes()[:-28])

    assert header_problem(given(path), WebLike({})) is None
