"""The files of quality control, compared with samtools' own and with depths that are counted base by base."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from common.bed import Region
from qc import batches, mosdepth_files, samtools_files
from qc.depth import Depth
from qc.sex import sex_metrics
from qc.tally import LEFT_OUT, THRESHOLDS, ContigTally, Tally, tally

CONTIGS = {"a": 700, "no_reads": 50, "b": 900}
REGIONS = [Region("a", 10, 300, "first"), Region("a", 250, 320), Region("a", 699, 700), Region("no_reads", 0, 9)]
CIGARS = ("60M", "5S40M", "20M3D20M2I18M", "30M25N30M", "10H12=1X20M5S", "1M", "3S57M2H")
FLAGS = (0, 16, 4, 99, 147, 73, 133, 97, 145, 256, 2048, 1024 + 99, 512, 512 + 4, 1, 2048 + 1024 + 65)


def records(seed: int) -> Iterator[pysam.AlignedSegment]:
    """Yield records of every kind, in the order of their places."""
    rng = random.Random(seed)
    header = pysam.AlignmentHeader.from_references(list(CONTIGS), list(CONTIGS.values()))
    places = sorted((rng.choice((0, 0, 2)), rng.randrange(0, 600)) for _ in range(400))
    for number, (contig, position) in enumerate([*places, *[(-1, -1)] * 5]):
        record = pysam.AlignedSegment(header)
        record.query_name = f"read{number}" * rng.randint(1, 5)
        record.flag = rng.choice(FLAGS) if contig >= 0 else 77
        record.reference_id, record.reference_start = contig, position
        record.next_reference_id = rng.choice((contig, 2)) if contig >= 0 else -1
        record.next_reference_start = 5 if contig >= 0 else -1
        record.mapping_quality = rng.choice((0, 4, 5, 60))
        if contig >= 0 and not record.is_unmapped:
            record.cigarstring = rng.choice(CIGARS)
        length = record.infer_query_length() or 41
        record.query_sequence = "".join(rng.choices("ACGT", k=length))
        record.query_qualities = pysam.qualitystring_to_array("".join(rng.choices("!#5FI", k=length)))
        record.set_tag("RG", "x" * rng.randint(0, 4))
        yield record


@pytest.fixture(params=[1, 2])
def bam(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "a.bam"
    header = pysam.AlignmentHeader.from_references(list(CONTIGS), list(CONTIGS.values()))
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for record in records(request.param):
            file.write(record)
    pysam.samtools.index(str(path))
    return path


def count(bam: Path) -> Tally:
    return tally(batches.read_batches(str(bam)), CONTIGS, REGIONS)


@pytest.mark.parametrize("read_bytes", [300, 5000, batches.READ_BYTES])
def test_the_files_are_those_of_samtools(bam: Path, read_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "READ_BYTES", read_bytes)  # records, contigs and regions go across batches
    counts = count(bam)
    assert samtools_files.flagstat(counts) == pysam.samtools.flagstat(str(bam))
    assert samtools_files.idxstats(counts) == pysam.samtools.idxstats(str(bam))
    rows = samtools_files.coverage(counts).splitlines()
    assert sorted(rows) == sorted(str(pysam.samtools.coverage(str(bam))).splitlines())
    assert [row.split("\t")[0] for row in rows] == ["#rname", *CONTIGS]


def naive_depths(bam: Path) -> dict[str, list[int]]:
    """Return the depth of each position as mosdepth counts it in fast mode."""
    depths = {name: [0] * length for name, length in CONTIGS.items()}
    with pysam.AlignmentFile(str(bam)) as file:
        for record in file:
            if not record.flag & LEFT_OUT:
                end = min(record.reference_end or 0, CONTIGS[str(record.reference_name)])
                for position in range(record.reference_start, end):
                    depths[str(record.reference_name)][position] += 1
    return depths


@pytest.mark.parametrize("read_bytes", [300, 5000])
def test_depths_are_those_of_each_base(bam: Path, read_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "READ_BYTES", read_bytes)
    counts, depths = count(bam), naive_depths(bam)
    for contig in counts.contigs:
        expected = Counter(depths[contig.name])
        assert {depth: bases for depth, bases in enumerate(contig.depths.tolist()) if bases} == expected
        inside: Counter[int] = Counter()
        for one in contig.regions:
            part = depths[contig.name][one.region.start : one.region.end]
            inside.update(part)
            assert (one.bases, one.reached) == (sum(part), [sum(d >= least for d in part) for least in THRESHOLDS])
        assert {depth: bases for depth, bases in enumerate(contig.region_depths.tolist()) if bases} == inside


def test_the_files_of_mosdepth(bam: Path) -> None:
    counts, depths = count(bam), naive_depths(bam)
    rows = [line.split("\t") for line in mosdepth_files.summary(counts).splitlines()[1:]]
    names = ["a", "a_region", "no_reads", "no_reads_region", "b", "total", "total_region"]
    assert [row[0] for row in rows] == names
    everywhere = [depth for one in depths.values() for depth in one]
    mean = f"{sum(everywhere) / len(everywhere):.5f}"
    assert rows[5][1:] == [str(len(everywhere)), str(sum(everywhere)), mean, "0", str(max(everywhere))]
    lines = mosdepth_files.texts(counts)["depth_distribution"].splitlines()
    assert "no_reads\t0\t1.00000" in lines
    assert f"total\t9\t{sum(depth >= 9 for depth in everywhere) / len(everywhere):.5f}" in lines
    assert mosdepth_files.region_means(counts).splitlines()[-1] == "no_reads\t0\t9\t0.00000"
    assert mosdepth_files.region_thresholds(counts).splitlines()[-1] == "no_reads\t0\t9\tunknown\t0\t0\t0\t0"


def test_a_distribution_has_no_lines_for_empty_depths_above_300() -> None:
    deep = np.zeros(1001, np.int64)
    deep[[0, 1000]] = 500, 500
    lines = mosdepth_files.distribution([("a", deep)]).splitlines()
    assert lines[:2] == ["a\t1000\t0.50000", "a\t300\t0.50000"]
    assert lines[301:303] == ["a\t0\t1.00000", "total\t1000\t0.50000"]


def test_reads_beyond_the_end_of_a_contig_are_clipped() -> None:
    depth = Depth(100)
    depth.add(np.array([90]), np.array([130]), 90)
    depth.end()
    assert depth.everywhere.bases.tolist() == [90, 10]


def test_a_stream_that_is_cut_off_is_an_error(bam: Path, tmp_path: Path) -> None:
    with pysam.BGZFile(str(bam), "rb", None) as file:
        data = file.read(1 << 20)
    cut = tmp_path / "cut.bam"
    with pysam.BGZFile(str(cut), "wb", None) as file:
        file.write(data[:-7])
    with pytest.raises(OSError, match="expected whole BAM records"):
        count(cut)


HUMAN = {"chr1": 40_000, "chr22": 20_000, "chrX": 30_000, "chrY": 15_000, "chrM": 100}


def human(depths: dict[str, int], reads_on_x: int = 5000, in_regions: bool = False) -> Tally:
    """Return counts in which each contig has the same depth everywhere; regions have it in their first tenth only."""
    rows = []
    for name, length in HUMAN.items():
        row = ContigTally.without_reads(name, length, ())
        row.depths = np.bincount([depths[name]], [length]).astype(np.int64)
        row.region_depths = np.bincount([0 if in_regions else depths[name]], [length // 10]).astype(np.int64)
        row.reads = reads_on_x
        rows.append(row)
    return Tally(np.zeros(1, np.int64), 0, rows, in_regions)


FEMALE = {"chr1": 30, "chr22": 30, "chrX": 30, "chrY": 0, "chrM": 900}
MALE = FEMALE | {"chrX": 15, "chrY": 7}


@pytest.mark.parametrize(
    ("depths", "given", "value", "verdict"),
    [
        (FEMALE, "XX", "XX", "good"),
        (MALE, "XY", "XY", "good"),
        (FEMALE, "XY", "XX", "bad"),
        (MALE, "XX", "XY", "bad"),
        (FEMALE | {"chrY": 7}, "XX", "unclear", "warn"),
        (FEMALE | {"chrX": 15}, "NA", "unclear", "warn"),
    ],
)
def test_sex_chromosomes_are_compared_with_the_sheet(
    depths: dict[str, int], given: str, value: str, verdict: str
) -> None:
    found = sex_metrics(human(depths), given)
    assert found["x_depth_ratio"] == pytest.approx(depths["chrX"] / 30, abs=1e-3)
    assert found["y_depth_ratio"] == pytest.approx(depths["chrY"] / 30, abs=1e-3)
    assert (found["sex"]["value"], found["sex"]["verdict"]) == (value, verdict)
    assert ("reason" in found["sex"]) == (verdict != "good")


def test_sex_is_not_told_without_a_sheet_that_says_it_or_reads_or_contigs_that_show_it() -> None:
    nothing = {"x_depth_ratio": None, "y_depth_ratio": None, "sex": None}
    assert sex_metrics(human(MALE), "NA")["sex"] == "XY"
    assert sex_metrics(human(MALE, reads_on_x=999), "XY") == nothing
    assert sex_metrics(human(MALE, in_regions=True), "XY") == nothing
    assert sex_metrics(tally([], CONTIGS, []), "XX") == nothing
