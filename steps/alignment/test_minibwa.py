"""minibwa's hits as BAM records, compared with samtools' fixmate and calmd, and with bwa's estimate of sizes."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from struct import pack

import pysam
import pytest

from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore

sys.path.insert(0, str(Path(__file__).parent))
from bwa import Bwa
from common.program import BadInput, StepError
from fastq import Reads, parse_records
from insert_size import FACING, estimate, orientation_sizes
from lanes import Lane, open_lanes
from minibwa_aligner import MinibwaAligner
from queries import Queries

# Files are read by generators, which are closed when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

RNG = random.Random(11)
UNIQUE = "".join(RNG.choices("ACGT", k=8000))
REPEAT = "".join(RNG.choices("ACGT", k=400))
# A sequence with ambiguous bases, and one with a repeat of which one copy differs in a base.
CONTIGS = {
    "chr1": UNIQUE[:3000] + "NNRNN" + UNIQUE[3000:],
    "chr2": f"{UNIQUE[5000:5500][::-1]}{REPEAT}{UNIQUE[1000:1500][::-1]}{REPEAT[:200]}A{REPEAT[201:]}",
}
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
SIZE = 300


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    fasta = tmp_path_factory.mktemp("reference") / "reference.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in CONTIGS.items()))
    return str(prepare(str(fasta), ["fai", "bwa", "minibwa"], LocalStore(), fasta.parent / "cache"))


def reverse(bases: str) -> str:
    return bases.translate(COMPLEMENT)[::-1]


def mates(start: int, size: int = SIZE, contig: str = "chr1", length: int = 100) -> tuple[str, str]:
    fragment = CONTIGS[contig][start : start + size]
    return fragment[:length], reverse(fragment[-length:])


def usual_pairs() -> dict[str, tuple[str, str]]:
    return {f"p{number}": mates(20 * number, SIZE + number % 7) for number in range(120)}


def write(folder: Path, name: str, reads: dict[str, str]) -> str:
    path = folder / name
    qualities = "".join(chr(33 + number % 41) for number in range(400))
    path.write_text("".join(f"@{read}\n{bases}\n+\n{qualities[: len(bases)]}\n" for read, bases in reads.items()))
    return str(path)


def lanes_of(folder: Path, pairs: dict[str, tuple[str, str]] | dict[str, str]) -> list[Lane]:
    """Return a lane of pairs, or of single reads."""
    firsts = {name: one if isinstance(one, str) else one[0] for name, one in pairs.items()}
    seconds = {name: one[1] for name, one in pairs.items() if not isinstance(one, str)}
    files = [write(folder, "1.fq", firsts), write(folder, "2.fq", seconds) if seconds else None]
    return open_lanes("s", [{"lane": "L", "fastq_1": files[0], "fastq_2": files[1]}], "auto")


def align(reference: str, folder: Path, pairs: dict[str, tuple[str, str]] | dict[str, str]) -> Path:
    """Return a BAM file with the records of one batch, in the order in which they were made."""
    lanes = lanes_of(folder, pairs)
    lane = lanes[0]
    aligner = MinibwaAligner(reference, lanes, [lane.head(1000) if lane.paired else (b"",)])
    (batch,) = list(lane.batches(0))
    files = [parse_records(text, "reads", 1) for text in batch.texts]
    records, _ = aligner.align(files, [b"RGZs.L\0"], lane, 0, 0)
    names = b"".join(
        pack("<i", len(name) + 1) + name.encode() + b"\0" + pack("<i", len(bases)) for name, bases in CONTIGS.items()
    )
    raw, path = folder / "raw.bam", folder / "records.bam"
    raw.write_bytes(b"BAM\1" + pack("<ii", 0, len(CONTIGS)) + names + records)
    pysam.samtools.view("--no-PG", "-b", "-o", str(path), str(raw), catch_stdout=False)
    return path


def records(path: Path) -> list[pysam.AlignedSegment]:
    with pysam.AlignmentFile(str(path), check_sq=False) as file:
        return list(file)


def strange_pairs() -> dict[str, tuple[str, str]]:
    """Return pairs of every kind: differences, clips, splits, repeats, unaligned mates, and none aligned."""
    first, second = mates(1000)
    return {
        "mismatch": (f"{first[:50]}{'A' if first[50] != 'A' else 'C'}{first[51:]}", second),
        "insertion": (f"{first[:50]}GATTACA{first[50:]}", second),
        "deletion": (mates(1200)[0][:50] + UNIQUE[1255:1305], mates(1200)[1]),
        "unknown": (f"{first[:30]}N{first[31:]}".lower(), second.replace(second[40], ".", 1)),
        "ambiguous": mates(2950),
        "clipped": (f"{'AC' * 15}{first[:70]}", second),
        "split": (UNIQUE[100:170] + reverse(UNIQUE[2000:2060]), reverse(UNIQUE[400:500])),
        "repeat": mates(520, 250, "chr2"),
        "far": (UNIQUE[:100], reverse(UNIQUE[2500:2600])),
        "elsewhere": (UNIQUE[:100], reverse(CONTIGS["chr2"][:100])),
        "same": (UNIQUE[:100], UNIQUE[200:300]),
        "alone": (reverse(UNIQUE[500:600]), "ACAC" * 25),
        "none": ("ACAC" * 25, "GTTT" * 25),
        "short": ("A", "C"),
        "empty": (first, ""),
        "both_empty": ("", ""),
        "odd": mates(700, length=99),
    }


@pytest.fixture(scope="module")
def strange(reference: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return align(reference, tmp_path_factory.mktemp("strange"), usual_pairs() | strange_pairs())


def fields(record: pysam.AlignedSegment) -> tuple[list[str], list[str]]:
    columns = record.to_string().split("\t")
    return columns[:11], sorted(columns[11:])


def test_fixmate_changes_nothing(strange: Path, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.bam"
    pysam.samtools.fixmate("--no-PG", "-m", str(strange), str(fixed), catch_stdout=False)
    before, after = ([fields(record) for record in records(path)] for path in (strange, fixed))
    assert len(before) > 270
    assert before == after


def test_calmd_changes_no_nm_and_no_md(strange: Path, reference: str, tmp_path: Path) -> None:
    computed = tmp_path / "computed.bam"
    arguments = ("--no-PG", "-b", "-Q", str(strange), reference)
    pysam.samtools.calmd(*arguments, catch_stdout=False, save_stdout=str(computed))
    pairs = list(zip(records(strange), records(computed), strict=True))
    assert [fields(one) for one, _ in pairs] == [fields(other) for _, other in pairs]
    assert len({one.get_tag("MD") for one, _ in pairs if one.has_tag("MD")}) > 6


def test_records_of_pairs(strange: Path) -> None:
    found = {
        (str(record.query_name), record.is_read1): record
        for record in records(strange)
        if not record.is_secondary and not record.is_supplementary
    }
    assert {(found[name, True].flag, found[name, False].flag) for name in usual_pairs()} == {(99, 147)}
    first, second = found["p7", True], found["p7", False]
    assert (first.reference_start, first.next_reference_start, first.template_length) == (140, 340, 300)
    assert (second.reference_start, second.next_reference_start, second.template_length) == (340, 140, -300)
    assert second.query_sequence == UNIQUE[340:440]
    assert list(second.query_qualities or ()) == [number % 41 for number in range(100)][::-1]
    tags = {"NM": 0, "MD": "100", "AS": 100, "XS": 0, "RG": "s.L", "MQ": 60, "MC": "100M"}
    score = sum(number % 41 for number in range(100) if number % 41 >= 15)
    assert dict(first.get_tags()) == tags | {"ms": score}
    assert (found["far", True].flag, found["far", False].flag) == (97, 145)
    assert (found["same", True].flag, found["same", False].flag) == (65, 129)
    assert (found["alone", True].flag, found["alone", False].flag) == (89, 165)
    assert (found["none", True].flag, found["none", False].flag) == (77, 141)
    assert (found["empty", True].flag, found["empty", False].flag) == (73, 133)
    assert found["empty", False].cigarstring is found["both_empty", True].cigarstring is None
    assert found["alone", False].reference_start == found["alone", True].reference_start == 500
    assert found["unknown", True].query_sequence == mates(1000)[0][:30] + "N" + mates(1000)[0][31:]
    assert found["clipped", True].cigarstring == "30S70M"
    assert found["insertion", True].cigarstring == "50M7I50M"
    assert (found["insertion", True].get_tag("NM"), found["insertion", True].get_tag("AS")) == (7, 100 - 6 - 7)
    assert found["deletion", True].get_tag("MD") == f"50^{UNIQUE[1250:1255]}50"


def test_a_split_read_and_a_repeat(strange: Path) -> None:
    split = [record for record in records(strange) if record.query_name == "split" and record.is_read1]
    assert [record.flag & pysam.FSUPPLEMENTARY for record in split] == [0, pysam.FSUPPLEMENTARY]
    assert [record.query_length for record in split] == [130, 130]  # soft clips, as bwa's -Y
    assert split[0].query_sequence == reverse(str(split[1].query_sequence))
    other = split[1]
    place = f"chr1,{other.reference_start + 1},-,{other.cigarstring},{other.mapping_quality},0;"
    assert split[0].get_tag("SA") == place
    (repeat,) = (record for record in records(strange) if record.query_name == "repeat" and record.is_read1)
    assert (repeat.mapping_quality, repeat.get_tag("XS")) == (0, repeat.get_tag("AS"))
    assert re.fullmatch(r"chr2,\+\d+,100M,0;", str(repeat.get_tag("XA")))


def test_single_reads_have_no_mates(reference: str, tmp_path: Path) -> None:
    found = records(align(reference, tmp_path, {"a": UNIQUE[50:170], "b": reverse(UNIQUE[900:1000]), "c": "ACAC" * 20}))
    assert [(record.flag, record.reference_start) for record in found] == [(0, 50), (16, 900), (4, -1)]
    assert {tag for record in found for tag, _ in record.get_tags()} == {"NM", "MD", "AS", "XS", "RG"}


def test_a_batch_of_one_read(reference: str, tmp_path: Path) -> None:
    (found,) = records(align(reference, tmp_path, {"a": UNIQUE[50:170]}))
    assert (found.flag, found.reference_start, found.cigarstring) == (0, 50, "120M")
    assert found.query_sequence == UNIQUE[50:170]


def test_part_of_a_read_is_found_beside_its_mate(reference: str, tmp_path: Path) -> None:
    first, _ = mates(1000)
    pairs = usual_pairs() | {
        "right": (first, reverse("AC" * 38 + UNIQUE[1276:1300])),
        "left": (reverse(UNIQUE[1200:1300]), UNIQUE[1000:1024] + "TG" * 38),
        "short_match": (first, reverse("AC" * 41 + UNIQUE[1282:1300])),
    }
    found = {str(record.query_name): record for record in records(align(reference, tmp_path, pairs)) if record.is_read2}
    places = {name: (record.flag, record.reference_start, record.cigarstring) for name, record in found.items()}
    assert places["right"] == (147, 1276, "76S24M")
    assert places["left"] == (163, 1000, "24M76S")
    assert places["short_match"] == (133, 1000, None)
    assert found["right"].get_tag("AS") == 24
    assert 0 < found["right"].mapping_quality <= 60


def test_sizes_are_estimated_as_bwa_estimates_them(reference: str, tmp_path: Path) -> None:
    rng = random.Random(3)
    sizes = [max(210, round(rng.gauss(400, 60))) for _ in range(600)]
    pairs = {f"r{number}": mates(rng.randrange(2000), size) for number, size in enumerate(sizes)}
    lanes = lanes_of(tmp_path, pairs)
    aligner = MinibwaAligner(reference, lanes, [lanes[0].head(1200)])
    (mine,) = [pairs.size for pairs in aligner._pairs]
    assert mine is not None
    columns = [[one[which].encode() for one in pairs.values()] for which in (0, 1)]
    names = [name.encode() for name in pairs]
    files = [Reads(names, [100] * len(names), column, [b"F" * 100] * len(names), names) for column in columns]
    _, printed = Bwa(reference).align(Queries(files, [b"RGZr\0"]), True, 0)
    mean, deviation = map(float, re.findall(rb"\] mean and std.dev: \(([\d.]+), ([\d.]+)\)", printed)[0])
    low, high = map(int, re.findall(rb"for proper pairs: \((\d+), (\d+)\)", printed)[0])
    # bwa counts from the first base to the last, minibwa to the place behind it.
    assert mine.average == pytest.approx(mean + 1, abs=0.5)
    assert mine.deviation == pytest.approx(deviation, abs=0.5)
    assert (mine.low, mine.high) == pytest.approx((low + 1, high + 1), abs=2)


def test_mates_far_from_the_average_are_no_pair_unless_one_of_them_is_split(reference: str, tmp_path: Path) -> None:
    """As with bwa: distances of 160 to 440 are proper, with an average of 300 and a deviation of 20."""
    pairs = {f"p{number}": mates(10 * number, (280, 320)[number % 2]) for number in range(200)}
    odd = {
        name: mates(10 * place, size)
        for place, (name, size) in enumerate(zip(("near", "far"), (428, 436), strict=True))
    }
    pairs |= odd | {"split": (odd["far"][0] + UNIQUE[2500:2560], odd["far"][1])}
    proper = {str(one.query_name): one.is_proper_pair for one in records(align(reference, tmp_path, pairs))}
    assert {name: proper[name] for name in ("p1", "near", "far", "split")} == {
        "p1": True,
        "near": True,
        "far": False,
        "split": True,
    }


def damaged_pairs() -> dict[str, tuple[str, str]]:
    """Return pairs with many differences, as far apart as proper pairs may be, and farther."""
    rng = random.Random(5)
    sizes = [280, 293, 300, 306, 320] * 40
    pairs = {f"d{number}": mates(rng.randrange(3000), size) for number, size in enumerate(sizes)}
    return {
        name: ("".join(rng.choice("ACGT") if rng.random() < 0.15 else base for base in first), second)
        for name, (first, second) in pairs.items()
    }


def split_pairs() -> dict[str, tuple[str, str]]:
    """Return pairs with a read of which a part lies within its fragment again, on either strand."""
    pairs = {}
    for number in range(60):
        first, second = mates(30 * number)
        part = UNIQUE[30 * number + 2 * number : 30 * number + 2 * number + 70]
        pairs[f"s{number}"] = (first[: 60 + number // 2] + (part if number % 2 else reverse(part)), second)
    return pairs


def test_reads_are_aligned_by_themselves_where_pairing_changes_nothing(reference: str, tmp_path: Path) -> None:
    pairs = usual_pairs() | strange_pairs() | damaged_pairs() | split_pairs()
    lanes = lanes_of(tmp_path, pairs)
    files = [parse_records(text, "reads", 1) for text in next(lanes[0].batches(0)).texts]
    heads = [lane.head(200) for lane in lanes_of(tmp_path, pairs)]
    aligner = MinibwaAligner(reference, lanes, heads)
    (measured,) = aligner._pairs
    assert measured.mostly_settled
    found = aligner.align(files, [b"RGZs.L\0"], lanes[0], 0, 0)
    aligner._pairs = [measured._replace(mostly_settled=False)]
    assert found == aligner.align(files, [b"RGZs.L\0"], lanes[0], 0, 0)


def test_mates_that_are_hardly_a_pair_are_aligned_together(reference: str, tmp_path: Path) -> None:
    """The mapping quality of mates is lower at distances that minibwa does not prefer to none."""
    pairs = {f"p{number}": mates(10 * number, (300, 305)[number % 2]) for number in range(200)}
    lanes = lanes_of(tmp_path, pairs | {f"q{size}": mates(7 * size - 1000, size) for size in range(280, 325)})
    files = [parse_records(text, "reads", 1) for text in next(lanes[0].batches(0)).texts]
    heads = [lane.head(400) for lane in lanes_of(tmp_path, pairs)]
    aligner = MinibwaAligner(reference, lanes, heads)
    (measured,) = aligner._pairs
    assert measured.size is not None
    assert (measured.size.proper, measured.size.deviation) == (range(285, 321), 2.5)
    found = aligner.align(files, [b"RGZs.L\0"], lanes[0], 0, 0)
    aligner._pairs = [measured._replace(mostly_settled=False)]
    assert found == aligner.align(files, [b"RGZs.L\0"], lanes[0], 0, 0)


def test_the_first_reads_are_aligned_once(reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = lanes_of(tmp_path, usual_pairs() | split_pairs())
    aligner = MinibwaAligner(reference, lanes, [lanes[0].head(240)])
    files = [parse_records(text, "reads", 1) for text in lanes[0].head(200)]
    found = aligner.align(files, [b"RGZs.L\0"], lanes[0], 0, 100_000)
    with monkeypatch.context() as patch:
        patch.setattr(aligner, "_hits_alone", lambda *_: pytest.fail("they are aligned again"))
        assert found == aligner.align(files, [b"RGZs.L\0"], lanes[0], 0, 0)
    swapped = files[::-1]  # other reads of the same names
    expected = aligner.align(swapped, [b"RGZs.L\0"], lanes[0], 0, 100_000)
    assert aligner.align(swapped, [b"RGZs.L\0"], lanes[0], 0, 0) == expected != found


def test_pairs_of_a_repeat_are_aligned_together(reference: str, tmp_path: Path) -> None:
    settled = {f"u{number}": mates(number, SIZE + number % 7) for number in range(170)}
    for copies, expected in ((30, True), (31, False)):
        repeats = {f"r{number}": mates(520 + number, 250, "chr2") for number in range(copies)}
        lanes = lanes_of(tmp_path, settled | repeats)
        (measured,) = MinibwaAligner(reference, lanes, [lanes[0].head(999)])._pairs
        assert measured.mostly_settled is expected


def test_too_few_pairs_have_no_size() -> None:
    assert orientation_sizes([]) == ([], [], [], [])
    assert estimate([300] * 9) is None
    assert estimate([300] * 10) is not None
    assert FACING == 1


def test_mates_that_face_away_are_refused_with_advice(reference: str, tmp_path: Path) -> None:
    away = {f"m{number}": (reverse(one), reverse(other)) for number, (one, other) in enumerate(usual_pairs().values())}
    lanes = lanes_of(tmp_path, away)
    expected = r"1\.fq: expected mates that face each other \(FR\), found RF among the first reads; set aligner=bwa"
    with pytest.raises(BadInput, match=expected):
        MinibwaAligner(reference, lanes, [lanes[0].head(1000)])


def test_missing_index(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"reference\.fa: expected minibwa's index beside it, found none$"):
        MinibwaAligner(str(tmp_path / "reference.fa"), [], [])
