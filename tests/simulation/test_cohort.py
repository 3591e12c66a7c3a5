"""Simulated cohorts: the same bytes for the same seed, and reads that agree with the truth."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pysam
import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.manifest import parse_sheet
from genomics_pipeline.simulation.cohort import Cohort, simulate
from genomics_pipeline.simulation.genotypes import Genotypes, draw_genotypes, haplotype
from genomics_pipeline.simulation.reference import SimulatedContig
from genomics_pipeline.simulation.sexes import haplotypes as of_sex
from genomics_pipeline.simulation.sites import Site, plant_sites
from tests.fuzz.harness import run_command

SMALL: dict[str, Any] = {"samples": 2, "length_bp": 6_000, "depth": 4}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return simulate(tmp_path_factory.mktemp("simulated") / "new" / "cohort", seed=1, **SMALL)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reads(path: Path) -> list[tuple[str, str, str]]:
    with gzip.open(path, "rt") as lines:
        records = zip(*[iter(line.rstrip("\n") for line in lines)] * 4, strict=True)
        return [(name, bases, qualities) for name, bases, _, qualities in records]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(cohort: Cohort, tmp_path: Path) -> None:
    again, other = (simulate(tmp_path / str(seed), seed=seed, **SMALL).folder for seed in (1, 2))
    assert contents(again) == contents(cohort.folder)
    assert all(text != contents(other)[name] for name, text in contents(again).items() if name != "cohort.csv")


def test_all_files_are_written(cohort: Cohort) -> None:
    fastq = [
        f"fastq/{lane}_R{mate}_001.fastq.gz"
        for lane in ("sample1_S1_L001", "sample1_S1_L002", "sample2_S2_L001")
        for mate in (1, 2)
    ]
    assert sorted(contents(cohort.folder)) == sorted(
        ["cohort.csv", "reference.fa", "truth.vcf.gz", "truth.vcf.gz.tbi", *fastq]
    )
    assert [path.name for path in cohort.folder.parent.iterdir()] == ["cohort"]
    assert cohort.samples == ("sample1", "sample2")
    assert cohort.read_pairs == 2 * round(80 * 1.04)  # 6,000 bp x 4 / 300, and PCR copies


def test_the_sample_sheet_is_valid(cohort: Cohort) -> None:
    text = (cohort.folder / "cohort.csv").read_text()
    assert text.startswith("patient,sex,status,sample,lane,fastq_1,fastq_2\nsample1,XX,0,sample1,L001,fastq/")
    samples = parse_sheet(text, "cohort.csv", str(cohort.folder))
    assert [(sample.sample, [lane.lane for lane in sample.lanes]) for sample in samples] == [
        ("sample1", ["L001", "L002"]),
        ("sample2", ["L001"]),
    ]
    assert all(Path(uri).is_file() for sample in samples for lane in sample.lanes for _, uri in lane.files)


def test_names_sort_as_numbers_and_a_lone_sample_has_one_lane(tmp_path: Path) -> None:
    cohort = simulate(tmp_path / "ten", samples=10, length_bp=5_000, depth=0.1, seed=1)
    assert list(cohort.samples) == sorted(cohort.samples)
    assert cohort.samples[0] == "sample01"
    lone_cohort = simulate(tmp_path / "one", samples=1, length_bp=5_000, depth=1, seed=1)
    assert len(list((lone_cohort.folder / "fastq").iterdir())) == 2


def haplotypes(cohort: Cohort, sample: str) -> list[str]:
    """Return both copies of every contig, from the reference and the truth's phased genotypes."""
    spelt = []
    with pysam.VariantFile(str(cohort.folder / "truth.vcf.gz")) as truth:
        records = list(truth)
    with pysam.FastxFile(str(cohort.folder / "reference.fa")) as fasta:  # without an index, which would stay
        contigs = {str(record.name): str(record.sequence) for record in fasta}
    for name, sequence in contigs.items():
        for copy in (0, 1):
            bases = sequence
            for record in reversed([record for record in records if record.contig == name]):
                assert bases[record.start : record.stop] == record.ref
                allele = (record.alleles or ())[record.samples[sample]["GT"][copy]]
                bases = bases[: record.start] + allele + bases[record.stop :]
            spelt.append(bases)
    return spelt


def test_reads_spell_the_haplotypes_of_the_truth(cohort: Cohort) -> None:
    sources = haplotypes(cohort, "sample2")
    strands = sources + [reverse(strand) for strand in sources]
    r1, r2 = (reads(cohort.folder / f"fastq/sample2_S2_L001_R{mate}_001.fastq.gz") for mate in (1, 2))
    assert [name.split()[0] for name, *_ in r1] == [name.split()[0] for name, *_ in r2]
    assert len({name for name, *_ in r1}) == len(r1)
    exact = [any(bases in strand for strand in strands) for _, bases, _ in r1 + r2]
    assert 0.5 < sum(exact) / len(exact) < 1  # the others have sequencing errors
    assert all(len(bases) == len(qualities) == 150 for _, bases, qualities in r1 + r2)
    assert {quality for *_, qualities in r1 for quality in qualities} == set("F:,")


def reverse(bases: str) -> str:
    return bases[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_truth_is_indexed_and_each_site_is_carried(cohort: Cohort) -> None:
    with pysam.VariantFile(str(cohort.folder / "truth.vcf.gz")) as truth:
        assert {name: contig.length for name, contig in truth.header.contigs.items()} == {"chr1": 3_600, "chr2": 2_400}
        records = [*truth.fetch("chr1"), *truth.fetch("chr2")]
    assert len(records) == cohort.variants > 0
    assert all(any(any(call["GT"]) for call in record.samples.values()) for record in records)


def test_sites_are_spaced_normalised_and_away_from_ends() -> None:
    sequence = "ACGGTTTTACCATGCA" * 20_000
    sites = plant_sites([SimulatedContig("c", sequence)], seed=3)
    indels = [site for site in sites if len(site.ref) != len(site.alt)]
    assert 400 < len(sites) < 540
    assert 0.1 < len(indels) / len(sites) < 0.2
    assert all(later.start - sooner.start > 100 for sooner, later in pairwise(sites))
    assert sites[0].start >= 500
    assert sites[-1].start <= len(sequence) - 500
    for site in sites:
        assert sequence[site.start : site.start + len(site.ref)] == site.ref != site.alt
    for site in indels:
        longer, shorter = sorted((site.ref, site.alt), key=len, reverse=True)
        assert shorter == longer[0] != longer[-1]
        assert 2 <= len(longer) <= 13


def test_a_haplotype_carries_its_alleles_only() -> None:
    contig = SimulatedContig("c", "AACCGGTT")
    sites = [
        Site("c", 1, "A", "T", 1),
        Site("c", 3, "CGG", "C", 1),
        Site("d", 0, "A", "G", 1),
        Site("c", 7, "T", "TA", 1),
    ]
    genotypes: Genotypes = [(1, 0), (1, 0), (1, 1), (0, 1)]
    assert [haplotype(contig, sites, genotypes, copy) for copy in (0, 1)] == ["ATCCTT", "AACCGGTTA"]


def test_frequency_is_the_chance_of_each_haplotype() -> None:
    assert draw_genotypes([Site("c", 1, "A", "T", 1), Site("c", 9, "A", "T", 0)], Random(1)) == [(1, 1), (0, 0)]


def test_a_sample_has_as_many_alleles_of_a_contig_as_its_sex(tmp_path: Path) -> None:
    cohort = simulate(tmp_path / "a", samples=4, length_bp=60_000, depth=0.5, seed=2, with_sexes=True)
    assert (cohort.folder / "ploidy.txt").read_text() == (
        "chrX 1201 12000 M 1\nchrY 1 6000 M 1\nchrY 1 6000 F 0\nchrM 1 3000 M 1\nchrM 1 3000 F 1\n"
    )
    copies = {"XX": {"PAR": 2, "chrX": 2, "chrY": 0, "chrM": 1}, "XY": {"PAR": 2, "chrX": 1, "chrY": 1, "chrM": 1}}
    seen = set()
    with pysam.VariantFile(str(cohort.folder / "truth.vcf.gz")) as truth:
        for record in truth:
            region = "PAR" if record.chrom == "chrX" and record.pos <= 1200 else record.chrom
            for number, call in enumerate(record.samples.values()):
                alleles = len([one for one in call["GT"] if one is not None])
                assert alleles == copies[("XX", "XY")[number % 2]].get(region, 2)
                seen.add((region, alleles))
    assert {("chrX", 1), ("chrX", 2), ("chrY", 0), ("chrY", 1), ("chrM", 1), ("chr1", 2)} <= seen
    assert cohort.to_json()["ploidy_file"] == str(cohort.folder / "ploidy.txt")


def test_the_second_x_of_xy_is_its_pseudoautosomal_region() -> None:
    contigs = [SimulatedContig(name, "ACGTACGTAC" * 3) for name in ("chr1", "chrX", "chrY", "chrM")]
    sites = [Site("chrX", 1, "C", "T", 1), Site("chrX", 8, "A", "G", 1)]
    assert list(of_sex(contigs, sites, [(0, 1), (1,)], "XY")) == [
        *["ACGTACGTAC" * 3] * 2,
        *["ACGTACGTGC" + "ACGTACGTAC" * 2, "ATG"],
        *["ACGTACGTAC" * 3] * 3,
    ]
    assert len(list(of_sex(contigs, sites, [(0, 1), (1, 0)], "XX"))) == 6


@pytest.mark.parametrize("taken", ["file", "folder"])
def test_an_existing_file_or_folder_is_refused_and_left_alone(tmp_path: Path, taken: str) -> None:
    out = tmp_path / "out"
    kept = out if taken == "file" else out / "mine"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    with pytest.raises(UsageError, match="expected a new or empty folder"):
        simulate(out, seed=1, **SMALL)
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_to_itself_is_reported(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.symlink_to("out")
    ended = run_command("simulate", "--out", out, "--samples", "1", "--length", "5000", "--depth", "1")
    assert ended.code == 1
    assert ended.err.startswith(f"error: {out}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("genomics_pipeline.simulation.cohort.write_reads", full)
    with pytest.raises(OSError, match="disk full"):
        simulate(tmp_path / "out", seed=1, **SMALL)
    assert list(tmp_path.iterdir()) == []
