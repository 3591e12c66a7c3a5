"""The alignment step's program, run as the worker runs it."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pysam
import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore

sys.path.insert(0, str(Path(__file__).parent))
from test_support import CONTIGS, FRAGMENT_BP, READ_BP, Align, Outcome, each_aligner, fastq, lane, pairs


@each_aligner
def test_pairs_become_sorted_alignments_with_read_groups(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    reads = pairs(sequences, 300, 1)
    outcome = align(
        [lane(tmp_path, "L001", reads), lane(tmp_path, "L002", pairs(sequences, 200, 2, "A00:1:FLOW:2:1:1"))]
    )
    assert outcome.code == 0, outcome.error
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
        assert sum(1 for _ in file.fetch("chr2", 1000, 1100)) > 0  # the index works


@each_aligner
def test_every_read_is_aligned_to_its_origin(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    for record in align([lane(tmp_path, "L001", pairs(sequences, 200, 3))]).records():
        start = record.reference_start
        assert record.query_sequence == sequences[str(record.reference_name)][start : start + READ_BP]


@each_aligner
def test_the_bytes_do_not_depend_on_the_cores(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    lanes = [lane(tmp_path, "L001", pairs(sequences, 2300, 4))]
    one, two, five = (align(lanes, vcpus=vcpus) for vcpus in (1, 2, 5))
    assert one.bam.read_bytes() == two.bam.read_bytes() == five.bam.read_bytes()
    assert one.metrics == two.metrics == five.metrics
    files = [sorted(file for file in outcome.bam.parent.glob("s1.*")) for outcome in (one, two, five)]
    assert [file.name for file in files[0]] == [file.name for file in files[1]] == [file.name for file in files[2]]
    assert len(files[0]) == 12  # with the index, without the files of regions
    for same in zip(*files, strict=True):
        assert len({file.read_bytes() for file in same}) == 1, same[0].name


@each_aligner
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


def test_files_of_quality_control_are_those_of_samtools(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    lanes = [lane(tmp_path, "L001", [*pairs(sequences, 300, 5), ("noise:0", "ACAC" * 25, "GTTT" * 25)])]
    for outcome in (align(lanes), align(lanes, format="cram")):
        name = str(outcome.bam)
        assert outcome.file("sorted.flagstat.txt") == pysam.samtools.flagstat(name)
        assert outcome.file("sorted.idxstats.txt") == pysam.samtools.idxstats(name)
        if outcome.bam.suffix == ".bam":  # of a CRAM file, samtools coverage reads no base qualities
            assert outcome.file("sorted.coverage.txt") == pysam.samtools.coverage(name)
            stats = str(pysam.samtools.stats(name))
            assert outcome.file("sorted.stats.txt").splitlines()[3:] == stats.splitlines()[3:]
        command = json.loads(outcome.file("markdup.json"))["COMMAND"]
        assert command.startswith("samtools markdup ")
        assert str(tmp_path) not in command
        assert json.loads(outcome.file("base_quality_mqc.json"))["data"]["s1 R2"]["100"] == 37  # F
        gc = json.loads(outcome.file("gc_content_mqc.json"))["data"]["s1 R1"]
        assert sum(gc.values()) == pytest.approx(100, abs=0.01)


def test_depth_in_regions(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    bed = tmp_path / "panel.bed"
    bed.write_text("chr2\t1000\t2000\tgene\nchr1\t0\t3000\n")
    lanes = [lane(tmp_path, "L001", pairs(sequences, 300, 5))]
    outcome, plain = align(lanes, regions=str(bed)), align(lanes)
    with pysam.AlignmentFile(str(outcome.bam)) as file:
        depths = [np.sum(file.count_coverage(*span), axis=0) for span in (("chr1", 0, 3000), ("chr2", 1000, 2000))]
    both = np.concatenate(depths)
    assert outcome.metrics["mean_depth"] == pytest.approx(both.mean(), abs=1e-3) != plain.metrics["mean_depth"]
    assert outcome.metrics["coverage_20x_fraction"] == pytest.approx((both >= 20).mean(), abs=1e-6)
    assert outcome.metrics["on_target_fraction"] == pytest.approx(both.sum() / (600 * READ_BP), abs=1e-6)
    assert plain.metrics["on_target_fraction"] is None
    rows = [f"chr1\t0\t3000\t{depths[0].mean():.5f}", f"chr2\t1000\t2000\tgene\t{depths[1].mean():.5f}"]
    assert gzip.decompress(outcome.path("regions.bed.gz").read_bytes()).decode().splitlines() == rows
    assert outcome.path("thresholds.bed.gz.csi").is_file()
    assert outcome.file("mosdepth.region.dist.txt").endswith("total\t0\t1.00000\n")
    assert not plain.path("mosdepth.region.dist.txt").exists()
    check_target_statistics(outcome, plain, tmp_path)


def check_target_statistics(outcome: Outcome, plain: Outcome, folder: Path) -> None:
    """Compare the statistics of the regions with samtools' own, and those of all alignments with a run without."""
    targets = folder / "targets.tsv"
    targets.write_text("chr1\t1\t3000\nchr2\t1001\t2000\n")
    found = outcome.file("targets.stats.txt")
    native = str(pysam.samtools.stats("--target-regions", str(targets), str(outcome.bam)))
    assert found.splitlines()[3:] == native.splitlines()[3:]
    assert "SN\tbases inside the target:\t4000\n" in found
    assert str(folder) not in found
    assert outcome.file("sorted.stats.txt") == plain.file("sorted.stats.txt")
    assert not plain.path("targets.stats.txt").exists()


def test_another_sex_than_the_sheets_is_bad(align: Align, tmp_path: Path) -> None:
    rng = random.Random(3)
    sequences = {
        name: "".join(rng.choices("ACGT", k=length)) for name, length in (("1", 4000), ("X", 4000), ("Y", 2000))
    }
    fasta = tmp_path / "human.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in sequences.items()))
    reference = prepare(str(fasta), ["fai", "dict", "minibwa"], object_store(), tmp_path / "cache")
    depths = {"1": 1200, "X": 600, "Y": 300}  # X and Y half as deep
    reads = [
        pair for name, count in depths.items() for pair in pairs({name: sequences[name]}, count, 5, f"A00:1:F:{name}")
    ]
    metrics = align([lane(tmp_path, "L001", reads)], reference=reference, sex="XX").metrics
    assert metrics["x_depth_ratio"] == pytest.approx(0.5, abs=0.05) == metrics["y_depth_ratio"]
    assert (metrics["sex"]["value"], metrics["sex"]["verdict"]) == ("XY", "bad")
    assert "expected XX as in the sample sheet, found XY" in metrics["sex"]["reason"]


@each_aligner
def test_duplicates_are_not_marked_on_request(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = pairs(sequences, 20, 6)
    copies = [(f"{name}copy", first, second) for name, first, second in reads]
    lanes = [lane(tmp_path, "L001", reads + copies)]
    marked, unmarked = align(lanes), align(lanes, mark_duplicates=False)
    assert (marked.metrics["duplicates"], unmarked.metrics["duplicates"]) == (40, 0)
    assert not any(record.is_duplicate for record in unmarked.records())
    assert unmarked.bam.with_suffix(".bam.bai").is_file()
    assert not unmarked.path("markdup.json").exists()


@each_aligner
def test_interleaved_reads_give_the_same_alignments(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = pairs(sequences, 150, 8)
    both = [(name, bases) for name, first, second in reads for bases in (first, second)]
    one_file = fastq(tmp_path / "both.fastq", both)
    interleaved = align([{"lane": "L001", "fastq_1": str(one_file), "fastq_2": None}])
    assert interleaved.code == 0, interleaved.error
    assert interleaved.lines() == align([lane(tmp_path, "L001", reads)]).lines()


@each_aligner
def test_single_reads(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    file = fastq(tmp_path / "single.fq", [(name, first) for name, first, _ in pairs(sequences, 100, 9)])
    outcome = align([{"lane": "L001", "fastq_1": str(file), "fastq_2": None}])
    assert outcome.metrics["reads"] == outcome.metrics["mapped"] == 100
    assert outcome.metrics["median_insert_size_bp"] is None
    assert not any(record.is_paired for record in outcome.records())


@each_aligner
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


@each_aligner
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
        shutil.copy(file, elsewhere)
    first, second = align(lanes, format="cram"), align(lanes, format="cram", reference=elsewhere / "reference.fa")
    assert (first.code, second.code) == (0, 0), first.error + second.error
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
    assert outcome.code == 0, outcome.error
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
        return {record.mapping_quality for record in align(lanes, reference=prepared, aligner="bwa").records()}

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
    assert converted.lines() == expected.lines()
    assert {quality for record in kept.records() for quality in record.query_qualities or ()} == {68}


def test_a_parameter_overrides_the_guess_of_the_layout(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    reads = [(f"{name}/2", second) for name, _, second in pairs(sequences, 20, 13)]
    lanes = [{"lane": "L001", "fastq_1": str(fastq(tmp_path / "second.fq", reads)), "fastq_2": None}]
    refused, aligned = align(lanes), align(lanes, read_layout="single")
    assert (refused.code, "found the second read of" in refused.error) == (65, True)
    assert (aligned.metrics["reads"], any(record.is_paired for record in aligned.records())) == (20, False)
