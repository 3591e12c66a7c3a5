"""Runs with the packed gVCFs of earlier runs: their joint VCFs are those of runs over all gVCFs, byte by byte."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pysam
import pytest

from benchmarks.cohort_gvcfs import Panel, Variant, write_gvcf
from tests.cli.conftest import Ended

Cli = Callable[..., Ended]
BASES = 9000
PEOPLE = [f"S{number}" for number in range(6)]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
INTERVALS = "results/variant_calling/joint/intervals"
PACKED = f"{INTERVALS}/joint_germline.00000.packed"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a reference of two contigs, and simulated gVCFs of six people at low depth."""
    folder = tmp_path_factory.mktemp("gvcfs")
    rng = random.Random(5)
    reference = {name: "".join(rng.choices("ACGT", k=BASES)) for name in ("c1", "c2")}
    (folder / "reference.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in reference.items()))
    write_people(folder, reference, rng)
    return folder


def write_people(folder: Path, reference: dict[str, str], rng: random.Random) -> None:
    """Write the gVCFs of six people, and one of the first person with other reads."""
    variants = []
    for contig, bases in reference.items():
        for pos in sorted(rng.sample(range(100, BASES - 100), 40)):
            ref = bases[pos - 1 : pos - 1 + rng.choice((1, 1, 1, 4))]
            alt = ref[0] if len(ref) > 1 else rng.choice([base for base in "ACGT" if base != ref])
            variants.append(Variant(contig, pos, ref, alt, rng.choices((0, 0, 1, 2), k=len(PEOPLE))))
    panel = Panel(PEOPLE, variants)
    for number in range(len(PEOPLE)):
        write_gvcf(folder, number, panel, reference, 8)
    (folder / "other").mkdir()
    write_gvcf(folder / "other", 0, panel, reference, 12)


def gvcf(folder: Path, person: str) -> str:
    return str(folder / f"{person}.g.vcf.gz")


def sheet(path: Path, gvcfs: Sequence[tuple[str, str]]) -> Path:
    path.write_text("\n".join(["sample,gvcf", *map(",".join, gvcfs)]) + "\n")
    return path


class Runs:
    """Runs of the pipeline joint over gVCFs of a folder."""

    def __init__(self, folder: Path, out: Path, cli: Cli) -> None:
        self.folder, self.out, self.cli = folder, out, cli

    def __call__(self, name: str, gvcfs: Sequence[tuple[str, str]], *options: str | Path) -> Path:
        """Run samples, given with their gVCFs, and return the folder of the run."""
        ended = self.command(name, gvcfs, *options)
        assert ended.code == 0, ended.err
        return self.out / name

    def command(self, name: str, gvcfs: Sequence[tuple[str, str]], *options: str | Path) -> Ended:
        run = ("run", "--reference", self.folder / "reference.fa", "--pipeline", "joint", "--out", self.out / name)
        given = [sheet(self.out / f"{name}.csv", gvcfs)] if gvcfs else []
        return self.cli(*run, *given, *options)

    def of(self, people: Sequence[str]) -> list[tuple[str, str]]:
        return [(person, gvcf(self.folder, person)) for person in people]


@pytest.fixture
def runs(folder: Path, tmp_path: Path, cli: Cli) -> Runs:
    return Runs(folder, tmp_path, cli)


def log(run: Path) -> list[str]:
    """Return what the log of the first interval says of packed gVCFs."""
    lines = (run / "steps/aggregation/00000/log.txt").read_text().splitlines()
    return [line for line in lines[1:] if "packed" in line]


def joint(run: Path) -> bytes:
    return (run / JOINT).read_bytes()


def test_an_added_sample_has_the_joint_vcf_of_a_run_over_all_gvcfs(runs: Runs) -> None:
    five = runs("five", runs.of(PEOPLE[:5]))
    whole = runs("whole", runs.of([PEOPLE[5], *PEOPLE[:5]]))
    planned = runs.command("six", runs.of(PEOPLE[5:]), "--joint-with", five, "--dry-run")
    assert "aggregation of 00000 runs: it is not done yet; 5 gVCFs of 6 are packed in earlier runs" in planned.out
    six = runs("six", runs.of(PEOPLE[5:]), "--joint-with", five)
    assert joint(six) == joint(whole)
    with pysam.VariantFile(str(six / JOINT)) as vcf:
        assert list(vcf.header.samples) == [PEOPLE[5], *PEOPLE[:5]]
        assert sum(1 for _ in vcf) > 60
    assert log(six) == ["5 gVCFs of 6 are packed in earlier runs"]
    record = json.loads((six / "steps/aggregation/00000/step.json").read_text())
    before = json.loads((five / "steps/aggregation/00000/step.json").read_text())
    assert record["inputs"]["earlier"]["files"] == [before["outputs"]["packed"]["sha256"]]
    assert record["input_bytes"] < Path(gvcf(runs.folder, PEOPLE[5])).stat().st_size * 2 + 2 * sum(
        file["size_bytes"] for one in [before["outputs"]["packed"]] for file in (one, *one["indexes"])
    )
    again = runs.command("six", runs.of(PEOPLE[5:]), "--joint-with", five, "--json")
    assert json.loads(again.out)["steps"] == {"run": 0, "reused": 2}
    third = runs("third", [], "--joint-with", six)
    assert (joint(third), log(third)) == (joint(whole), ["6 gVCFs of 6 are packed in earlier runs"])


def test_batches_are_joined_by_what_each_has_packed(runs: Runs) -> None:
    batches = [runs("one", runs.of(PEOPLE[:3])), runs("two", runs.of(PEOPLE[3:]))]
    both = runs("both", [], *(word for run in batches for word in ("--joint-with", run)))
    assert joint(both) == joint(runs("whole", runs.of(PEOPLE)))
    assert log(both) == ["6 gVCFs of 6 are packed in earlier runs"]


def test_samples_that_changed_are_read_and_those_that_are_gone_leave_no_sites(runs: Runs) -> None:
    """The sites that only these had are gone, too; nothing is read of the others."""
    before = runs("before", runs.of(PEOPLE))
    changed = runs.out / "S0.g.vcf.gz"
    for ending in ("", ".tbi"):
        Path(f"{changed}{ending}").write_bytes((runs.folder / f"other/S0.g.vcf.gz{ending}").read_bytes())
    people = [(PEOPLE[0], str(changed)), *runs.of(PEOPLE[2:5])]
    whole = runs("whole", people)
    (before / "gvcfs.jsonl").write_text(
        "".join(json.dumps({"sample": name, "gvcf": path}) + "\n" for name, path in people[1:])
    )
    after = runs("after", people[:1], "--joint-with", before)
    assert joint(after) == joint(whole)
    assert log(after) == ["3 gVCFs of 4 are packed in earlier runs"]
    again = runs("again", [], "--joint-with", after)
    assert (joint(again), log(again)) == (joint(whole), ["4 gVCFs of 4 are packed in earlier runs"])


def test_packed_gvcfs_of_other_regions_are_not_used_and_the_log_says_so(runs: Runs) -> None:
    before = runs("before", runs.of(PEOPLE[:3]))
    regions = runs.out / "regions.bed"
    regions.write_text("c1\t1000\t5000\n")
    after = runs("after", [], "--joint-with", before, "--regions", regions)
    none = "0 gVCFs of 3 are packed in earlier runs"
    assert log(after) == ["packed gVCFs of earlier runs not used: none are of this interval", none]
    narrow = runs("narrow", runs.of(PEOPLE[:3]), "--regions", regions)
    assert joint(after) == joint(narrow)
    os.utime(regions, (1, 1))  # a file of the user's is known by its time
    other = runs("other", [], "--joint-with", narrow, "--regions", regions)
    reason = "packed gVCFs not used: the file of parameter `regions` is another one"
    assert log(other) == [f"{narrow / PACKED}: {reason}", none]
    assert joint(other) == joint(narrow)
    same = runs("prior", [], "--joint-with", before, "--param", "aggregation.prior=0.001")
    assert log(same) == ["3 gVCFs of 3 are packed in earlier runs"]


def test_packed_gvcfs_that_are_gone_or_cut_off_are_not_used_and_damaged_ones_are_an_error(runs: Runs) -> None:
    before = runs("before", runs.of(PEOPLE[:3]))
    whole, packed = joint(before), before / PACKED
    content = packed.read_bytes()
    packed.write_bytes(bytes([*content[:-1], content[-1] ^ 1]))
    ended = runs.command("damaged", [], "--joint-with", before)
    assert ended.code == 1
    assert f"{packed}: expected content with the sha256" in ended.err
    assert "Traceback" not in ended.err
    packed.write_bytes(content[:-9])
    short = runs("short", [], "--joint-with", before)
    reason = f"packed gVCFs not used: {packed} has {len(content) - 9} bytes, not {len(content)}"
    assert log(short) == [f"{packed}: {reason}", "0 gVCFs of 3 are packed in earlier runs"]
    packed.unlink()
    gone = runs("gone", [], "--joint-with", before)
    assert log(gone)[0] == f"{packed}: packed gVCFs not used: {packed} is not there any more"
    assert joint(short) == joint(gone) == whole
