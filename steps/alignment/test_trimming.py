"""Trimming: the reads and the report of the command `cutadapt`, in step with mates, tags and records of the input."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest
from test_support import COMPLEMENT, READ_BP, Align

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from common.program import StepError
from fastq import Reads, parse_records
from lanes import Lane, open_lanes
from trim_report import TrimReport
from trimmer import Trimmer
from trimming import trimming_of

from tests.patience import PATIENCE_S

# The step's process leaves its files open until its end.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

pytest.importorskip("cutadapt", reason="no wheel of cutadapt for this machine")
# Weights of the fragments' sizes in bp: the usual ones, which few of 130 bp are far from, and those that are dropped.
SIZES = {3: 5, 30: 10, 50: 15, 60: 10, 130: 3, 280: 15, 300: 30, 320: 12}
OFF = {"adapters": None, "nextseq_trim": 0, "quality_cutoff": 0, "minimum_length": None}
MATES = ["@{name}/1", "@{name}/2"]
CASES: list[dict[str, Any]] = [
    {"adapters": "illumina"},
    {"adapters": "nextera", "quality_cutoff": 20, "minimum_length": 35},
    {"adapters": "bgi", "nextseq_trim": 15, "quality_cutoff": 10},
    {"adapters": "agatcggaagagc,ACGTNNACGTWW", "minimum_length": 1},
    {"nextseq_trim": 20},
    {"minimum_length": 75},
]


def short_fragments(sequences: dict[str, str], number: int, seed: int) -> list[list[tuple[str, str, str]]]:
    """Return name, bases and qualities of both mates; of short fragments they go on into adapters and poly-G."""
    rng = random.Random(seed)
    ends = ("AGATCGGAAGAGCACACGTC", "CTGTCTCTTATACACATCT", "AAGTCGGAGGCCAAGCGGTC", "GGGGGGGGGGGGGGGGGGGG", "")
    mates: list[list[tuple[str, str, str]]] = [[], []]
    for place in range(number):
        bases, size = rng.choice(list(sequences.values())), rng.choices(list(SIZES), list(SIZES.values()))[0]
        start, end = rng.randrange(len(bases) - size), rng.choices(ends, (36, 1, 1, 1, 1))[0]
        fragment = bases[start : start + size]
        for mate, strand in zip(mates, (fragment, fragment.translate(COMPLEMENT)[::-1]), strict=True):
            text = (strand + end + "".join(rng.choices("ACGTN", k=READ_BP)))[: rng.choice((READ_BP, READ_BP, 80, 1))]
            worst = rng.choice((2, 30))
            mate.append((f"A00:1:FLOW:{place}", text, "".join(chr(33 + rng.randint(worst, 40)) for _ in text)))
    return mates


def write(path: Path, reads: list[tuple[str, str, str]], header: str) -> str:
    text = "".join(f"{header.format(name=name)}\n{bases}\n+\n{ends}\n" for name, bases, ends in reads)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return str(path)


@pytest.fixture(scope="module")
def mates(sequences: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return two files of mates."""
    folder = tmp_path_factory.mktemp("mates")
    both = short_fragments(sequences, 900, seed=12)
    return [
        write(folder / f"reads_R{number}.fastq.gz", reads, header)
        for number, (reads, header) in enumerate(zip(both, MATES, strict=True), 1)
    ]


def interleaved(files: list[str]) -> str:
    firsts, seconds = (read_text(file).splitlines(keepends=True) for file in files)
    return "".join("".join(one[place : place + 4]) for place in range(0, len(firsts), 4) for one in (firsts, seconds))


def read_text(file: str) -> str:
    content = Path(file).read_bytes()
    return (gzip.decompress(content) if file.endswith(".gz") else content).decode()


def command(folder: Path, words: list[str]) -> tuple[str, dict[str, Any]]:
    """Return what cutadapt's command writes to standard output, and its report."""
    argv = [sys.executable, "-m", "cutadapt", "--quiet", "--json", str(folder / "report.json"), *words]
    output = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
    return output, json.loads((folder / "report.json").read_text())


def trimmed_texts(lane: Lane, trimmer: Trimmer, report: TrimReport) -> Iterator[str]:
    """Yield the records of a lane after trimming, mates in turn."""
    for batch in lane.batches(0):
        files = [
            parse_records(text, file.path, batch.first) for text, file in zip(batch.texts, lane.files, strict=True)
        ]
        trimmed = trimmer.trim(files, lane.paired)
        report.add(trimmed.statistics)
        for reads in zip(*map(records_of, trimmed.mates), strict=True):
            yield from reads


def records_of(reads: Reads) -> list[str]:
    assert reads.lengths == list(map(len, reads.bases)) == list(map(len, reads.qualities))
    columns = zip(reads.headers, reads.bases, reads.qualities, strict=True)
    return [f"{header.decode()}\n{bases.decode()}\n+\n{ends.decode()}\n" for header, bases, ends in columns]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("two", given) for given in CASES] + [(kind, given) for kind in ("interleaved", "single") for given in CASES[1:3]],
    ids=str,
)
def test_reads_and_report_are_those_of_the_command(
    mates: list[str], tmp_path: Path, given: dict[str, Any], kind: str
) -> None:
    both = tmp_path / "both.fastq"
    both.write_text(interleaved(mates))
    files = {"two": mates, "interleaved": [str(both)], "single": mates[:1]}[kind]
    trimming = trimming_of({**OFF, **given})
    assert trimming is not None
    layout = kind if kind != "two" else "auto"
    (lane,) = open_lanes("s", [{"lane": "L001", **dict(zip(("fastq_1", "fastq_2"), files, strict=False))}], layout)
    report = TrimReport(trimming)
    ours = "".join(trimmed_texts(lane, Trimmer(trimming), report))
    words = trimming.command(lane)[1:]
    outputs = [str(tmp_path / name) for name in ("1.fastq", "2.fastq")]
    expected, theirs = command(tmp_path, [*(("-o", outputs[0], "-p", outputs[1]) if kind == "two" else ()), *words])
    assert ours == (interleaved(outputs) if kind == "two" else expected)
    report.write("s", {"cutadapt": str(tmp_path / "own.json")})
    own = json.loads((tmp_path / "own.json").read_text())
    for key in ("read_counts", "basepair_counts", "adapters_read1", "adapters_read2"):
        assert own[key] == theirs[key], key
    assert own["input"] == {"path1": "s", "path2": None, "paired": kind != "single"}
    counts, sides = theirs["read_counts"], 1 if kind == "single" else 2
    with_adapter = (counts["read1_with_adapter"] or 0) + (counts["read2_with_adapter"] or 0)
    bases = theirs["basepair_counts"]
    assert report.metrics() == {
        "reads_before_trimming": sides * counts["input"],
        "adapter_fraction": round(with_adapter / sides / counts["input"], 6),
        "trimmed_base_fraction": round((bases["input"] - bases["output"]) / bases["input"], 6),
        "dropped_reads": sides * counts["filtered"]["too_short"],
        "dropped_fraction": round(counts["filtered"]["too_short"] / counts["input"], 6),
    }


@pytest.mark.parametrize("kind", ["two", "interleaved"])
def test_fragment_sizes_are_estimated_from_trimmed_reads(mates: list[str], tmp_path: Path, kind: str) -> None:
    both = tmp_path / "both.fastq"
    both.write_text(interleaved(mates))
    files = mates if kind == "two" else [str(both)]
    trimming = trimming_of({**OFF, "adapters": "illumina", "minimum_length": 50})
    assert trimming is not None
    (lane,) = open_lanes("s", [{"lane": "L001", **dict(zip(("fastq_1", "fastq_2"), files, strict=False))}], "auto")
    head = Trimmer(trimming).head(lane, lane.head(4000))
    outputs = [str(tmp_path / name) for name in ("1.fastq", "2.fastq")]
    command(tmp_path, ["-o", outputs[0], "-p", outputs[1], *trimming.options(True, 2), *mates])
    assert [text.decode() for text in head] == (
        list(map(read_text, outputs)) if kind == "two" else [interleaved(outputs)]
    )
    damaged = (b"@r\nAC\n+\nF\n",) * len(files)
    assert Trimmer(trimming).head(lane, damaged) == damaged


def test_alignments_are_those_of_trimmed_files(mates: list[str], tmp_path: Path, align: Align) -> None:
    given = {"adapters": "illumina", "quality_cutoff": 5, "nextseq_trim": 5, "minimum_length": 75}
    trimming = trimming_of(given)
    assert trimming is not None
    outputs = [str(tmp_path / f"trimmed_R{number}.fastq") for number in (1, 2)]
    _, theirs = command(tmp_path, ["-o", outputs[0], "-p", outputs[1], *trimming.options(True, 2), *mates])
    before = align([{"lane": "L001", "fastq_1": outputs[0], "fastq_2": outputs[1]}])
    within = align([{"lane": "L001", "fastq_1": mates[0], "fastq_2": mates[1]}], **given)
    assert (within.code, before.code) == (0, 0), within.error
    assert within.lines() == before.lines()
    assert within.metrics["reads"] == before.metrics["reads"] == 2 * theirs["read_counts"]["output"]
    assert within.metrics["dropped_reads"] == 2 * theirs["read_counts"]["filtered"]["too_short"] > 0
    assert json.loads(within.file("cutadapt.json"))["read_counts"] == theirs["read_counts"]
    assert not before.path("cutadapt.json").exists()
    assert "adapter_fraction" not in before.metrics
    with pysam.AlignmentFile(str(within.bam)) as file:
        _, line, aligner = file.header.to_dict()["PG"][:3]
    options = "-a AGATCGGAAGAGC -A AGATCGGAAGAGC --nextseq-trim 5 -q 5 -m 75"
    assert line["CL"] == f"cutadapt {options} reads_R1.fastq.gz reads_R2.fastq.gz"
    assert (line["PN"], aligner["PP"]) == ("cutadapt", "cutadapt")
    assert json.loads((within.bam.parent / "versions.json").read_text())["cutadapt"] == line["VN"]


@pytest.mark.parametrize("aligner", ["bwa", "minibwa"], indirect=True)
def test_pairs_and_single_reads_of_a_bam_file(mates: list[str], tmp_path: Path, align: Align) -> None:
    """Trim pairs and, of others, the reads that are left; UMIs stay with their reads."""
    texts = [parse_records(gzip.decompress(Path(file).read_bytes()), file, 1) for file in mates]
    header = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"}})
    umis: dict[str, str] = {}
    with pysam.AlignmentFile(str(tmp_path / "u.bam"), "wb", header=header) as out:
        for place, name in enumerate(texts[0].names):
            sides = (0,) if place % 9 == 0 else (0, 1)
            umis[name.decode()] = "".join(random.Random(place).choices("ACGT", k=8))
            for side in sides:
                read = pysam.AlignedSegment(header)
                read.query_name, read.flag = name.decode(), 77 if side == 0 else 141
                read.query_sequence = texts[side].bases[place].decode()
                read.query_qualities = pysam.qualitystring_to_array(texts[side].qualities[place].decode())
                read.set_tag("RX", umis[name.decode()])
                out.write(read)
    given = {"adapters": "nextera", "quality_cutoff": 15, "minimum_length": 30, "umi": "comment"}
    outcome = align([{"lane": "L001", "bam": str(tmp_path / "u.bam")}], **given)
    assert outcome.code == 0, outcome.error
    paired, single = (json.loads(outcome.file(f"{name}cutadapt.json")) for name in ("", "single."))
    assert (paired["input"]["path1"], single["input"]["path1"]) == ("s1", "s1.single")
    assert (paired["read_counts"]["input"], single["read_counts"]["input"]) == (800, 100)
    written = 2 * paired["read_counts"]["output"] + single["read_counts"]["output"]
    assert outcome.metrics["reads"] == written < outcome.metrics["reads_before_trimming"] == 1700
    primary = [read for read in outcome.records() if not read.is_secondary and not read.is_supplementary]
    assert len(primary) == written
    assert all(read.get_tag("RX") == umis[str(read.query_name)] for read in primary)


def test_no_read_is_long_enough(mates: list[str], align: Align) -> None:
    outcome = align([{"lane": "L001", "fastq_1": mates[0], "fastq_2": mates[1]}], minimum_length=101)
    expected = "expected reads of at least 101 bases after trimming, found none"
    assert (outcome.code, outcome.error.splitlines()[-1]) == (65, f"error: {mates[0]}: {expected}")


def test_without_cutadapt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cutadapt.adapters", None)
    trimming = trimming_of({**OFF, "quality_cutoff": 20})
    assert trimming is not None
    with pytest.raises(StepError, match="trimming needs cutadapt, whose wheels are for Linux on x86_64"):
        Trimmer(trimming)


def test_nothing_is_trimmed_by_default() -> None:
    assert trimming_of(OFF) is None
