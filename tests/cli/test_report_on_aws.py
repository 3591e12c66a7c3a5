"""`report` of a cohort on AWS: from the records in the bucket, into the bucket or into a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.conftest import Ended
from tests.cli.test_cohort_on_aws import on_s3
from tests.cli.test_plan_page import Page
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]


def test_a_cohort_on_aws(stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli) -> None:
    cohort = tmp_path / "cohort"
    assert cli("simulate", "--out", cohort, "--samples", "3", "--length", "6000", "--depth", "12").code == 0
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    sheet = on_s3(cohort, stack, tmp_path / "cohort.csv", broken="sample3")
    submitted = cli("submit", sheet, "--reference", cohort / "reference.fa", "--max-failures", "2", "--json")
    run = str(json.loads(submitted.out)["run"])
    step_functions.execution(run).wait()
    place = f"s3://{stack.bucket}/runs/{run}"
    ended = cli("report", run)
    assert (ended.code, ended.out.strip()) == (0, f"{place}/results/reports/report.html"), ended.err
    written = stack.s3.get_object(Bucket=stack.bucket, Key=f"runs/{run}/results/reports/report.html")["Body"].read()
    page = Page(written.decode())
    for expected in (
        "The run ended incomplete: 2 of 3 samples done, 1 failed; the cohort is done.",
        f"genomics-pipeline rerun {place} --sample sample3",
        "bad input: 1",
        "expected a whole gzip file",
        "compute: alignment",
        "Pairs of samples that look related",
        "Twelve years of SAMtools and BCFtools",
        "Depth (x)",
        "State machine",
    ):
        assert expected in page.text, expected
    out = tmp_path / "here.html"
    assert cli("report", place, "--out", out).code == 0
    assert out.read_bytes() == written
