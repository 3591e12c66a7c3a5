"""`report` of a cohort on AWS: by its name, and by its URI from the bucket alone, as other commands that only read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from genomics_pipeline.cli import adapters
from tests.cli.conftest import Ended
from tests.cli.test_cohort_on_aws import on_s3
from tests.cli.test_plan_page import Page
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]


class OnlyS3:
    """A session that has clients of S3 alone, as a user's whose rights are for one bucket."""

    def client(self, service: str, **options: object) -> object:
        assert service == "s3", f"expected no client but that of S3, found one of {service}"
        return boto3.client("s3", **options)  # type: ignore[call-overload]


@pytest.fixture
def bucket_alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function from whose call on every service but S3 is refused."""
    return lambda: monkeypatch.setattr(adapters, "_session", lambda region=None: OnlyS3())


@dataclass(frozen=True)
class Cohort:
    """A cohort of three samples that was submitted.

    Attributes:
        run: The name of the run.
        place: Its URI.
    """

    run: str
    place: str


@pytest.fixture
def cohort(stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli) -> Cohort:
    """Run a cohort on the fakes; the reads of one of its samples are damaged."""
    folder = tmp_path / "cohort"
    assert cli("simulate", "--out", folder, "--samples", "3", "--length", "6000", "--depth", "12").code == 0
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    sheet = on_s3(folder, stack, tmp_path / "cohort.csv", broken="sample3")
    submitted = cli("submit", sheet, "--reference", folder / "reference.fa", "--max-failures", "2", "--json")
    run = str(json.loads(submitted.out)["run"])
    step_functions.execution(run).wait()
    return Cohort(run, f"s3://{stack.bucket}/runs/{run}")


READING = (
    ("cost",),
    ("trace",),
    ("trace", "--format", "openmetrics"),
    ("why", "sample1"),
    ("why", "sample3"),
    ("why", "cohort"),
    ("results",),
    ("results", "--failed", "--tsv"),
    ("explain",),
)


def test_by_its_name_and_from_its_bucket_alone(
    cohort: Cohort, stack: Deployed, tmp_path: Path, cli: Cli, bucket_alone: Callable[[], None]
) -> None:
    by_name = [cli(command, cohort.run, *options) for command, *options in READING]
    ended = cli("report", cohort.run)
    assert (ended.code, ended.out.strip()) == (0, f"{cohort.place}/results/reports/report.html"), ended.err
    key = f"runs/{cohort.run}/results/reports/report.html"
    written = stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read()
    bucket_alone()
    out = tmp_path / "here.html"
    alone = cli("report", cohort.place, "--out", out)
    assert alone.code == 0, alone.err
    for text in (written.decode(), out.read_text()):
        page = Page(text)
        for expected in (
            "The run ended incomplete: 2 of 3 samples done, 1 failed; the cohort is done without the others.",
            f"genomics-pipeline rerun {cohort.place} --sample sample3",
            "bad input: 1",
            "expected a whole gzip file",
            "compute: alignment",
            "state transitions",
            "Pairs of samples that look related",
            "Twelve years of SAMtools and BCFtools",
            "Depth (x)",
            "State machine",
        ):
            assert expected in page.text, expected
    for (command, *options), asked in zip(READING, by_name, strict=True):
        same = cli(command, cohort.place, *options)
        assert (same.code, same.err, same.out) == (0, "", asked.out), command
    for others in (("diff", cohort.place, cohort.place), ("rocrate", cohort.place)):
        assert cli(*others).code == 0
    for stage in ("gather", "annotation"):
        key = f"runs/{cohort.run}/steps/{stage}/cohort/step.json"
        stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    assert_its_end_is_unknown(cohort, cli, tmp_path / "unknown.html")


def assert_its_end_is_unknown(cohort: Cohort, cli: Cli, out: Path) -> None:
    assert cli("report", cohort.place, "--out", out).code == 0
    page = Page(out.read_text())
    for expected in (
        "The files of the run do not show its end: 2 of 3 samples done, 1 failed; the cohort lacks gather.",
        "Only its bucket was read, which does not tell whether the run is running or was stopped.",
        "Its newest record is of 20",
        f"genomics-pipeline status {cohort.place}",
        "bad input: 1",
    ):
        assert expected in page.text, expected
    assert "genomics_pipeline_run_info{" in cli("trace", cohort.place, "--format", "openmetrics").out
