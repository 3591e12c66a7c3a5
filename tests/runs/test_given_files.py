"""Everything that the user gave is checked before the first job; one sample that cannot be read costs only itself."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.small_project import READS, SmallProject, stage_toml

Ended = subprocess.CompletedProcess[str]
Command = Callable[..., Ended]

COUNT = """
import json, sys
task = json.load(open(sys.argv[1]))
lanes = task["inputs"]["reads"]
text = "".join(open(lane["fastq_1"]).read() for lane in lanes)
open(task["outputs"]["count"], "w").write(str(text.count("@")))
"""
COUNT_DECLARATIONS = """
[inputs.reads]
type = "reads"
[outputs.count]
path = "{sample}.count"
[parameters.regions]
type = "file"
format = "bed"
summary = "Regions"
[parameters.panel]
type = "file"
summary = "Any file"
[inputs.reference]
type = "reference"
indexes = ["fai"]
"""
# Prints each of its arguments on a line.
JOIN = """
import sys
open(sys.argv[1], "w").write("".join(f"{one}\\\\n" for one in sys.argv[2:]))
"""
JOIN_TOML = """
name = "join"
version = "1"
summary = "Arguments"
command = ["{python}", "{step_dir}/join.py", "{outputs.list}", "--in={inputs.counts}", "--without", "{missing.counts}"]
[inputs.counts]
type = "files"
missing = true
[outputs.list]
path = "list.txt"
"""


@pytest.fixture
def here(project: SmallProject) -> SmallProject:
    project.step("count", COUNT, COUNT_DECLARATIONS)
    project.step("join", JOIN.replace("\\\\", "\\"), "")
    (project.folder / "join/step.toml").write_text(JOIN_TOML)
    project.pipeline(
        stage_toml("count", "./count", "counts", {"reads": "sample.reads", "reference": "reference"}),
        stage_toml("join", "./join", "joined", {"counts": "count.count"}, scope="cohort"),
    )
    project.samples({"a": READS, "b": READS})
    return project


def joined(here: SmallProject) -> list[str]:
    lines = (here.run / "results/joined/list.txt").read_text().splitlines()
    return [line.rsplit("/", 1)[-1] for line in lines]


def errors(ended: Ended) -> list[str]:
    return [line for line in ended.stderr.splitlines() if line.startswith("error: ")]


def test_every_unusable_path_fails_its_own_sample(here: SmallProject, command: Command) -> None:
    folder = here.folder
    (folder / "loop.fastq").symlink_to("loop.fastq")
    (folder / "folder.fastq").mkdir()
    os.mkfifo(folder / "pipe.fastq")
    bad = {
        "missing": "/nope/a.fastq",
        "loop": "loop.fastq",
        "long": f"/tmp/{'a' * 300}.fastq",
        "null": "file:///tmp/x%00.fastq",
        "host": "file://[x/a.fastq",
        "folder": "folder.fastq",
        "pipe": "pipe.fastq",
        "bucket": "s3:///a.fastq",
        "key": "s3://a.fastq",
    }
    here.sheet({"a": "a.fastq", **bad, "b": "b.fastq"})
    ended = command(*here.arguments("--json"))
    assert json.loads((here.run / "steps/count/key/failure.json").read_text())["class"] == "bad_input"
    summary = json.loads(ended.stdout)
    assert (ended.returncode, summary["status"]) == (1, "SUCCEEDED"), ended.stderr
    states = {row["sample"]: row["state"] for row in summary["samples"]}
    assert states == {"a": "SUCCEEDED", **dict.fromkeys(bad, "FAILED"), "b": "SUCCEEDED"}
    assert joined(here) == ["a.count", "b.count", "--without", *bad]


def test_samples_without_files_are_named_before_the_first_job(here: SmallProject, command: Command) -> None:
    here.sheet({"a": "a.fastq", "x": "/nope/x.fastq", "b": "b.fastq", "y": "s3://y.fastq"})
    ended = command(*here.arguments())
    assert ended.returncode == 1
    sheet = here.folder / "sheet.csv"
    no_key = "expected s3://BUCKET/KEY, found no key after the bucket"
    assert ended.stderr.splitlines()[:3] == [
        f"warning: {sheet}:3:fastq_1: sample x, lane L001: /nope/x.fastq: expected a file, found none",
        f"warning: {sheet}:5:fastq_1: sample y, lane L001: s3://y.fastq: {no_key}",
        "warning: 2 of 4 samples cannot be read and will fail; the others run",
    ]
    assert joined(here) == ["a.count", "b.count", "--without", "x", "y"]
    here.samples({"a": READS, "b": READS, "x": READS, "y": READS})
    assert command(*here.arguments()).returncode == 0
    assert joined(here) == [*(f"{name}.count" for name in "abxy"), "--without"]


def test_a_sheet_without_any_file_is_refused_with_all_lines(here: SmallProject, command: Command) -> None:
    sheet = here.sheet({"x": "/nope/x.fastq", "y": "/nope/y.fastq"})
    ended = command(*here.arguments("--tolerate", "100%"))
    assert ended.returncode == 1
    assert errors(ended) == [
        f"error: {sheet}:2:fastq_1: sample x, lane L001: /nope/x.fastq: expected a file, found none",
        f"error: {sheet}:3:fastq_1: sample y, lane L001: /nope/y.fastq: expected a file, found none",
    ]
    assert not here.run.exists()


def test_more_than_the_pipeline_tolerates_are_refused_unless_accepted(here: SmallProject, command: Command) -> None:
    text = (here.folder / "pipeline.toml").read_text()
    (here.folder / "pipeline.toml").write_text(text.replace("percentage = 100", "count = 0"))
    here.sheet({"a": "a.fastq", "x": "/nope/x.fastq"})
    ended = command(*here.arguments())
    assert errors(ended)[1:] == [
        "error: 1 of 2 samples cannot be read, more than the 0 that are tolerated; correct the sheet, or --tolerate 1"
    ]
    assert (ended.returncode, here.run.exists()) == (1, False)
    assert command(*here.arguments("--tolerate", "1")).returncode == 0
    assert joined(here) == ["a.count", "--without", "x"]


def test_all_problems_of_all_files_are_reported_at_once(here: SmallProject, command: Command) -> None:
    sheet = here.sheet({"x": "/nope/x.fastq"})
    folder = here.folder
    options = ("--param", f"count.regions={folder}", "--param", "count.panel=no.txt")
    truth = ("--truth", "/no.vcf", "--truth-regions", "/no.bed", "--truth-sample", "q=r")
    arguments = [one if one != str(folder / "reference.fa") else "/no.fa" for one in here.arguments(*options, *truth)]
    ended = command(*arguments)
    assert (ended.returncode, here.run.exists()) == (1, False)
    assert errors(ended) == [
        f"error: {sheet}:2:fastq_1: sample x, lane L001: /nope/x.fastq: expected a file, found none",
        f"error: parameter count.regions: {folder}: expected a file, found a folder",
        f"error: parameter count.panel: {Path.cwd()}/no.txt: expected a file, found none",
        "error: --reference /no.fa: expected a file, found none",
        "error: --truth /no.vcf: expected a file, found none",
        "error: --truth-regions /no.bed: expected a file, found none",
        "error: --truth-sample q=r: no such sample; known: x",
    ]


def test_regions_are_compared_with_the_reference(here: SmallProject, command: Command) -> None:
    bed = here.folder / "r.bed"
    bed.write_text("chr1\t0\t5\nchr1\t0\t11\nchr2\t0\t5\n")
    option = ("--param", f"count.regions={bed}")
    expected = [
        f"error: {bed}:2: parameter count.regions: expected 0 <= start < end <= 10, the length of chr1, found 0 and 11",
        f"error: {bed}:3: parameter count.regions: expected a contig of the reference, found 'chr2'; "
        "did you mean 'chr1'?",
    ]
    ended = command(*here.arguments(*option))
    assert (ended.returncode, errors(ended)) == (1, expected)
    assert not (here.run / "steps").exists()
    assert command(*here.arguments()).returncode == 0
    (here.folder / "b.fastq").unlink()
    assert command(*here.arguments()).returncode == 1
    (here.folder / "b.fastq").write_text(READS)
    again = command("rerun", here.run, *option)
    assert (again.returncode, errors(again)) == (1, expected)
    none = command("rerun", here.run, "--param", "count.panel=/no.txt")
    assert errors(none) == ["error: parameter count.panel: /no.txt: expected a file, found none"]
    step = [here.folder / "a.fastq", "--reference", here.folder / "reference.fa", "--out", here.folder / "alone"]
    alone = command("step", here.folder / "count", *step, "--param", f"regions={bed}")
    assert (
        alone.returncode,
        [line.replace("parameter regions", "parameter count.regions") for line in errors(alone)],
    ) == (
        1,
        expected,
    )


def test_the_files_of_a_step_are_checked_at_once(here: SmallProject, command: Command) -> None:
    out = here.folder / "alone"
    files = ["/no.fastq", "/no2.fastq", "--reference", "/no.fa", "--param", "panel=/no.txt", "--out", out]
    ended = command("step", here.folder / "count", *files)
    assert (ended.returncode, out.exists()) == (1, False)
    assert errors(ended) == [
        "error: input reads /no.fastq: expected a file, found none",
        "error: input reads /no2.fastq: expected a file, found none",
        "error: --reference /no.fa: expected a file, found none",
        "error: parameter panel: /no.txt: expected a file, found none",
    ]


@pytest.mark.parametrize("uri", ["s3://b/run", "file:///tmp/run", "https://h/run"])
@pytest.mark.parametrize("name", ["run", "step", "simulate"])
def test_a_uri_is_no_folder(here: SmallProject, command: Command, uri: str, name: str) -> None:
    arguments: dict[str, list[Any]] = {
        "run": [word if word != str(here.run) else uri for word in here.arguments()],
        "step": ["step", here.folder / "count", here.folder / "a.fastq", "--out", uri],
        "simulate": ["simulate", "--out", uri],
    }
    ended = command(*arguments[name])
    more = "; runs on AWS are started with `submit`" if name == "run" else ""
    message = f"error: --out: expected a folder of this machine, found the URI {uri}; give a path{more}\n"
    assert (ended.returncode, ended.stderr) == (2, message)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "a.csv", "--reference", "r.fa", "--out", "o", "--truth"],
        ["run", "a.csv", "--reference", "r.fa", "--out", "o", "--truth", "t.vcf", "--truth-regions"],
        ["run", "a.csv", "--reference", "r.fa", "--out", "o", "--inject"],
        ["results", "o", "--download"],
        ["manifest", "init", "reads", "--out"],
        ["execute", "m.json", "--root"],
        ["execute", "m.json", "--journal"],
        ["execute", "m.json", "--history"],
        ["runs"],
    ],
)
def test_a_uri_is_no_path_of_this_machine(
    command: Command, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = command(*words, "s3://b/x")
    assert ended.returncode == 2
    assert " of this machine, found the URI s3://b/x; give a path" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["s3://", "s3:///a.fastq", "s3://b", "s3://b/", "s3://a b/c.fastq"])
def test_a_uri_of_s3_names_a_bucket_and_a_key_wherever_it_is_given(
    here: SmallProject, command: Command, uri: str
) -> None:
    run = here.arguments()
    sheet, reference = run.index(str(here.folder / "sheet.csv")), run.index("--reference") + 1
    for words in (
        [uri if place == sheet else word for place, word in enumerate(run)],
        [uri if place == reference else word for place, word in enumerate(run)],
        ["execute", uri],
        ["manifest", "init", uri],
        ["explain", uri],
    ):
        if words[0] == "manifest" and uri.startswith("s3://b"):
            continue  # a whole bucket may be listed
        ended = command(*words)
        (line,) = ended.stderr.splitlines()
        assert ended.returncode in (1, 2)
        assert uri in line
        assert "expected s3://BUCKET/KEY, found no key" in line or "expected a bucket of letters" in line
    assert not here.run.exists()


def test_a_folder_that_holds_something_else_is_refused(here: SmallProject, command: Command) -> None:
    assert command(*here.arguments()).returncode == 0
    before = {file: file.read_bytes() for file in here.run.rglob("*") if file.is_file()}
    pipeline = here.folder / "pipeline.toml"
    text = pipeline.read_text()
    pipeline.write_text(text.replace('name = "small"', 'name = "other"'))
    other_pipeline = command(*here.arguments())
    pipeline.write_text(text)
    here.samples({"c": READS})
    other_samples = command(*here.arguments())
    step = command("step", here.folder / "count", here.folder / "a.fastq", "--out", here.run, "--reference", "r.fa")
    out = f"error: --out {here.run}: expected a new folder"
    assert [(one.returncode, errors(one)[0]) for one in (other_pipeline, other_samples, step)] == [
        (2, f"{out} or a run of the pipeline other, found one of small; choose another folder"),
        (2, f"{out} or a run of these samples, found one of a, b; choose another"),
        (1, f"{out}, found a run; choose another folder"),
    ]
    assert {file: file.read_bytes() for file in here.run.rglob("*") if file.is_file()} == before


def test_a_folder_that_no_run_may_have_is_refused(here: SmallProject, command: Command) -> None:
    assert command(*here.arguments()).returncode == 0
    inside, two_lines = here.run / "steps" / "again", here.folder / "a\nb" / "run"
    for out, message in (
        (inside, f"error: --out {inside}: expected a folder outside of other runs, found one of the run {here.run}"),
        (two_lines, f"error: --out: expected a path without control characters, found {str(two_lines)!r}"),
    ):
        ended = command(*(str(out) if word == str(here.run) else word for word in here.arguments()))
        assert (ended.returncode, errors(ended)) == (2, [f"{message}; choose another folder"])
        assert not out.exists()


def test_one_sample_does_not_replace_the_cohort(here: SmallProject, command: Command) -> None:
    assert command(*here.arguments("--sample", "a")).returncode == 0  # a new folder
    assert joined(here) == ["a.count", "--without"]
    assert command(*here.arguments()).returncode == 0  # more samples than before
    ended = command(*here.arguments("--sample", "b"))
    assert (ended.returncode, errors(ended)) == (
        2,
        [
            f"error: --sample: {here.run} has a run of 2 samples, whose joint files would be replaced by those of 1; "
            "leave --sample out (finished steps are reused), or choose another folder; failed samples: "
            "`genomics-pipeline rerun`; to make the cohort smaller, remove the others from the sheet"
        ],
    )
    assert joined(here) == ["a.count", "b.count", "--without"]
    assert command(*here.arguments("--sample", "a", "--sample", "b")).returncode == 0
    assert command("rerun", here.run, "--sample", "a").returncode == 0
    assert joined(here) == ["a.count", "b.count", "--without"]
    here.samples({"b": READS})  # the sheet itself is smaller
    assert command(*here.arguments()).returncode == 0
    assert joined(here) == ["b.count", "--without"]


def test_files_of_a_format_that_no_step_takes_are_refused(here: SmallProject, command: Command) -> None:
    sheet = here.folder / "sheet.csv"
    sheet.write_text("sample,fastq_1,bam\na,a.fastq,\nb,,b.bam\n")
    ended = command(*here.arguments())
    expected = "sample b, lane L001: the step count takes fastq files (formats of step.toml), found a BAM file"
    assert (ended.returncode, errors(ended)) == (1, [f"error: {sheet}:3:bam: {expected}"])
    sheet.write_text("sample,gvcf\na,a.g.vcf.gz\n")
    ended = command(*here.arguments())
    assert (ended.returncode, "has no stage that gathers an output gvcf" in ended.stderr) == (1, True)
