"""Samples of one person and of two, told apart by their genotypes, as by ``bcftools gtcheck``."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import relatedness
from relatedness import SITE_DISTANCE_BP, Sites, compare, read_patients

GENOTYPES = ("0/0", "0/1", "1/1", "./.")


def cohort(sites: int, seed: int = 1) -> tuple[list[str], list[list[str]]]:
    """Return samples, of which `again` is `one` with an error in every thirtieth genotype, and rows of genotypes."""
    rng = random.Random(seed)
    samples, rows = ["one", "two", "again", "three"], []
    for number in range(sites):
        one, two, three = (rng.choices(GENOTYPES, (4, 4, 4, 1))[0] for _ in range(3))
        rows.append([one, two, one if number % 30 else "0/1", three])
    return samples, rows


def collected(samples: list[str], rows: list[list[str]]) -> Sites:
    sites = Sites(samples)
    for number, row in enumerate(rows):
        sites.add("chr1", 1 + number * SITE_DISTANCE_BP, row)
    return sites


def test_discordance_is_that_of_gtcheck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relatedness, "LEAST_CARRIERS", 0)
    monkeypatch.setattr(relatedness, "MOST_CARRIERS", 1)
    samples, rows = cohort(300)
    vcf = tmp_path / "joint.vcf"
    head = '##fileformat=VCFv4.2\n##contig=<ID=chr1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])
    lines = ["\t".join(["chr1", str(1 + n), ".", "A", "G", ".", "PASS", ".", "GT", *row]) for n, row in enumerate(rows)]
    vcf.write_text(head + columns + "\n" + "\n".join(lines) + "\n")
    answer = str(pysam.bcftools.gtcheck("-u", "GT,GT", "-e", "0", str(vcf)))
    expected = {}
    for line in answer.splitlines():
        if line.startswith("DC"):
            _, first, second, different, _, compared, *_ = line.split("\t")
            expected[frozenset((first, second))] = (int(compared), round(float(different) / int(compared), 4))
    found = {frozenset(pair[:2]): (pair.sites, pair.discordance) for pair in collected(samples, rows).pairs()}
    assert len(found) == 6
    assert found == expected


def test_one_person_under_two_names_and_two_under_one_are_conflicts() -> None:
    sites = collected(*cohort(300))
    own = {"one": "P1", "two": "P2", "again": "P1", "three": "P3"}
    right = compare(sites, own)
    assert right["identity_conflicts"] == {"value": 0, "verdict": "good"}
    assert [(pair["first"], pair["second"]) for pair in right["close_pairs"]] == [("one", "again")]
    swapped = compare(sites, own | {"again": "P2"})["identity_conflicts"]
    assert (swapped["value"], swapped["verdict"]) == (2, "bad")
    assert "one and again differ at" in swapped["reason"]
    assert "as one person, but are of patients P1 and P2; two and again" in swapped["reason"]
    assert swapped["reason"].endswith("as two people, but are of patient P2")
    assert compare(sites, {})["identity_conflicts"] is None


def test_near_rare_and_few_sites_tell_nothing() -> None:
    samples, rows = cohort(99)
    assert list(collected(samples, rows).pairs()) == []
    sites = Sites(samples)
    for number, row in enumerate(cohort(3000)[1]):
        sites.add("chr1", 1 + number * 100, row)  # 300 kb
    for number in range(300):
        sites.add("chr2", 1 + number * SITE_DISTANCE_BP, ["0/0"] * 4)
    assert list(sites.pairs()) == []


def test_many_sites_are_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relatedness, "MOST_SITES", 150)
    for pair in collected(*cohort(3000)).pairs():
        assert 100 <= pair.sites < 300


def test_patients_are_read_from_the_header() -> None:
    header = pysam.VariantHeader()
    header.add_line("##SAMPLE=<ID=a,Patient=P-1>")
    header.add_line("##SAMPLE=<ID=b,Description=none>")
    assert read_patients(header) == {"a": "P-1"}
