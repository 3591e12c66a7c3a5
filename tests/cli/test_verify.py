"""`verify`: a whole run is verified, and each planted deviation is found, in a folder and on AWS."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam
import pytest

from genomics_pipeline import __version__
from tests.cli.conftest import Ended
from tests.cli.test_cohort_on_aws import on_s3
from tests.cli.test_plan_page import Page
from tests.cli.test_report_on_aws import bucket_alone
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["bucket_alone"]
Cli = Callable[..., Ended]
JOINT = "results/variant_calling/joint/joint_germline.vcf.gz"
BAM = "results/preprocessing/sample1/sample1.md.bam"
CALLS = "results/variant_calling/sample2/sample2.vcf.gz"
GATHERED = "steps/gather/cohort/step.json"


@pytest.fixture
def whole(tmp_path: Path, cli: Cli) -> Path:
    """Return a run of two samples."""
    assert cli("simulate", "--out", tmp_path / "c", "--samples", "2", "--length", "6000", "--depth", "12").code == 0
    sheet, reference = tmp_path / "c/cohort.csv", tmp_path / "c/reference.fa"
    assert cli("run", sheet, "--reference", reference, "--out", tmp_path / "run").code == 0
    return tmp_path / "run"


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads(file.read_text())
    change(record)
    file.write_text(json.dumps(record))


def other_bytes(run: Path) -> None:
    data = bytearray((run / BAM).read_bytes())
    data[-1] ^= 1
    (run / BAM).write_bytes(data)


def shorter(run: Path) -> None:
    (run / CALLS).write_bytes((run / CALLS).read_bytes()[:-3])


def no_index(run: Path) -> None:
    Path(f"{run / JOINT}.tbi").unlink()


def other_program(run: Path) -> None:
    edit(run / GATHERED, lambda record: record.update(program="0" * 64))


def no_recorded_index(run: Path) -> None:
    edit(run / GATHERED, lambda record: record["outputs"]["vcf"].update(indexes=[]))


def no_recorded_output(run: Path) -> None:
    edit(run / GATHERED, lambda record: record["outputs"].pop("vcf"))


def no_record(run: Path) -> None:
    (run / "steps/variant_calling/sample2/step.json").unlink()


def other_source(run: Path) -> None:
    edit(
        run / "steps/variant_calling/sample1/step.json",
        lambda record: record["sources"].update(dict.fromkeys(record["sources"], "0" * 64)),
    )


def other_samples(run: Path) -> None:
    """Write another name of a sample into the joint VCF, and record that file."""
    with pysam.BGZFile(str(run / JOINT), "rb", index=None) as lines:
        text = b"".join(line + b"\n" for line in lines).replace(b"\tsample2\n", b"\tsample9\n", 1)
    with pysam.BGZFile(str(run / JOINT), "wb", index=None) as out:
        out.write(text)
    data = (run / JOINT).read_bytes()
    edit(
        run / GATHERED,
        lambda record: record["outputs"]["vcf"].update(size_bytes=len(data), sha256=sha256(data).hexdigest()),
    )


def other_definition(run: Path) -> None:
    edit(run / "definition.json", lambda document: document.update(Comment="another"))


UNCHECKED = [
    "that the deployed definition is that of the run",
    "that the deployed images are those of this installation",
]


def assert_signed(page: Page, verdict: str) -> None:
    """Assert that a report has the verdict, when and by which version, and the digest of the definition."""
    by = re.escape(f"by genomics-pipeline {__version__}: {verdict.strip()}.")
    assert re.search(rf"Verification on 20[\d-]+ [\d:]+ UTC, {by}", page.text)
    assert re.search(r"Digest of the definition\s*[0-9a-f]{64}", page.text)


PLANTS: dict[Callable[[Path], None], list[str]] = {
    other_bytes: [f"{BAM}: alignment of sample1: expected the sha256 "],
    shorter: [f"{CALLS}: variant_calling of sample2: expected "],
    no_index: [f"{JOINT}.tbi: gather of cohort: expected a file of "],
    no_recorded_index: [f"{JOINT}: gather of cohort: expected an index of it, none is recorded"],
    no_recorded_output: ["gather of cohort: expected the output vcf, which is not recorded"],
    no_record: [
        "steps/variant_calling/sample2/step.json: variant_calling of sample2: expected a completion record, found none",
        f"{JOINT}: expected exactly the samples that are done; it has, and no sample that is done is named so, sample2",
    ],
    other_source: [
        "variant_calling of sample1: made of another alignment.alignment than there is now",
        "variant_calling of sample1: made of another alignment.metrics than there is now",
    ],
    other_samples: [
        f"{JOINT}: expected exactly the samples that are done; it lacks sample2",
        f"{JOINT}: expected exactly the samples that are done; it has, and no sample that is done is named so, sample9",
    ],
    other_program: [
        "gather: expected outputs of this installation's program of the step (",
    ],
    other_definition: ["definition.json: expected the definition, input and items of the digest "],
}


def test_a_whole_run_and_each_deviation_of_it(whole: Path, tmp_path: Path, cli: Cli) -> None:
    ended = cli("verify", whole)
    assert ended.code == 0, ended.err
    (line,) = ended.out.splitlines()
    assert line.startswith("verified: ")
    assert " of 6 records by sha256, " in line
    assert line.endswith(" bytes, definition, joint VCF of 2 samples")
    report = whole / "results/reports/report.html"
    assert_signed(Page(report.read_text()), line)
    assert cli("report", whole, "--out", tmp_path / "later.html").code == 0
    assert_signed(Page((tmp_path / "later.html").read_text()), line)
    edit(whole / "verification.json", lambda record: record.update(at="2026-01-01T00:00:00+00:00"))
    assert cli("report", whole, "--out", tmp_path / "later.html").code == 0
    assert "The run has changed since it was verified on 2026-01-01" in Page((tmp_path / "later.html").read_text()).text
    for plant, expected in PLANTS.items():
        run = tmp_path / plant.__name__
        shutil.copytree(whole, run)
        plant(run)
        ended = cli("verify", run)
        assert (ended.code, ended.out.startswith("not verified: ")) == (1, True), plant
        found = [line.removeprefix("error: ").removeprefix(f"{run}/") for line in ended.err.splitlines()]
        assert len(found) == len(expected), found
        for beginning, one in zip(expected, found, strict=True):
            assert one.startswith(beginning), plant
        assert f"{len(expected)} deviation" in ended.out
    damaged = Page((tmp_path / other_bytes.__name__ / "results/reports/report.html").read_text())
    assert "not verified: 1 deviation from the records" in damaged.text
    assert f"{BAM}: alignment of sample1: expected the sha256 " in damaged.text
    assert cli("verify", tmp_path / other_bytes.__name__, "--quick").code == 0
    found = json.loads(cli("verify", tmp_path / shorter.__name__, "--json").out)
    assert (found["verified"], found["records"], found["joint_samples"]) == (False, 6, 2)
    (deviation,) = found["deviations"]
    assert deviation["place"] == str(tmp_path / shorter.__name__ / CALLS)
    assert found["notes"] == []
    notes = json.loads(cli("verify", tmp_path / other_definition.__name__, "--json").out)["notes"]
    assert notes == ["the definition is not the one that this installation generates; it is as recorded"]


def test_samples_that_are_accepted_to_be_missing(tmp_path: Path, cli: Cli) -> None:
    assert cli("simulate", "--out", tmp_path / "c", "--samples", "2", "--length", "6000", "--depth", "12").code == 0
    for file in (tmp_path / "c").rglob("sample2_*R1*.gz"):
        file.write_bytes(file.read_bytes()[:-40])
    arguments = ("run", tmp_path / "c/cohort.csv", "--reference", tmp_path / "c/reference.fa", "--out")
    assert cli(*arguments, tmp_path / "kept", "--tolerate", "50%").code == 0
    accepted = cli("verify", tmp_path / "kept")
    assert (accepted.code, accepted.out.strip().endswith("joint VCF of 1 sample, 1 item missing, as accepted")) == (
        0,
        True,
    )


def test_bad_arguments(tmp_path: Path, cli: Cli) -> None:
    for arguments, code, message in (
        ((tmp_path,), 1, f"error: {tmp_path}: expected a run's folder, found another folder"),
        (("s3://b/x",), 2, "error: s3://b/x: expected s3://bucket/runs/NAME/"),
        (("a b",), 2, "error: 'a b': expected a run's folder, an s3://bucket/runs/NAME/ URI or the name of a run"),
    ):
        ended = cli("verify", *arguments)
        assert (ended.code, ended.out, ended.err.strip()) == (code, "", message)


@pytest.fixture
def on_aws(stack: Deployed, step_functions: FakeAws, tmp_path: Path, cli: Cli) -> str:
    """Return the name of a run on AWS that has ended."""
    cohort = tmp_path / "c"
    assert cli("simulate", "--out", cohort, "--samples", "2", "--length", "6000", "--depth", "12").code == 0
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    sheet = on_s3(cohort, stack, tmp_path / "cohort.csv", broken="")
    run = str(json.loads(cli("submit", sheet, "--reference", cohort / "reference.fa", "--json").out)["run"])
    step_functions.execution(run).wait()
    return run


def test_a_run_on_aws(on_aws: str, stack: Deployed, tmp_path: Path, cli: Cli, bucket_alone: Callable[[], None]) -> None:
    ended = cli("verify", on_aws)
    assert ended.code == 0, ended.err
    assert ended.out.strip().endswith("definition, joint VCF of 2 samples")
    assert cli("report", on_aws, "--out", tmp_path / "named.html").code == 0
    assert_signed(Page((tmp_path / "named.html").read_text()), ended.out)
    bucket_alone()
    alone = cli("verify", f"s3://{stack.bucket}/runs/{on_aws}")
    assert (alone.code, alone.err) == (0, "")
    verdict, unchecked = alone.out.splitlines()
    assert verdict == ended.out.strip()
    assert unchecked == f"not checked, since only the stack knows it: {'; '.join(UNCHECKED)}"
    stack.put(f"runs/{on_aws}/results/reports/report.html", "")
    verified = json.loads(cli("verify", f"s3://{stack.bucket}/runs/{on_aws}", "--json").out)
    assert (verified["verified"], verified["unchecked"]) == (True, UNCHECKED)
    key = f"runs/{on_aws}/results/reports/report.html"  # written again, since there was one
    page = Page(stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read().decode())
    assert_signed(page, verdict)
    assert "Not checked, since only the stack knows it: that the deployed definition" in page.text


def test_deviations_on_aws(on_aws: str, stack: Deployed, cli: Cli) -> None:
    assert cli("why", f"s3://{stack.bucket}/runs/{on_aws}", "sample1").out.count("now        is reused") == 2
    place = f"s3://{stack.bucket}/runs/{on_aws}"
    key = f"runs/{on_aws}/{CALLS}"
    stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=b"other")
    document = stack.read(f"runs/{on_aws}/definition.json")
    stack.put(f"runs/{on_aws}/definition.json", json.dumps({**document, "Comment": "another"}))
    own = stack.read(f"runs/{on_aws}/input.json")
    arn = own["job_definitions"]["alignment"]
    own["job_definitions"]["alignment"] = f"{arn}0"
    stack.put(f"runs/{on_aws}/input.json", json.dumps(own))
    ended = cli("verify", on_aws)
    assert ended.code == 1
    submitted, definition, image, calls = ended.err.splitlines()
    assert submitted.startswith(f"error: {place}/definition.json: expected the definition that was submitted, of the ")
    expected = "expected the deployed definition to be that of the run, of the digest "
    assert definition.startswith(f"error: {place}/definition.json: {expected}")
    assert image == f"error: image of alignment: expected the job definition of the run, {arn}0, found {arn}"
    assert calls.startswith(f"error: {place}/{CALLS}: variant_calling of sample2: expected ")
    assert ended.out.strip() == f"not verified: 4 deviations from the records of {place}"
