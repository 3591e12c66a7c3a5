"""The estimate of contamination, on simulated counts of known truth, and by the step's program on generated reads."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from calling_units import Span
from common.program import BadInput
from contamination import Estimate, SiteCounts, contamination_metrics, estimate, frequency_bin
from known_sites import PanelSites, panel_sites
from test_variant_calling import Dataset, index, run_step, snp

ERROR = 0.002


def genotype(rng: random.Random, frequency: float) -> int:
    return (rng.random() < frequency) + (rng.random() < frequency)


def simulated(share: float, panel: bool, depth: int = 30, sites: int = 2000, seed: int = 1) -> SiteCounts:
    """Return counts of a diploid sample of which a share of the reads is an unrelated person's.

    Frequencies are those of alleles that the reference lacks in a population of constant size.
    """
    rng, counts = random.Random(seed), SiteCounts()
    while sum(counts.cells.values()) < sites:
        frequency = 0.01 ** rng.random()  # density 1/p from 0.01 to 1
        own, other = genotype(rng, frequency), genotype(rng, frequency)
        chosen = frequency_bin(frequency)
        if chosen is None:
            continue
        reads = [0, 0, 0]
        for _ in range(max(0, round(rng.gauss(depth, depth**0.5)))):
            source = other if rng.random() < share else own
            allele = int(rng.random() < source / 2)
            if rng.random() < 3 * ERROR:
                allele = rng.choice([1 - allele, 2, 2])
            reads[allele] += 1
        if panel or (own > 0 and reads[1] >= 0.75 * (reads[0] + reads[1])):
            counts.add(chosen if panel else 0, *reads)
    return counts


@pytest.mark.parametrize("panel", [True, False], ids=["panel", "own"])
@pytest.mark.parametrize(("share", "depth"), [(0, 30), (0.01, 30), (0.05, 30), (0.2, 30), (0.1, 8)])
def test_simulated_shares_are_found(panel: bool, share: float, depth: int) -> None:
    found = estimate(simulated(share, panel, depth, 1000 if panel else 600), panel)
    assert found is not None
    assert found.share == pytest.approx(share, rel=0.25, abs=0.004)
    assert found.low <= found.share <= found.high
    assert found.is_precise


def test_artifacts_at_some_sites_are_no_contamination() -> None:
    counts = simulated(0, True, 150, 200)
    for _ in range(5):
        counts.add(25, 120, 30, 0)
    found = estimate(counts, True)
    assert found is not None
    assert found.share < 0.005


def test_deep_sites_are_scaled_down() -> None:
    found = estimate(simulated(0.1, True, 400, 200), True)
    assert found is not None
    assert found.share == pytest.approx(0.1, rel=0.2)


def test_sites_of_unusual_depth_do_not_count() -> None:
    counts = simulated(0, True, sites=500)
    usual = sum(counts.homozygous(True).cells.values())
    for depth in (10, 70):
        for _ in range(200):
            counts.add(25, depth - depth // 10, depth // 10, 0)
    found = estimate(counts, True)
    assert found is not None
    assert found.sites == usual
    assert found.share < 0.01


@pytest.mark.parametrize(
    ("found", "precise"),
    [
        (Estimate(0.0, 0.0, 0.05, 30), True),
        (Estimate(0.0, 0.0, 0.05, 29), False),
        (Estimate(0.01, 0.0, 0.06, 300), False),
        (Estimate(0.1, 0.05, 0.25, 300), True),
    ],
)
def test_an_estimate_is_given_where_the_reads_tell(found: Estimate, precise: bool) -> None:
    assert found.is_precise is precise


def test_metrics_without_an_estimate() -> None:
    nothing = contamination_metrics(None, False)
    assert set(nothing.values()) == {None}
    assert contamination_metrics(SiteCounts(), True) == nothing
    few = contamination_metrics(simulated(0.1, True, sites=20), True)
    assert few["contamination"] is None
    assert few["contamination_sites"] <= 20


def test_counts_of_units_add_up() -> None:
    whole = simulated(0.05, True, sites=300)
    twice = SiteCounts()
    for _ in range(2):
        twice.update(json.loads(json.dumps(whole.to_json())))
    assert twice.cells == {cell: 2 * sites for cell, sites in whole.cells.items()}
    assert (twice.reads, twice.errors) == (2 * whole.reads, 2 * whole.errors)


def test_which_sites_of_a_panel_are_taken() -> None:
    rows = [
        ("5", "A", "G", "AF=0.3"),  # begins before the span
        ("11", "a", "g", "AC=1;AF=0.5;AN=2"),
        ("11", "A", "T", "AF=0.4"),  # a second record of the position
        ("12", "A", "AT", "AF=0.5"),
        ("13", "C", "G,T", "AF=0.5,0.1"),
        ("14", "C", "G", "AF=0.001"),
        ("15", "C", "G", "AF=0.995"),
        ("16", "C", "G", "AF=."),
        ("17", "C", "G", "NAF=0.5"),
        ("18", "C", "G", "AF=0.99"),
    ]
    lines = ["\t".join(["c1", pos, ".", ref, alt, ".", ".", info]) for pos, ref, alt, info in rows]
    assert [tuple(site) for site in panel_sites(lines, "AF", 10)] == [(10, "A", "G", 25), (17, "C", "G", 49)]


def test_reads_are_counted_by_the_allele_of_the_panel(tmp_path: Path) -> None:
    write_panel(tmp_path / "panel.vcf", [(10, "A"), (20, "C"), (30, "G"), (40, "T")])
    panel = PanelSites(str(tmp_path / "panel.vcf.gz"), "AF", (Span("c1", 0, 100),))
    records = [
        "c1\t9\t.\tA\t<*>\t.\t.\tEND=21;MIN_DP=9;QS=1,0\tPL:DP\t0,9,9:9\n",  # sites 10 and 20
        "c1\t31\t.\tg\tc,a,<*>\t.\t.\tDP=9\tPL:DP:SP:AD\t0,0,0:9:0:1,2,5,1\n",
        "c1\t31\t.\tG\tGA\t.\t.\tINDEL;IDV=1\tPL:DP:SP:AD\t0,0,0:9:0:7,7\n",
        "c1\t41\t.\tT\tA,<*>\t.\t.\tDP=9\tPL:DP:SP:AD\t0,0,0:9:0:6,3,0\n",
    ]
    assert list(panel.counted(records)) == records
    assert dict(panel.counts.cells) == {(25, 9, 0): 2, (25, 6, 5): 1, (25, 6, 0): 1}
    assert (panel.counts.reads, panel.counts.errors) == (36, 6)


SITES = range(50, 8950, 100)  # SNPs so far apart that no two are in one read


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Write reads of a sample S, homozygous at all SNPs, of which a tenth is another person's, and a panel."""
    folder = tmp_path_factory.mktemp("mixed")
    rng = random.Random(3)
    genome = {"c1": "".join(rng.choices("ACGT", k=9000))}
    reference = folder / "reference.fa"
    reference.write_text(f">c1\n{genome['c1']}\n")
    index(reference)
    people = [{site: 2 * rng.randrange(2) for site in SITES}, {site: genotype(rng, 0.5) for site in SITES}]
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": "c1", "LN": 9000}],
        "RG": [{"ID": "r", "SM": "S"}],
    }
    with pysam.AlignmentFile(str(folder / "S.bam"), "wb", header=header) as bam:
        for begin in range(0, 8910, 3):
            read = pysam.AlignedSegment(bam.header)
            bases = list(genome["c1"][begin : begin + 90])
            for site in range(max(0, begin - 50 + 99) // 100 * 100 + 50, begin + 90, 100):
                if rng.random() < people[rng.random() < 0.1].get(site, 0) / 2:
                    bases[site - begin] = snp(bases[site - begin])
            read.query_name, read.query_sequence, read.mapping_quality = f"r{begin}", "".join(bases), 60
            read.reference_id, read.reference_start, read.cigartuples = 0, begin, [(0, 90)]
            read.flag = 16 if begin % 2 else 0
            read.query_qualities = pysam.qualitystring_to_array("I" * 90)
            read.set_tag("RG", "r")
            bam.write(read)
    pysam.index(str(folder / "S.bam"))
    (folder / "alternative.txt").write_text(str(sum(copies == 2 for copies in people[0].values())))
    write_panel(folder / "panel.vcf", [(site, genome["c1"][site]) for site in SITES])
    return Dataset(folder, reference, folder / "S.bam", genome)


def write_panel(path: Path, sites: Sequence[tuple[int, str]]) -> None:
    lines = ["##fileformat=VCFv4.2", '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">']
    lines += ["##contig=<ID=c1>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    lines += [f"c1\t{site + 1}\t.\t{base}\t{snp(base)}\t.\t.\tAF=0.5" for site, base in sites]
    path.write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)


def metrics_of(mixed: Dataset, folder: Path, **parameters: Any) -> dict[str, Any]:
    process = run_step(mixed, folder, **parameters)
    assert process.returncode == 0, process.stderr
    metrics: dict[str, Any] = json.loads((folder / "S.json").read_text())
    return metrics


def test_the_step_estimates_at_a_panel_and_at_own_variants(mixed: Dataset, tmp_path: Path) -> None:
    panel = {"contamination_sites": str(mixed.folder / "panel.vcf.gz"), "contamination_frequency": "AF"}
    found = metrics_of(mixed, tmp_path / "panel", **panel, unit_bp=4550)
    assert (found["contamination_from"], found["contamination_sites"]) == ("panel", len(SITES))
    assert found["contamination"] == pytest.approx(0.1, abs=0.03)
    own = metrics_of(mixed, tmp_path / "own", unit_bp=4550)
    assert own["contamination_from"] == "own variants"
    assert 30 <= own["contamination_sites"] <= int((mixed.folder / "alternative.txt").read_text()), "each site once"
    assert 0.05 < own["contamination"] < 0.3, "at a frequency of one half, the assumed frequencies are too high"
    haploid = metrics_of(mixed, tmp_path / "haploid", ploidy=1, unit_bp=9000)
    assert haploid["contamination"] is haploid["contamination_sites"] is None


def test_a_panel_without_frequencies_is_refused(mixed: Dataset, tmp_path: Path) -> None:
    path = str(mixed.folder / "panel.vcf.gz")
    with pytest.raises(BadInput) as error:
        PanelSites(path, "EUR_AF", (Span("c1", 0, 100),))
    assert str(error.value) == f"{path}: expected the INFO field EUR_AF with frequencies, found none"
    missing = str(tmp_path / "none.vcf.gz")
    with pytest.raises(BadInput) as error:
        PanelSites(missing, "AF", (Span("c1", 0, 100),))
    expected = "expected a VCF file with its index, found one that cannot be read"
    assert str(error.value) == f"{missing}: {expected}"
