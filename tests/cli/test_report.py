"""`report`: one HTML file of a run in a folder, which stands alone, and has a user's own step as the shipped ones."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model import run_layout
from genomics_pipeline.runs.local.reader import FolderReader
from genomics_pipeline.runs.reporting.read import ReportRequest
from genomics_pipeline.runs.reporting.watch import PageKeeper
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.held_folders import HeldFolders
from genomics_pipeline.stores.local import LocalStore
from tests.cli.conftest import Ended
from tests.cli.test_plan_page import Page
from tests.small_project import SmallProject, stage_toml

Cli = Callable[..., Ended]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> & \"'"
# Measures the length of the reads; a sample whose reads have an N fails with what they say.
MEASURE = """
import json, sys
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["reads"][0]["fastq_1"]).read()
bases = text.split("\\n")[1]
print("looked at", text.split("\\n")[0])
if "N" in bases:
    sys.exit(text.split("\\n")[0])
value = {"value": len(bases), "verdict": "bad", "reason": text.split("\\n")[0]} if len(bases) == 3 else len(bases)
json.dump({"bases": value, "kind": bases[:1]}, open(task["outputs"]["metrics"], "w"))
json.dump({"sevens": "1.7"}, open(task["versions"], "w"))
"""
MEASURE_DECLARATIONS = """
methods = "Bases were counted in steps of {step_size}."
[inputs.reads]
type = "reads"
[outputs.metrics]
path = "{sample}.json"
[parameters.step_size]
type = "integer"
summary = "Size of a step"
default = 1
[metrics.bases]
title = "Length"
unit = "bp"
good = { min = 2 }
[metrics.kind]
title = "First base"
section = "cohort"
[citations]
sevens = "Seven S. On sevens. Journal of Numbers 7:7, 2007."
other = "Never cited."
"""


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    made = SmallProject(tmp_path)
    made.step("measure", MEASURE, MEASURE_DECLARATIONS)
    made.pipeline(stage_toml("measuring", "./measure", inputs={"reads": "sample.reads"}, publish="m"))
    return made


def reads(bases: str, name: str = "r") -> str:
    return f"@{name}\n{bases}\n+\n{'I' * len(bases)}\n"


def report(run: Path) -> Page:
    return Page((run / run_layout.REPORT).read_text())


def test_a_step_of_the_user_is_in_the_report_that_a_run_writes(cli: Cli, project: SmallProject) -> None:
    cohort = {f"s{number}": reads("ACGT") for number in range(9)}
    project.samples({**cohort, "short": reads("A"), "odd": reads("ACG", HOSTILE), "failed": reads("ANN", HOSTILE)})
    ended = cli(*project.arguments("--param", "measuring.step_size=3"))
    assert ended.code == 1, ended.err
    page = report(project.run)
    words = page.text
    run = str(project.run)
    for expected in (
        "The run ended incomplete: 11 of 12 samples done, 1 failed.",
        f"genomics-pipeline results {run} --failed",
        f"genomics-pipeline rerun {run} --sample failed",
        f"genomics-pipeline replay {run} failed --stage measuring",
        "Length (bp)",
        "Length: 1 bp is doubtful (good from 2 bp)",
        f"Length: 3 bp is bad (@{HOSTILE})",
        "A 11",
        "tool error: 1",
        f"looked at @{HOSTILE}",
        "Bases were counted in steps of 3 (sevens 1.7; references 1).",
        "Seven S. On sevens.",
        "step_size",
        "sevens 1.7",
        "--param measuring.step_size=3",
    ):
        assert expected in words, expected
    assert "Never cited" not in words
    assert "img" not in page.tags
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "style", "action"}
    assert not any(name.startswith("on") for name in names)
    links = {value for name, value in page.attributes if name == "href"}
    assert all(link and link.startswith("#") for link in links)
    ids = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert links <= ids


FAULTS = """
[[faults]]
class = "host_lost"
samples = ["a"]
[[faults]]
class = "image"
samples = ["b"]
times = 20
"""


def test_failed_attempts_and_the_options_of_a_run_here(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT"), "b": reads("ACGT")})
    faults = project.folder / "my faults.toml"
    faults.write_text(FAULTS)
    assert cli(*project.arguments("--inject", faults)).code == 1
    page = report(project.run)
    for expected in (
        f"--inject '{faults}'",
        "attempts that failed are hatched",
        "5 image, 1 host lost: ",
        "By itself: the task is started again.",
        f"genomics-pipeline rerun {project.run} --sample b",
    ):
        assert expected in page.text, expected
    assert "Batch" not in page.text
    assert ("class", "attempts") in page.attributes
    assert [value for name, value in page.attributes if name == "aria-label" and value and "1 host lost" in value]
    why = cli("why", project.run, "b").out
    assert "by itself  the task is started again\n" in why
    assert "log        none: the program was never started\n" in why
    assert cli("logs", project.run, "--failed").out.endswith("(no log: the program was never started)\n")
    shown = cli("logs", project.run, "a")
    assert (shown.code, shown.out) == (0, cli("logs", project.run, "--sample", "a").out)
    two = cli("logs", project.run, "b", "--sample", "a")
    assert (two.code, two.err) == (2, "error: expected one sample, found b and --sample a\n")
    assert "by itself  the task is started again\n" in cli("explain", project.run).out


def test_a_disk_that_cannot_be_written_to(cli: Cli, project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.samples({"a": reads("ACGT")})
    assert cli(*project.arguments()).code == 0

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(LocalStore, "write", refuse)
    ended = cli("report", project.run)
    file = project.run / run_layout.REPORT
    command = f"genomics-pipeline report {project.run} --out report.html"
    assert (ended.code, ended.err) == (
        1,
        f"error: {file}: expected a file that can be written, found: Read-only file system; write it to a place of "
        f"yours: {command}\n",
    )


def test_a_repeated_run_writes_the_same_report(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT"), "b": reads("ACGT")})
    assert cli(*project.arguments()).code == 0
    first = (project.run / run_layout.REPORT).read_bytes()
    assert cli(*project.arguments()).code == 0
    assert (project.run / run_layout.REPORT).read_bytes() == first
    ended = cli("report", project.run)
    assert (ended.code, ended.out) == (0, f"{project.run / run_layout.REPORT}\n")
    assert (project.run / run_layout.REPORT).read_bytes() == first


def test_each_record_is_read_once(cli: Cli, project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.samples({"a": reads("ACGT"), "b": reads("NN"), "c": reads("ACG")})
    assert cli(*project.arguments()).code == 1  # b failed
    read_keys: list[str] = []
    read = HeldFolders.read

    def counting(held: HeldFolders, uri: str) -> bytes:
        read_keys.append(uri.removeprefix("s3://RUN/"))
        return read(held, uri)

    monkeypatch.setattr(HeldFolders, "read", counting)
    assert cli("report", project.run).code == 0
    records = [key for key in read_keys if key.endswith("/step.json")]
    assert sorted(records) == sorted(run_layout.completion_record("measuring", one) for one in "abc")
    assert len(read_keys) == len(set(read_keys))


def test_a_rerun_writes_the_report_anew(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT"), "b": reads("ANGT")})
    assert cli(*project.arguments()).code == 1
    assert "1 of 2 samples done, 1 failed" in report(project.run).text
    (project.folder / "b.fastq").write_text(reads("ACGT"))
    assert cli("rerun", project.run).code == 0
    assert "The run succeeded: 2 of 2 samples done." in report(project.run).text


def test_the_report_says_the_verdict_of_a_verification(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT")})
    assert cli(*project.arguments()).code == 0
    out = project.folder / "given.html"
    assert cli("report", project.run, "--verify", "--out", out).code == 0
    assert "verified: 1 file of 1 record by sha256" in out.read_text()
    (project.run / "results/m/a.json").write_text(json.dumps({"bases": 5}))
    assert cli("report", project.run, "--verify", "--out", out).code == 1
    assert "not verified: 1 deviation" in out.read_text()


def test_a_report_that_cannot_be_written_leaves_the_one_before(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT")})
    assert cli(*project.arguments()).code == 0
    ended = cli("report", project.run, "--out", project.folder / "missing" / "r.html")
    assert ended.code == 2
    assert "expected a file in a folder that exists" in ended.err
    assert not (project.folder / "missing").exists()


def test_a_link_in_place_of_the_report_is_replaced(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT")})
    assert cli(*project.arguments()).code == 0
    file, other = project.run / run_layout.REPORT, project.folder / "other.txt"
    other.write_text("mine")
    file.unlink()
    file.symlink_to(other)
    assert cli("report", project.run).code == 0
    assert other.read_text() == "mine"
    assert not file.is_symlink()


@pytest.mark.parametrize(("run", "words"), [("nothing", "expected a run's folder"), ("a/b", "expected a run's folder")])
def test_what_is_no_run_is_refused(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = cli("report", run)
    assert ended.code == 1
    assert words in ended.err


def test_a_watched_run_keeps_its_page_fresh_until_it_ends(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT")})
    assert cli(*project.arguments()).code == 0
    page = project.folder / "fresh.html"
    assert cli("status", project.run, "--watch", "--html", page, "--json").code == 0
    assert "The run succeeded: 1 of 1 sample done." in page.read_text()
    assert "data-refresh=" not in page.read_text()
    ports = adapters()
    run, seconds, written = FolderReader(RunFolder(project.run), ports.store), iter(range(100)), []
    keeper = PageKeeper(run, ReportRequest(), page, lambda: float(next(seconds)))
    running = replace(run.state(), status="RUNNING")
    for state in keeper.kept(iter([running, running, run.state()])):
        written.append(
            (state.status, '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.read_text())
        )
        page.write_text("")
    assert written == [("RUNNING", True), ("RUNNING", False), ("SUCCEEDED", False)]


def test_a_download_has_the_report_and_the_files_about_the_run(cli: Cli, project: SmallProject) -> None:
    project.samples({"a": reads("ACGT"), "b": reads("ACGT")})
    assert cli(*project.arguments()).code == 0
    copy, results = project.folder / "copy", project.run / "results"
    downloaded = cli("results", project.run, "--download", copy)
    assert downloaded.code == 0, downloaded.err
    about = sorted((results / "pipeline_info").iterdir())
    assert downloaded.out.endswith(f"report and files about the run  {len(about)} files copied\n")
    for file in (results / "reports/report.html", *about):
        assert (copy / file.relative_to(results)).read_bytes() == file.read_bytes()
    shutil.rmtree(copy)
    assert cli("results", project.run, "--download", copy, "--sample", "a").code == 0
    assert not (copy / "reports/report.html").exists()
    (results / "reports/report.html").unlink()
    assert cli("results", project.run, "--download", copy).code == 0
    assert "The run succeeded: 2 of 2 samples done." in (copy / "reports/report.html").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--html", "page.html"), "--html: expected --watch"),
        (("--watch", "--html", "missing/page.html"), "expected a file in a folder that exists"),
        (("--watch", "--html", "s3://bucket/page.html"), "--html: expected a file of this machine"),
    ],
)
def test_a_page_that_cannot_be_kept_is_refused(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = cli("status", "run", *options)
    assert ended.code == 2
    assert words in ended.err
