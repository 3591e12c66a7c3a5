"""bwa in the library of pybwa: its input, its results, and the checks that fail when the library changes."""

from __future__ import annotations

import ctypes
import random
import sys
from importlib.metadata import version
from pathlib import Path
from struct import pack
from types import ModuleType

import pysam
import pytest

from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore

sys.path.insert(0, str(Path(__file__).parent))
import alignments
import bwa
import bwa_layout
from alignments import bam_records, flags
from bwa import Bwa
from bwa_layout import READ_WORDS, BwaFailed
from fastq import Reads
from index import Index
from pairs import Limits, parse_limits, set_pair_flags
from queries import Queries

BASES = "".join(random.Random(2).choices("ACGT", k=3000))
UNKNOWN = r"^pybwa 2[.0-9]+: expected bwa's {} as in pybwa 2\.3, found others; install pybwa 2\.3$"
COMPLEMENT = str.maketrans("ACGT", "TGCA")
PRINTED = (
    b"[M::mem_pestat] skip orientation FF as there are not enough pairs\n"
    b"[M::mem_pestat] analyzing insert size distribution for orientation FR...\n"
    b"[M::mem_pestat] low and high boundaries for computing mean and std.dev: (96, 541)\n"
    b"[M::mem_pestat] mean and std.dev: (318.27, 40.02)\n"
    b"[M::mem_pestat] low and high boundaries for proper pairs: (7, 630)\n"
    b"[M::mem_pestat] analyzing insert size distribution for orientation RF...\n"
    b"[M::mem_pestat] mean and std.dev: (40.00, 80.00)\n"
    b"[M::mem_pestat] low and high boundaries for proper pairs: (1, 90)\n"
    b"[M::mem_pestat] skip orientation RR as there are not enough pairs\n"
)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    fasta = tmp_path_factory.mktemp("reference") / "reference.fa"
    fasta.write_text(f">chr1\n{BASES}\n")
    return str(prepare(str(fasta), ["fai", "bwa"], LocalStore(), fasta.parent / "cache"))


@pytest.fixture(scope="module")
def aligner(reference: str) -> Bwa:
    return Bwa(reference)


def reads(bases: dict[str, str]) -> Reads:
    texts = [text.encode() for text in bases.values()]
    lengths = [len(text) for text in texts]
    names, qualities = [name.encode() for name in bases], [b"F" * length for length in lengths]
    return Reads(names, lengths, texts, qualities, [b"@" + name for name in names])


def reverse(bases: str) -> str:
    return bases.translate(COMPLEMENT)[::-1]


def read_back(records: bytes, folder: Path) -> list[pysam.AlignedSegment]:
    """Return the records, read by pysam."""
    path = folder / "records.bam"
    path.write_bytes(pack("<4sii", b"BAM\1", 0, 1) + pack("<i5si", 5, b"chr1\0", len(BASES)) + records)
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.AlignmentFile(str(path)) as file:
            return list(file)
    finally:
        pysam.set_verbosity(verbosity)


def align(aligner: Bwa, files: list[Reads], folder: Path) -> list[pysam.AlignedSegment]:
    """Return the records of single reads, or of mates in two files."""
    queries = Queries(files, [b"RGZlane\0"])
    alignments_by_read, messages = aligner.align(queries, len(files) == 2, 0)
    if len(files) == 2:
        set_pair_flags(alignments_by_read, parse_limits(messages))
    records = bam_records(alignments_by_read)
    aligner.free(queries)
    return read_back(records, folder)


def test_reads_have_bwas_layout() -> None:
    first, second = reads({"a": "ACG", "bc": "T"}), reads({"a": "GG", "bc": ""})
    queries = Queries([first, second], [b"RGZx\0"])
    rows = [queries.words[place : place + READ_WORDS].tolist() for place in range(0, len(queries.words), READ_WORDS)]
    texts = [(row[0], *(ctypes.string_at(address) for address in row[1:5]), row[5]) for row in rows]
    assert len(queries) == 4
    assert texts == [
        (3, b"a", b"RG:Z:x", b"ACG", b"FFF", 0),
        (2, b"a", b"RG:Z:x", b"GG", b"FF", 0),
        (1, b"bc", b"RG:Z:x", b"T", b"F", 0),
        (0, b"bc", b"RG:Z:x", b"", b"", 0),
    ]


def test_records_are_complete_for_names_of_any_length(aligner: Bwa, tmp_path: Path) -> None:
    expected = {
        "n" * length: BASES[10 * length : 10 * length + 50 + length] for length in (1, 2, 3, 4, 5, 40, 253, 254)
    }
    records = align(aligner, [reads(expected)], tmp_path)
    assert {record.query_name: record.query_sequence for record in records} == expected
    assert [record.reference_start for record in records] == [10 * len(name) for name in expected]
    assert [record.cigarstring for record in records] == [f"{len(bases)}M" for bases in expected.values()]
    assert [(record.flag, record.mapping_quality, record.get_tag("RG")) for record in records] == [(0, 60, "lane")] * 8
    assert {quality for record in records for quality in record.query_qualities or ()} == {ord("F") - 33}
    assert [record.bin for record in records] == [4681] * 8  # the result of SAM's reg2bin for the first 16 kb


def test_a_split_alignment_has_the_right_bases_in_both_records(aligner: Bwa, tmp_path: Path) -> None:
    read = BASES[100:170] + reverse(BASES[2000:2060]) + "ACAC"
    records = align(aligner, [reads({"r": read})], tmp_path)
    assert [record.flag for record in records] == [0, pysam.FREVERSE | pysam.FSUPPLEMENTARY]
    assert [record.query_sequence for record in records] == [read, reverse(read)]
    assert BASES[105:165] in str(records[0].query_alignment_sequence)
    assert BASES[2005:2055] in str(records[1].query_alignment_sequence)


def test_mates_have_the_flags_of_bwa(aligner: Bwa, tmp_path: Path) -> None:
    starts = [37 * number for number in range(40)]
    first = {f"p{start}": BASES[start : start + 100] for start in starts}
    second = {f"p{start}": reverse(BASES[start + 200 + start % 7 : start + 300 + start % 7]) for start in starts}
    first |= {"far": BASES[:100], "alone": reverse(BASES[500:600]), "same": BASES[:100]}
    second |= {"far": reverse(BASES[2500:2600]), "alone": "ACAC" * 25, "same": BASES[200:300]}
    records = align(aligner, [reads(first), reads(second)], tmp_path)
    flag = {(record.query_name, record.is_read1): record.flag for record in records}
    assert {flag[name, True] for name in first if name.startswith("p")} == {99}
    assert {flag[name, False] for name in first if name.startswith("p")} == {147}
    assert (flag["far", True], flag["far", False]) == (97, 145)
    assert (flag["alone", True], flag["alone", False]) == (121, 181)
    assert (flag["same", True], flag["same", False]) == (65, 129)


def test_mates_far_from_the_average_are_no_pair_unless_one_of_them_is_split(aligner: Bwa, tmp_path: Path) -> None:
    """As with bwa 0.7.17: distances of 159 to 439 are proper, with an average of 299 and a deviation of 20."""
    sizes = {f"p{number}": (280, 320)[number % 2] for number in range(200)}
    odd = {"near": 428, "far": 436, "split": 436, "beyond": 450}
    first = {name: BASES[7 * place : 7 * place + 100] for place, name in enumerate([*sizes, *odd])}
    second = {
        name: reverse(BASES[7 * place + size - 100 : 7 * place + size])
        for place, (name, size) in enumerate((sizes | odd).items())
    }
    first["split"] += BASES[2500:2560]
    records = align(aligner, [reads(first), reads(second)], tmp_path)
    proper = {str(r.query_name): r.is_proper_pair for r in records if not r.is_supplementary}
    assert {proper[name] for name in sizes} == {True}
    assert {name: proper[name] for name in odd} == {"near": True, "far": False, "split": True, "beyond": False}


def test_limits_of_proper_pairs_are_those_in_bwas_messages() -> None:
    none, facing = Limits(), Limits(range(7, 631), range(57, 581))
    assert parse_limits(PRINTED) == [none, facing, Limits(range(1, 91), range(1, 91)), none]
    assert parse_limits(PRINTED + b"[M::mem_pestat] skip orientation RF\n") == [none, facing, none, none]


@pytest.mark.parametrize("printed", [b"", PRINTED.replace(b"orientation RR", b"pairs RR")])
def test_unknown_form_of_statistics(printed: bytes) -> None:
    with pytest.raises(BwaFailed, match=UNKNOWN.format("statistics")):
        parse_limits(printed)


@pytest.mark.parametrize(("name", "value"), [("a", 2), ("split_factor", 1.25), ("chunk_size", 1)])
def test_unknown_layout_of_options(name: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bwa_layout.OPTIONS, name, value)
    with pytest.raises(BwaFailed, match=UNKNOWN.format("options")):
        Bwa("reference.fa")


@pytest.mark.parametrize(
    ("module", "name", "value", "what"),
    [
        (bwa, "BAMS", READ_WORDS + 1, "results"),  # in the free space after the read
        (bwa, "LENGTH", bwa_layout.SIZE, "alignments"),
        (alignments, "FLAG", bwa_layout.SIZE, "alignments"),
    ],
)
def test_unknown_layout_of_results(
    module: ModuleType, name: str, value: int, what: str, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, value)
    with pytest.raises(BwaFailed, match=UNKNOWN.format(what)):
        Bwa(reference)


def test_missing_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bwa_layout.FUNCTIONS, "mem_align_everything", ([], None))
    with pytest.raises(BwaFailed, match=UNKNOWN.format("functions")):
        bwa_layout.load_library()


def test_the_installed_library_is_the_one_that_the_layout_describes() -> None:
    """A new pybwa fails here first: read its headers, adapt `bwa_layout`, and run this file."""
    assert version("pybwa").rpartition(".")[0] == bwa_layout.VERSION
    assert Path(bwa_layout.load_library()._name).name.startswith("libbwamem.")


def test_missing_index(tmp_path: Path) -> None:
    with pytest.raises(BwaFailed, match=r"reference\.fa: expected bwa's index beside it, found none$"):
        Bwa(str(tmp_path / "reference.fa"))


def test_truncated_index(tmp_path: Path) -> None:
    fasta = tmp_path / "reference.fa"
    fasta.write_text(f">chr1\n{BASES}\n")
    prepare(str(fasta), ["fai", "bwa"], LocalStore(), fasta.parent / "cache")
    file = tmp_path / "reference.fa.bwt"
    whole = file.read_bytes()
    for size in (len(whole) - 1, 50):
        file.write_bytes(whole[:size])
        message = (
            f"expected {len(whole)} bytes, as its header says, found {size}; remove bwa's index, and it is built anew"
        )
        with pytest.raises(BwaFailed) as error:
            Bwa(str(fasta))
        assert str(error.value) == f"{file}: {message}"


def test_unknown_layout_of_an_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fasta = tmp_path / "reference.fa"
    fasta.write_text(f">chr1\n{BASES}\n")
    prepare(str(fasta), ["fai", "bwa"], LocalStore(), fasta.parent / "cache")
    monkeypatch.setattr(Index, "is_known", False)
    with pytest.raises(BwaFailed, match=UNKNOWN.format("indexes")):
        Bwa(str(fasta))


def test_flags_are_those_of_primary_alignments(aligner: Bwa) -> None:
    queries = Queries([reads({"two": BASES[100:170] + reverse(BASES[2000:2060]), "none": "ACAC" * 9})], [b"RGZx\0"])
    alignments_by_read, _ = aligner.align(queries, False, 0)
    assert [len(alignments) for alignments in alignments_by_read] == [2, 1]
    assert flags(alignments_by_read) == [0, pysam.FUNMAP]
    aligner.free(queries)
