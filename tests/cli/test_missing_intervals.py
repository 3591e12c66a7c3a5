"""An interval that fails: the others go on, the joint VCF names it, and it is tolerated or run again like a sample."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pysam
import pytest

from genomics_pipeline.model.faults import Fault
from tests.cli.conftest import Ended

Cli = Callable[..., Ended]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
LENGTH = 12_000
KEY = "genomics_pipeline_missing_intervals"
FAULTS = 'seed = {seed}\n[[faults]]\nclass = "tool_error"\nstage = "aggregation"\nshare = {share}\nalways = true\n'
SHARE = 0.05


def small_intervals(folder: Path, tolerated: int) -> Path:
    """Write the pipeline germline with twelve intervals or more."""
    text = (Path(__file__).parents[2] / "pipelines/germline.toml").read_text()
    text = text.replace("interval_size_bp = 5_000_000", "interval_size_bp = 1000")
    head, _, interval = text.partition("[maps.interval]")
    assert "tolerated_failure_percentage = 10\n" in interval
    interval = interval.replace("tolerated_failure_percentage = 10", f"tolerated_failure_percentage = {tolerated}", 1)
    path = folder / "small.toml"
    path.write_text(f"{head}[maps.interval]{interval}")
    return path


def write_faults(file: Path) -> Path:
    """Write faults that make the interval 00001 fail, and no other of the first forty."""
    fault, names = Fault(1, "tool_error", "aggregation", share=SHARE), [f"{number:05}" for number in range(40)]

    def hit(seed: int) -> list[str]:
        return [name for name in names if fault.strikes(seed, "aggregation", "interval", name)]

    seed = next(seed for seed in count() if hit(seed) == ["00001"])
    file.write_text(FAULTS.format(seed=seed, share=SHARE))
    return file


def missing_in(vcf: Path) -> list[str]:
    with pysam.VariantFile(str(vcf)) as file:
        return [str(one.value) for one in file.header.records if one.key == KEY]


def records(vcf: Path) -> list[str]:
    with pysam.VariantFile(str(vcf)) as file:
        return [str(record) for record in file]


@pytest.fixture
def run(tmp_path: Path, cli: Cli) -> Callable[..., Ended]:
    """Return `run(pipeline, *options)`, which runs two samples into ``out``."""
    assert cli("simulate", "--out", tmp_path, "--samples", "2", "--length", LENGTH, "--depth", "8").code == 0

    def call(pipeline: Path, *options: str | Path) -> Ended:
        where = ("--reference", tmp_path / "reference.fa", "--out", tmp_path / "out", "--pipeline", pipeline)
        return cli("run", tmp_path / "cohort.csv", *where, *options)

    return call


def test_a_failed_interval_is_named_tolerated_and_run_again(
    tmp_path: Path, run: Callable[..., Ended], cli: Cli
) -> None:
    pipeline, faults = small_intervals(tmp_path, 10), write_faults(tmp_path / "faults.toml")
    ended = run(pipeline, "--inject", faults, "--json")
    intervals = [json.loads(line) for line in (tmp_path / "out/intervals.jsonl").read_text().splitlines()]
    assert len(intervals) > 10
    summary = json.loads(ended.out)
    assert (ended.code, summary["status"], summary["complete"]) == (1, "SUCCEEDED", False)
    assert (summary["missing"]["samples"], summary["missing"]["intervals"]) == (0, 1)
    shown = f"1 of {len(intervals)}: 00001 ({' '.join(intervals[1]['regions'])})"
    assert missing_in(tmp_path / "out" / JOINT) == [shown]

    table = cli("status", tmp_path / "out")
    assert table.code == 1
    lacking = "The cohort is incomplete, it has 2 of 2 samples and lacks 1 interval: exit code 1"
    assert f"{lacking}; --tolerate 0,intervals=1 would accept that" in " ".join(table.out.split())
    accepted = run(pipeline, "--inject", faults, "--tolerate", "intervals=1", "--json")
    assert (accepted.code, json.loads(accepted.out)["missing"]["accepted"]) == (0, True)
    assert run(pipeline, "--inject", faults, "--tolerate", "5%,intervals=0").code == 1

    lacking_records = records(tmp_path / "out" / JOINT)
    again = cli("rerun", tmp_path / "out", "--json")
    assert again.code == 0, again.err
    steps = json.loads(again.out)["steps"]
    assert steps["run"] == 2, steps  # the interval and gather
    assert missing_in(tmp_path / "out" / JOINT) == []
    assert set(lacking_records) <= set(records(tmp_path / "out" / JOINT))


def test_more_failed_intervals_than_are_tolerated_end_the_run(tmp_path: Path, run: Callable[..., Ended]) -> None:
    faults = write_faults(tmp_path / "faults.toml")
    ended = run(small_intervals(tmp_path, 1), "--inject", faults, "--tolerate", "intervals=1", "--json")
    assert (ended.code, json.loads(ended.out)["status"]) == (1, "FAILED")
    assert not (tmp_path / "out" / JOINT).exists()
