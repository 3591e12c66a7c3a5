"""The alignment step's program, run as the worker runs it."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam
import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore

PROGRAM = Path(__file__).with_name("alignment.py")
CONTIGS = {"chr1": 6000, "chr2": 3000}
READ_BP, FRAGMENT_BP = 100, 300
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Outcome:
    code: int
    error: str
    bam: Path
    metrics: dict[str, Any]
    reference: Path

    def records(self) -> list[pysam.AlignedSegment]:
        with pysam.AlignmentFile(str(self.bam), reference_filename=str(self.reference)) as file:
            return list(file)


@pytest.fixture(scope="session")
def sequences() -> dict[str, str]:
    rng = random.Random(7)
    return {name: "".join(rng.choices("ACGT", k=length)) for name, length in CONTIGS.items()}


@pytest.fixture(scope="session")
def reference(sequences: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    fasta = tmp_path_factory.mktemp("reference") / "reference.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in sequences.items()))
    return prepare(str(fasta), ["fai", "bwa"], object_store(), fasta.parent / "cache")


Pair = tuple[str, str, str]


def pairs(sequences: dict[str, str], count: int, seed: int, prefix: str = "A00:1:FLOW:1:1:1") -> list[Pair]:
    """Return name, first and second read of fragments from both strands."""
    rng = random.Random(seed)
    reads = []
    for number in range(count):
        bases = sequences[rng.choice(list(sequences))]
        size = rng.randint(FRAGMENT_BP - 40, FRAGMENT_BP + 40)
        start = rng.randrange(len(bases) - size)
        fragment = bases[start : start + size]
        ends = fragment[:READ_BP], fragment[-READ_BP:].translate(COMPLEMENT)[::-1]
        reads.append((f"{prefix}:{number}", *(ends if number % 2 else ends[::-1])))
    return reads


def fastq(path: Path, reads: list[tuple[str, str]]) -> Path:
    text = "".join(f"@{name}\n{bases}\n+\n{'F' * len(bases)}\n" for name, bases in reads)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return path


def lane(folder: Path, name: str, reads: list[Pair]) -> dict[str, Any]:
    first = fastq(folder / f"{name}_R1.fastq.gz", [(f"{read}/1", bases) for read, bases, _ in reads])
    second = fastq(folder / f"{name}_R2.fastq.gz", [(f"{read}/2 2:N:0:AC", bases) for read, _, bases in reads])
    return {"lane": name, "fastq_1": str(first), "fastq_2": str(second)}


Align = Callable[..., Outcome]


@pytest.fixture
def align(reference: Path, tmp_path: Path) -> Align:
    def run(lanes: list[dict[str, Any]], vcpus: int = 2, reference: Path = reference, **parameters: Any) -> Outcome:
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        (out / "scratch").mkdir(parents=True)
        values = {
            "format": "bam",
            "mark_duplicates": True,
            "read_layout": "auto",
            "quality_encoding": "auto",
            **parameters,
        }
        bam = out / f"s1.md.{values['format']}"
        task = {
            "item": {"sample": "s1"},
            "inputs": {"reads": lanes, "reference": str(reference)},
            "outputs": {"alignment": str(bam), "metrics": str(out / "metrics.json")},
            "parameters": values,
            "vcpus": vcpus,
            "memory_mib": 1000,
            "scratch": str(out / "scratch"),
        }
        (out / "task.json").write_text(json.dumps(task))
        process = subprocess.run(
            [sys.executable, str(PROGRAM), str(out / "task.json")], capture_output=True, text=True, timeout=60
        )
        metrics = json.loads((out / "metrics.json").read_text()) if process.returncode == 0 else {}
        return Outcome(process.returncode, process.stderr.strip(), bam, metrics, reference)

    return run


def test_pairs_become_sorted_alignments_with_read_groups(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    reads = pairs(sequences, 300, 1)
    outcome = align(
        [lane(tmp_path, "L001", reads), lane(tmp_path, "L002", pairs(sequences, 200, 2, "A00:1:FLOW:2:1:1"))]
    )
    assert (outcome.code, outcome.error) == (0, "")  # logs cost money, so a program that succeeds prints nothing
    records = outcome.records()
    assert len(records) == 1000
    places = [(record.reference_id, record.reference_start) for record in records]
    assert places == sorted(places)
    assert all(record.is_proper_pair and record.mapping_quality == 60 for record in records)
    assert {(record.query_name, record.is_read1) for record in records if record.get_tag("RG") == "FLOW.s1.L001"} == {
        (name, first) for name, _, _ in reads for first in (True, False)
    }
    with pysam.AlignmentFile(str(outcome.bam)) as file:
        header = file.header.to_dict()
        assert header["HD"]["SO"] == "coordinate"
        assert header["RG"] == [
            {"ID": f"FLOW.s1.{name}", "SM": "s1", "LB": "s1", "PU": f"FLOW.{name}", "PL": "ILLUMINA"}
            for name in ("L001", "L002")
        ]
        assert "PG" not in header
        assert sum(1 for _ in file.fetch("chr2", 1000, 1100)) > 0  # the index works


def test_every_read_is_aligned_to_its_origin(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    for record in align([lane(tmp_path, "L001", pairs(sequences, 200, 3))]).records():
        start = record.reference_start
        assert record.query_sequence == sequences[str(record.reference_name)][start : start + READ_BP]


def test_the_bytes_do_not_depend_on_the_cores(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    lanes = [lane(tmp_path, "L001", pairs(sequences, 2300, 4))]
    one, two, five = (align(lanes, vcpus=vcpus) for vcpus in (1, 2, 5))
    assert one.bam.read_bytes() == two.bam.read_bytes() == five.bam.read_bytes()
    assert one.metrics == two.metrics == five.metrics


def test_metrics_are_exact(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = pairs(sequences, 300, 5)
    copies = [(f"{name}copy", first, second) for name, first, second in reads[:30]]
    noise = [(f"noise:{number}", "ACAC" * 25, "GTTT" * 25) for number in range(10)]
    metrics = align([lane(tmp_path, "L001", reads + copies + noise)]).metrics
    assert metrics["reads"] == 680
    assert metrics["mapped"] == metrics["properly_paired"] == 660
    assert metrics["mapped_fraction"] == pytest.approx(660 / 680, abs=1e-6)
    assert metrics["duplicates"] == 60
    assert metrics["duplicate_fraction"] == pytest.approx(60 / 660, abs=1e-6)
    assert metrics["mean_depth"] == pytest.approx(600 * READ_BP / sum(CONTIGS.values()), abs=1e-3)
    assert abs(metrics["median_insert_size_bp"] - FRAGMENT_BP) <= 10
    assert 1 >= metrics["coverage_10x_fraction"] > metrics["coverage_20x_fraction"] >= metrics["coverage_30x_fraction"]


def test_duplicates_are_not_marked_on_request(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = pairs(sequences, 20, 6)
    copies = [(f"{name}copy", first, second) for name, first, second in reads]
    lanes = [lane(tmp_path, "L001", reads + copies)]
    marked, unmarked = align(lanes), align(lanes, mark_duplicates=False)
    assert (marked.metrics["duplicates"], unmarked.metrics["duplicates"]) == (40, 0)
    assert not any(record.is_duplicate for record in unmarked.records())
    assert unmarked.bam.with_suffix(".bam.bai").is_file()


def test_interleaved_reads_give_the_same_alignments(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = pairs(sequences, 150, 8)
    both = [(name, bases) for name, first, second in reads for bases in (first, second)]
    one_file = fastq(tmp_path / "both.fastq", both)
    interleaved = align([{"lane": "L001", "fastq_1": str(one_file), "fastq_2": None}])
    assert interleaved.code == 0, interleaved.error
    assert interleaved.bam.read_bytes() == align([lane(tmp_path, "L001", reads)]).bam.read_bytes()


def test_single_reads(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    file = fastq(tmp_path / "single.fq", [(name, first) for name, first, _ in pairs(sequences, 100, 9)])
    outcome = align([{"lane": "L001", "fastq_1": str(file), "fastq_2": None}])
    assert outcome.metrics["reads"] == outcome.metrics["mapped"] == 100
    assert outcome.metrics["median_insert_size_bp"] is None
    assert not any(record.is_paired for record in outcome.records())


def test_cram_holds_the_same_alignments(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    lanes = [lane(tmp_path, "L001", pairs(sequences, 100, 10))]
    bam, cram = align(lanes), align(lanes, format="cram")
    assert cram.bam.with_suffix(".cram.crai").is_file()
    assert cram.bam.with_suffix(".cram").read_bytes()[:6] == b"CRAM\3\0"  # the version that all tools can read
    names = [
        [(record.query_name, record.flag, record.reference_start) for record in aligned.records()]
        for aligned in (bam, cram)
    ]
    assert names[0] == names[1]
    assert bam.metrics == cram.metrics


def test_a_wrong_mate_late_in_the_files_is_reported_with_its_record(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    reads = pairs(sequences, 3000, 11)
    good = lane(tmp_path, "L001", reads)
    swapped = [*reads[:2500], reads[2501], reads[2500], *reads[2502:]]
    second = fastq(tmp_path / "swapped.fastq.gz", [(name, bases) for name, _, bases in swapped])
    outcome = align([{**good, "fastq_2": str(second)}])
    assert outcome.code == 65
    assert (
        outcome.error == f"error: {second}: record 2501: expected the mate of {reads[2500][0]}, found {reads[2501][0]}"
    )
    assert not outcome.bam.exists() or not outcome.metrics


def test_the_bytes_of_a_cram_file_do_not_depend_on_folders(
    align: Align, reference: Path, sequences: dict[str, str], tmp_path: Path
) -> None:
    lanes = [lane(tmp_path, "L001", pairs(sequences, 100, 1))]
    elsewhere = tmp_path / "a folder with a longer name" / "cache" / "0123456789abcdef"
    elsewhere.mkdir(parents=True)
    for file in reference.parent.glob("reference.*"):
        shutil.copy(file, elsewhere / ("other" + file.name.removeprefix("reference")))
    first, second = align(lanes, format="cram"), align(lanes, format="cram", reference=elsewhere / "other.fa")
    assert (first.error, second.error) == ("", "")
    assert first.bam.read_bytes() == second.bam.read_bytes()
    header = str(pysam.AlignmentFile(str(first.bam), check_sq=False).header)
    assert "UR:" not in header
    assert "M5:" in header
    assert len(first.records()) == 200


def test_a_long_contig_needs_a_csi_index(
    align: Align, reference: Path, sequences: dict[str, str], tmp_path: Path
) -> None:
    for file in reference.parent.glob("reference.*"):
        shutil.copy(file, tmp_path)
    with (tmp_path / "reference.fa.fai").open("a") as fai:
        fai.write("long\t536870912\t10000\t60\t61\n")  # without reads
    outcome = align([lane(tmp_path, "L001", pairs(sequences, 100, 1))], reference=tmp_path / "reference.fa")
    assert outcome.error == ""
    assert [file.name for file in outcome.bam.parent.glob("*.bam.*")] == ["s1.md.bam.csi"]
    with pysam.AlignmentFile(str(outcome.bam)) as alignments:
        assert alignments.lengths == (6000, 3000, 536870912)
        assert next(alignments.fetch("chr2", 1000, 2000))


def test_hits_on_alternate_contigs_leave_the_mapping_quality(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    """With a .alt file, the same bases on an alternate contig are no other place of the genome."""
    fasta = tmp_path / "reference.fa"
    fasta.write_text(f">chr1\n{sequences['chr1']}\n>chr1_alt\n{sequences['chr1']}\n")
    lanes = [lane(tmp_path, "L001", pairs({"chr1": sequences["chr1"]}, 100, 1))]

    def mapping_qualities(folder: str) -> set[int]:
        prepared = prepare(f"s3://refs/{fasta.name}", ["fai", "bwa"], LocalStore({"refs": tmp_path}), tmp_path / folder)
        return {record.mapping_quality for record in align(lanes, reference=prepared).records()}

    assert mapping_qualities("cache") == {0}
    Path(f"{fasta}.alt").write_text("chr1_alt\t0\tchr1\t1\t60\t6000M\t*\t0\t0\t*\t*\n")
    assert mapping_qualities("cache") == {60}


def test_a_parameter_overrides_the_guess_of_the_encoding(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    reads = [(name, first) for name, first, _ in pairs(sequences, 50, 12)]
    plain = fastq(tmp_path / "phred33.fq", reads)
    old = tmp_path / "phred64.fq"
    old.write_text(plain.read_text().replace("F" * READ_BP, chr(ord("F") + 31) * READ_BP))
    expected, refused, converted, kept = (
        align([{"lane": "L001", "fastq_1": str(file), "fastq_2": None}], quality_encoding=encoding)
        for file, encoding in ((plain, "auto"), (old, "auto"), (old, "phred64"), (old, "phred33"))
    )
    assert (refused.code, "as in Phred+64" in refused.error) == (65, True)
    assert converted.bam.read_bytes() == expected.bam.read_bytes()
    assert {quality for record in kept.records() for quality in record.query_qualities or ()} == {68}


def test_a_parameter_overrides_the_guess_of_the_layout(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = [(f"{name}/2", second) for name, _, second in pairs(sequences, 20, 13)]
    lanes = [{"lane": "L001", "fastq_1": str(fastq(tmp_path / "second.fq", reads)), "fastq_2": None}]
    refused, aligned = align(lanes), align(lanes, read_layout="single")
    assert (refused.code, "found the second read of" in refused.error) == (65, True)
    assert (aligned.metrics["reads"], any(record.is_paired for record in aligned.records())) == (20, False)
