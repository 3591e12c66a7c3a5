"""The files for other tools of a run on AWS, from its bucket alone, beside those of the same samples here."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import Ended
from tests.cli.test_cohort_on_aws import on_s3
from tests.cli.test_report_on_aws import bucket_alone
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import containers

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["bucket_alone"]
Cli = Callable[..., Ended]
OF_PLACE = {"native_id", "start", "submit", "complete", "duration", "realtime", "%cpu", "peak_rss", "log", "task_id"}
OF_RESOURCES = {"cpus", "memory"}  # what a host of a step has, and what this machine gives
OF_FORMAT = {"input_bytes", "output_bytes"}  # alignments are CRAM on AWS


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def filled(row: dict[str, str]) -> set[str]:
    return {name for name, value in row.items() if value != "-"}


def names_of(text: str) -> set[str]:
    """Return the metrics and labels of an OpenMetrics text, without the name of the run."""
    return {re.sub(r' \S+$|run="[^"]*",?|le="[^"]*"', "", line) for line in text.splitlines()}


def kinds(text: str) -> Counter[Any]:
    return Counter(one["@type"] if isinstance(one["@type"], str) else tuple(one["@type"]) for one in graph(text))


def graph(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["@graph"]
    return found


def test_they_are_those_of_a_run_here(
    stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli, bucket_alone: Callable[[], None]
) -> None:
    cohort, here = tmp_path / "c", tmp_path / "here"
    assert cli("simulate", "--out", cohort, "--samples", "2", "--length", "6000", "--depth", "12").code == 0
    assert cli("run", cohort / "cohort.csv", "--reference", cohort / "reference.fa", "--out", here).code == 0
    step_functions.batch.run_job = containers(tmp_path / "scratch", aws)
    sheet = on_s3(cohort, stack, tmp_path / "cohort.csv", broken="")
    submitted = json.loads(cli("submit", sheet, "--reference", cohort / "reference.fa", "--json").out)
    step_functions.execution(submitted["run"]).wait()
    bucket_alone()
    place, copied = f"s3://{stack.bucket}/runs/{submitted['run']}", tmp_path / "copied"
    assert cli("results", place, "--download", copied).code == 0

    info, own = copied / "pipeline_info", here / "results/pipeline_info"
    files = {file.name for file in own.iterdir()} - {"parameters.json"}
    assert {file.name for file in info.iterdir()} == files
    for one, other in zip(*(rows((folder / "trace.tsv").read_text()) for folder in (info, own)), strict=True):
        compared = one.keys() - OF_PLACE - OF_RESOURCES - OF_FORMAT
        assert {name: one[name] for name in compared} == {name: other[name] for name in compared}
        assert filled(one) == filled(other)
    assert cli("trace", place).out == (info / "trace.tsv").read_text()
    assert cli("trace", place, "--format", "timeline").out == (info / "timeline.json").read_text()
    events = [
        Counter(
            (one["ph"], one["name"], one.get("cat"))
            for one in json.loads((folder / "timeline.json").read_text())["traceEvents"]
            if one.get("cat") != "waiting"
        )
        for folder in (info, own)
    ]
    assert events[0] == events[1]
    for name in ("pipeline.svg", "genomics_pipeline_metrics_mqc.json", "genomics_pipeline_software_mqc_versions.yml"):
        assert (info / name).read_text() == (own / name).read_text()
    metrics = [names_of(cli("trace", run, "--format", "openmetrics").out) for run in (place, here)]
    assert metrics[0] == metrics[1]
    crates = [kinds(cli("rocrate", run).out) for run in (place, here)]
    assert crates[0] == crates[1]
