"""`diff`: two runs are equal, or each difference is listed with the items of which it is true."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import Ended
from tests.runs.test_follow_on_aws import BUCKET, RUN, ended_run, started_run
from tests.small_project import SmallProject, stage_toml

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["ended_run", "started_run"]

Cli = Callable[..., Ended]
# Writes the records of its parameter, `POSITION REF ALT GENOTYPE` each, as a VCF file of its sample.
CALL = """
import json, sys
import pysam
task = json.load(open(sys.argv[1]))
name = task["item"].get("sample", "NA1")
records = [one.split() for one in task["parameters"]["records"].split(";") if one]
head = ["##fileformat=VCFv4.2", "##contig=<ID=chr1,length=10>", '##FORMAT=<ID=GT,Number=1,Type=String,Description="G">']
columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", name]
lines = [["chr1", at, ".", ref, alt, ".", ".", ".", "GT", genotype] for at, ref, alt, genotype in records]
with pysam.BGZFile(task["outputs"]["vcf"], "wb", index=None) as out:
    out.write("".join(f"{line}\\n" for line in [*head, *map("\\t".join, [columns, *lines])]).encode())
json.dump({"variants": len(records), "by": {"kind": {"snps": 1}}}, open(task["outputs"]["metrics"], "w"))
"""
CALL_DECLARATIONS = """
[inputs.reads]
type = "reads"
[outputs.vcf]
path = "{sample}.vcf.gz"
[outputs.metrics]
path = "{sample}.json"
[parameters.records]
type = "string"
summary = "Records"
default = "2 C T 0/1;3 G A 0/1;5 A T 1/1;7 GTA GA 0/1"
"""
OTHER = "3 G A 1/1;5 A T,C 1/1;6 C G 0/1;7 GT G 1|0"  # the last is that of the default in other words


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    project.step("call", CALL, CALL_DECLARATIONS)
    project.pipeline(stage_toml("calling", "./call", "calls", {"reads": "sample.reads"}))
    project.samples({"NA1": "@a\nACGT\n+\nIIII\n", "NA2": "@b\nACGT\n+\nIIII\n"})
    return project


@pytest.fixture
def two_runs(small: SmallProject, cli: Cli) -> Callable[..., tuple[Path, Path]]:
    """Return `two_runs(*options)`, which runs the pipeline, then once more with the options."""

    def call(*options: str) -> tuple[Path, Path]:
        other = small.folder / "first"
        assert cli(*small.arguments()).code == 0
        shutil.copytree(small.run, other)
        assert cli(*small.arguments(*options)).code == 0
        return other, small.run

    return call


def differences(cli: Cli, first: Path, second: Path, *options: str) -> dict[str, Any]:
    ended = cli("diff", first, second, "--json", *options)
    assert ended.code == 1, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_runs_that_are_equal(two_runs: Callable[..., tuple[Path, Path]], cli: Cli) -> None:
    first, second = two_runs()
    ended = cli("diff", first, second)
    assert (ended.code, ended.out.splitlines()) == (
        0,
        ["Runs", f"  A  {first}", f"  B  {second}", "the runs are equal"],
    )
    assert json.loads(cli("diff", first, second, "--json").out)["equal"] is True


def test_parameters_metrics_and_variants_by_sample(two_runs: Callable[..., tuple[Path, Path]], cli: Cli) -> None:
    first, second = two_runs("--param", f"calling.records={OTHER};9 A C 0/1")
    found = differences(cli, first, second, "--examples", "2")
    (stage,) = found["stages"]
    assert (stage["stage"], stage["kind"], stage["name"], stage["items"]) == (
        "calling",
        "parameter",
        "records",
        ["NA1", "NA2"],
    )
    assert found["outputs"] == {"calling.vcf": ["NA1", "NA2"], "calling.metrics": ["NA1", "NA2"]}
    values = {"stage": "calling", "metric": "variants", "first": 4, "second": 5, "change": 1.0}
    assert found["metrics"] == [{"item": name, **values} for name in ("NA1", "NA2")]
    counts = {"only_first": 1, "only_second": 2, "other_genotype": 1}
    assert found["genotypes"]["samples"] == {"NA1": counts, "NA2": counts}
    place = {"sample": "NA1", "contig": "chr1"}
    assert found["genotypes"]["examples"] == [
        {**place, "position": 2, "ref": "C", "alt": "T", "copies": [1, 0]},
        {**place, "position": 3, "ref": "G", "alt": "A", "copies": [1, 2]},
    ]
    shown = cli("diff", first, second).out.splitlines()
    assert "  NA1 calling.variants  4 -> 5 (+1)" in shown
    assert "  NA1  1 allele only in A, 2 only in B, 1 with other genotypes" in shown
    assert "  example, copies in A and B: NA1 chr1:3 G>A 1, 2" in shown
    assert shown[-1] == "the runs differ"


def test_samples_programs_and_lost_records(
    small: SmallProject, two_runs: Callable[..., tuple[Path, Path]], cli: Cli
) -> None:
    small.step("call", f"{CALL}# changed", CALL_DECLARATIONS)
    first, second = two_runs()
    small.step("call", CALL, CALL_DECLARATIONS)
    small.samples({"NA2": "@b\nACGT\n+\nIIII\n", "NA3": "@c\nACGT\n+\nIIII\n"})
    assert cli(*small.arguments()).code == 0
    found = differences(cli, first, second)
    assert found["samples"] == {"only_first": ["NA1"], "only_second": ["NA3"]}
    kinds = {(one["kind"], one["words"], *one["items"]) for one in found["stages"]}
    reads = f"input `reads` changed: {small.folder}/NA2.fastq"
    assert kinds == {("program", "the program of the step changed", "NA2"), ("input", reads, "NA2")}
    assert (found["outputs"], found["metrics"], found["genotypes"]["samples"]) == ({}, [], {})
    (second / "steps/calling/NA2/step.json").unlink()
    assert differences(cli, first, second)["done"] == {"only_first": {"calling": ["NA2"]}, "only_second": {}}


def test_metrics_of_samples_that_one_run_lacks_are_not_compared(small: SmallProject, cli: Cli) -> None:
    count = """
import json, sys
task = json.load(open(sys.argv[1]))
names = [path.rpartition("/")[2].partition(".")[0] for path in task["inputs"]["vcfs"]]
many = task["parameters"]["many"]
metrics = {"files": len(names), "samples": {name: {"seen": many} for name in names}}
json.dump(metrics, open(task["outputs"]["metrics"], "w"))
"""
    declarations = """
[inputs.vcfs]
type = "files"
[outputs.metrics]
path = "cohort.json"
[parameters.many]
type = "integer"
summary = "A number"
default = 1
"""
    small.step("count", count, declarations)
    stages = stage_toml("calling", "./call", "calls", {"reads": "sample.reads"})
    small.pipeline(stages, stage_toml("counting", "./count", "counted", {"vcfs": "calling.vcf"}, scope="cohort"))
    assert cli(*small.arguments()).code == 0
    first = small.run.rename(small.folder / "first")
    assert cli(*small.arguments("--sample", "NA2", "--param", "counting.many=2")).code == 0
    found = differences(cli, first, small.run)
    assert found["samples"] == {"only_first": ["NA1"], "only_second": []}
    assert {one["metric"]: (one["first"], one["second"]) for one in found["metrics"]} == {
        "files": (2, 1),
        "samples.NA2.seen": (1, 2),
    }


def test_bad_arguments(small: SmallProject, two_runs: Callable[..., tuple[Path, Path]], cli: Cli) -> None:
    first, second = two_runs("--param", f"calling.records={OTHER}")
    for file in second.glob("results/calls/*.vcf.gz"):
        file.write_bytes(b"x" * file.stat().st_size)
    for arguments, code, message in (
        ((first, small.folder), 1, f"error: {small.folder}: expected a run's folder, found another folder"),
        ((first,), 2, "Error: Missing argument 'RUN_B'."),
        ((first, second, "--examples", "-1"), 2, "Error: Invalid value for '--examples': -1 is not in the range x>=0."),
        ((first, second), 1, f"error: {second}/results/calls/NA1.vcf.gz: expected content with the sha256 "),
    ):
        ended = cli("diff", *arguments)
        assert (ended.code, ended.out) == (code, "")
        assert message in ended.err


def test_runs_on_aws(ended_run: FakeAws, two_runs: Callable[..., tuple[Path, Path]], cli: Cli) -> None:
    assert cli("diff", RUN, f"s3://{BUCKET}/runs/{RUN}").code == 0
    found = differences(cli, two_runs()[0], Path(RUN))
    assert found["samples"] == {"only_first": ["NA1", "NA2"], "only_second": ["a", "bad", "c"]}
    assert {one["name"]: one["second"] for one in found["versions"]} == {
        "pipeline": "germline",
        "reference": "s3://x/r.fa",
    }
