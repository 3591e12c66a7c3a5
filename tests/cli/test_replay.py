"""`replay`: each class of failures that this machine can show is reproduced, from a folder and from a bucket alone."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.tasks.job import Job, JobDefinition, JobEnd
from genomics_pipeline.model import run_layout
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.local.worker_jobs import WorkerJobs
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.jobs import begin
from tests.faults.proxy import DENIED, FaultyS3
from tests.small_project import SmallProject, stage_toml

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws
    from tests.fakes.batch import Log

Cli = Callable[..., Ended]
Replay = Callable[..., dict[str, Any]]

# What a sample does is in the name of its first read.
MISBEHAVE = """
import json, signal, sys
task = json.load(open(sys.argv[1]))
sample, reads = task["item"]["sample"], task["inputs"]["reads"][0]["fastq_1"]
does = open(reads).readline()[1:].strip()
if does == "tool": sys.exit(f"{reads}: it is torn")
if does == "bad": print(f"{reads}: record 1: no bases"); sys.exit(65)
if does == "own": print("too few reads"); sys.exit(3)
if does == "killed": sys.stdout.flush(); import os; os.kill(os.getpid(), signal.SIGSEGV)
if does == "full": print("sort: No space left on device"); sys.exit(1)
if does == "memory": bytes(800 << 20)
while does == "time": signal.pause()
open(task["outputs"]["done"], "w").write(f"{sample} {task['parameters']['subsample']}")
"""
DECLARATIONS = """
[inputs.reads]
type = "reads"
stream = true
[outputs.done]
path = "{sample}.txt"
[parameters.subsample]
type = "number"
summary = "A share"
default = 1.0
[parameters.regions]
type = "file"
format = "bed"
summary = "Regions"
[resources]
vcpus = 1
memory_mib = [256, 512]
timeout_s = 60
[exit_codes]
3 = "bad_input"
"""
COUNT = """
import json, sys
task = json.load(open(sys.argv[1]))
regions = task["parameters"]["regions"]
text = open(task["inputs"]["done"]).read() + (open(regions).read() if regions else "")
open(task["outputs"]["count"], "w").write(text)
"""
COUNT_DECLARATIONS = """
[inputs.done]
type = "file"
[outputs.count]
path = "{sample}.txt"
[parameters.regions]
type = "file"
format = "bed"
summary = "Regions"
"""
# Sample -> class of its failure; each is reproduced by the same program over the same files.
REPRODUCED = {
    "tool": "tool_error",
    "bad": "bad_input",
    "own": "bad_input",
    "killed": "tool_error",
    "full": "out_of_disk",
    "memory": "out_of_memory",
    "time": "timeout",
}
# The end of a job in AWS that no worker has reported -> its class; what a replay says of it.
LOST = {
    "host": (JobEnd(None, status_reason="Host EC2 (instance i-1) terminated."), "host_lost", "the host was lost"),
    "image": (JobEnd(None, "CannotPullContainerError: no image"), "image", "no container is started here"),
    "ended": (JobEnd(143, status_reason="cancelled by `genomics-pipeline cancel`"), "cancelled", "ended from outside"),
}
KILLED = {
    "memory": JobEnd(137, "OutOfMemoryError: Container killed due to memory usage"),
    "time": JobEnd(137, status_reason="Job attempt duration exceeded timeout"),
}


def small_project(folder: Path, samples: dict[str, str]) -> SmallProject:
    project = SmallProject(folder)
    project.step("misbehave", MISBEHAVE, DECLARATIONS)
    project.step("count", COUNT, COUNT_DECLARATIONS)
    project.pipeline(
        stage_toml("trying", "./misbehave", "tried", {"reads": "sample.reads"}),
        stage_toml("counting", "./count", "counted", {"done": "trying.done"}),
    )
    project.samples({name: f"@{does}\nACGT\n+\nIIII\n" for name, does in samples.items()})
    return project


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return small_project(tmp_path, {"good": "good", "bad": "bad"})


@pytest.fixture
def ended(project: SmallProject, cli: Cli) -> SmallProject:
    """Return the project after a run of it."""
    assert cli(*project.arguments()).code == 1
    return project


@pytest.fixture
def injected(project: SmallProject, cli: Cli) -> SmallProject:
    """Return the project after a run in which a fault ended one of its tasks."""
    faults = project.folder / "faults.toml"
    faults.write_text('[[faults]]\nclass = "tool_error"\nstage = "trying"\nsamples = ["good"]\nalways = true\n')
    assert cli(*project.arguments("--inject", faults)).code == 1
    return project


def test_an_injected_fault_is_named_by_replay_and_report(injected: SmallProject, cli: Cli, replay: Replay) -> None:
    log = injected.run / run_layout.INJECTED_FAULTS
    log.write_bytes(b'{"damaged": \n' + log.read_bytes() + b'["too short"]\n')
    fault = "1. tool_error: trying of good, always"
    assert replay(1, injected.run, "good")["differences"] == [
        f"fault: the run injected one into this task, which a replay does not: {fault}"
    ]
    assert replay(0, injected.run, "bad")["differences"] == []
    page = injected.folder / "page.html"
    assert cli("report", injected.run, "--out", page).code == 0
    assert "<p>Faults were injected into this run on purpose" in page.read_text()
    assert f"<td>{fault}: 1 time</td>" in page.read_text()


def test_where_a_replay_cannot_write_the_message_says_how_to_choose_another_place(
    ended: SmallProject, cli: Cli
) -> None:
    (ended.run.parent / "replays").write_text("a file")
    end = cli("replay", ended.run, "bad")
    assert (end.code, end.out) == (2, "")
    assert end.err.endswith(": expected a folder that can be written to: Not a directory; give another by --out\n")


@pytest.fixture
def replay(cli: Cli) -> Replay:
    """Return `replay(code, …)`: what ``replay --json`` prints where it ends with that code."""

    def call(code: int, *arguments: str | Path) -> dict[str, Any]:
        end = cli("replay", *arguments, "--json")
        assert end.code == code, (end.out, end.err)
        outcome: dict[str, Any] = json.loads(end.out)
        return outcome

    return call


def test_each_class_is_reproduced_from_a_folder(tmp_path: Path, cli: Cli, replay: Replay) -> None:
    small = small_project(tmp_path, {name: name for name in REPRODUCED if name != "time"})
    assert cli(*small.arguments()).code == 1
    before = files_of(small.run)
    for name, failure_class in REPRODUCED.items():
        if name == "time":
            continue  # see below
        outcome = replay(0, small.run, name)
        assert (outcome["verdict"], outcome["stage"]) == ("reproduced", "trying")
        assert outcome["before"]["class"] == outcome["after"]["class"] == failure_class, name
        assert outcome["differences"] == (
            [
                "failure: out of disk is not expected here: the disk of the host is not this machine's",
            ]
            if name == "full"
            else []
        )
        assert outcome["definition"] == "the run's own, the one that this installation generates"
    memory = replay(0, small.run, "memory")["after"]["message"]
    assert memory.endswith("it had 512 MiB)")  # the last rung, as in the run
    assert files_of(small.run) == before


def shorten(monkeypatch: pytest.MonkeyPatch, limit_s: int = 60) -> list[int]:
    """Let a time limit of jobs, and longer ones, end after a second for each, and return those limits from here on."""
    limits: list[int] = []

    def shorter(declared: JobDefinition, _share: object) -> float:
        declared_s = declared.timeout_s or 0
        if declared_s < limit_s:
            return declared_s
        limits.append(declared_s)
        return declared_s / limit_s

    monkeypatch.setattr("genomics_pipeline.engine.tasks.machine_jobs._scaled_timeout", shorter)
    return limits


def test_a_time_limit_is_that_of_the_last_attempt(
    tmp_path: Path, cli: Cli, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, limits = small_project(tmp_path, {"time": "time"}), shorten(monkeypatch)
    assert cli(*small.arguments()).code == 1
    outcome = replay(0, small.run, "time")
    assert (outcome["verdict"], outcome["after"]["class"]) == ("reproduced", "timeout")
    assert limits == [60, 120, 120]


@pytest.fixture
def bucket_run(
    tmp_path: Path, aws: str, step_functions: FakeAws, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Deployed]]:
    """Yield the URI of a run on AWS that has ended, of which only S3 answers any more, and its stack."""
    names = [*REPRODUCED, *LOST, "good"]
    small = small_project(tmp_path, {name: name for name in names})
    pipeline = str(tmp_path / "pipeline.toml")
    with deployed(aws, (pipeline,)) as stack:
        small.sheet(
            {name: stack.put(f"reads/{name}.fastq", (tmp_path / f"{name}.fastq").read_bytes()) for name in names}
        )
        steps = load_pipeline(pipeline)[1]
        worker = WorkerJobs(steps, object_store(), tmp_path / "scratch", tmp_path / "cache", os.environ)

        def run(job: Job, log: Log) -> JobEnd:
            (item,) = begin(job).items
            name = item["sample"]
            return KILLED[name] if name in KILLED else LOST[name][0] if name in LOST else worker.run_attempt(job)

        step_functions.batch.run_job = run
        sheet, reference = tmp_path / "sheet.csv", tmp_path / "reference.fa"
        submitted = cli("submit", sheet, "--reference", reference, "--pipeline", pipeline, "--max-failures", "100%")
        assert submitted.code == 0, submitted.err
        for execution in step_functions.states.executions.values():
            execution.wait()
        (record,) = (key for key in stack.keys("runs/") if key.endswith("/run.json"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("genomics_pipeline.cli.adapters._session", lambda *_: pytest.fail("asked another service"))
        yield f"s3://{stack.bucket}/{record.removesuffix('/run.json')}", stack


def test_each_class_is_reproduced_from_the_bucket_alone(
    bucket_run: tuple[str, Deployed], replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, stack = bucket_run
    before = {key: stack.s3.head_object(Bucket=stack.bucket, Key=key)["ETag"] for key in list(stack.keys())}
    for name, failure_class in REPRODUCED.items():
        with monkeypatch.context() as shortened:
            if name == "time":
                shorten(shortened)
            outcome = replay(0, uri, name)
        assert (outcome["verdict"], outcome["before"]["class"]) == ("reproduced", failure_class), outcome
        assert outcome["folder"].startswith(f"{tmp_path}/replays/")
        text = "\n".join(outcome["differences"])
        assert "image: the program of the step runs in this installation" in text
        assert "host: this machine, not a host in AWS" in text
        assert "memory: each process may allocate" in text
    for name, (_, failure_class, reason) in LOST.items():
        outcome = replay(1, uri, name)
        assert (outcome["verdict"], outcome["before"]["class"], outcome["after"]) == (
            "not reproduced",
            failure_class,
            None,
        )
        text = "\n".join(outcome["differences"])
        assert f"failure: {failure_class.replace('_', ' ')} is not expected here: " in text
        assert reason in text
        assert "program: not known which one failed" in text
    assert replay(0, uri, "good", "--stage", "counting")["verdict"] == "the same outputs"
    assert {key: stack.s3.head_object(Bucket=stack.bucket, Key=key)["ETag"] for key in list(stack.keys())} == before


def test_access_that_is_denied_to_the_same_user_is_reproduced(
    tmp_path: Path, aws: str, step_functions: FakeAws, cli: Cli, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, pipeline, denied = small_project(tmp_path, {"a": "good"}), str(tmp_path / "pipeline.toml"), set[str]()
    message = "User: arn:aws:sts::000000000000:assumed-role/r/x is not authorized to perform: s3:GetObject"

    def choose(method: str, path: str) -> str | None:
        return f"{DENIED}{message}" if method in denied and path.endswith("/reads/a.fastq") else None

    with deployed(aws, (pipeline,)) as stack, FaultyS3(aws, choose) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
        monkeypatch.chdir(tmp_path)
        sheet = small.sheet({"a": stack.put("reads/a.fastq", "@good\nA\n+\nI\n")})
        steps = load_pipeline(pipeline)[1]
        worker = WorkerJobs(steps, object_store(), tmp_path / "scratch", tmp_path / "cache", os.environ)

        def run(job: Job, log: Log) -> JobEnd:
            begin(job)
            denied.update(("HEAD", "GET"))
            return worker.run_attempt(job)

        step_functions.batch.run_job = run
        submitted = cli("submit", sheet, "--reference", tmp_path / "reference.fa", "--pipeline", pipeline, "--json")
        name = json.loads(submitted.out)["run"]
        step_functions.execution(name).wait()
        outcome = replay(0, f"s3://{stack.bucket}/runs/{name}", "a")
        assert (outcome["verdict"], outcome["after"]["class"]) == ("reproduced", "access_denied")
        denied.clear()
        assert replay(1, f"s3://{stack.bucket}/runs/{name}", "a")["verdict"] == "not reproduced"


def test_a_planted_difference_is_seen(ended: SmallProject, replay: Replay) -> None:
    program = ended.folder / "misbehave/misbehave.py"
    program.write_text(program.read_text().replace("no bases", "no qualities"))
    other = replay(1, ended.run, "bad")
    assert other["verdict"] == "another failure"
    assert other["differences"][0].startswith("program: misbehave 1 (")
    good = replay(0, ended.run, "good", "--stage", "trying")
    assert (good["verdict"], good["other_outputs"]) == ("the same outputs", [])
    program.write_text(program.read_text().replace('f"{sample} ', 'f"other {sample} '))
    good = replay(1, ended.run, "good", "--stage", "trying")
    assert (good["verdict"], good["other_outputs"]) == ("other outputs", ["done"])
    program.write_text(program.read_text().replace("sys.exit(65)", "does = ''"))
    assert replay(1, ended.run, "bad")["verdict"] == "not reproduced"
    (ended.folder / "good.fastq").unlink()
    gone = replay(1, ended.run, "good", "--stage", "trying")
    assert (gone["verdict"], gone["after"]["class"]) == ("failed", "bad_input")
    assert (gone["scratch"], gone["command"]) == (None, None)


def test_a_definition_that_is_not_the_recorded_one_is_said(ended: SmallProject, cli: Cli) -> None:
    definition = ended.run / "definition.json"
    definition.write_text(definition.read_text().replace('"Comment"', '"Comment" '))
    shown = cli("replay", ended.run, "bad")
    assert "not the same: definition: " in shown.err
    assert "expected the definition, input and items of the digest" in shown.err


def test_a_run_in_containers_is_replayed_without_which_is_said(ended: SmallProject, replay: Replay) -> None:
    record = ended.run / "run.json"
    record.write_text(record.read_text().replace('"containers": ""', '"containers": "engine"'))
    assert replay(0, ended.run, "bad")["differences"] == [
        "image: the program of the step runs in this installation, with its libraries, not in the container"
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("manifest.jsonl", '"bad"', '"../../bad"', "expected a sample's name of letters, digits, '.', '_' and '-'"),
        ("input.json", '"manifest.jsonl"', '"../manifest.jsonl"', "not a key below the run: '../manifest.jsonl'"),
        ("definition.json", '"trying": {', '"try/../..": {', "expected a definition of ours"),
        ("steps/trying/bad/failure.json", '"exit_code": 65', '"exit_code": "x"', ""),
    ],
)
def test_names_in_records_lead_nowhere(
    ended: SmallProject, cli: Cli, file: str, old: str, new: str, message: str
) -> None:
    record = ended.run / file
    assert old in record.read_text()
    record.write_text(record.read_text().replace(old, new))
    before = files_of(ended.folder)
    end = cli("replay", ended.run, "../../bad" if "../../" in new else "bad")
    assert message in end.err
    added = {path for path in files_of(ended.folder) if path not in before}
    assert all(path.startswith("replays/run-trying-bad/") for path in added)
    assert bool(added) == (message == "")


def test_a_part_of_the_reads_or_of_the_reference(ended: SmallProject, replay: Replay) -> None:
    part = replay(0, ended.run, "good", "--stage", "counting", "--subsample", "0.5")
    assert (part["verdict"], part["differences"]) == (
        "succeeded",
        ["reads: 0.5 of them, aligned again from trying on"],
    )
    assert Path(part["folder"], "run/results/counted/good.txt").read_text() == "good 0.5"
    part = replay(0, ended.run, "good", "--stage", "counting", "--region", "chr1:2-1,000")
    assert part["differences"] == ["region: chr1:2-1000 only"]
    assert Path(part["folder"], "run/results/counted/good.txt").read_text() == "good 1.0chr1\t1\t1000\n"


GATHER = """
import json, sys
task = json.load(open(sys.argv[1]))
text = "".join(open(path).read() for path in task["inputs"]["files"])
if len(task["inputs"]["files"]) < 2: sys.exit(f"{len(task['inputs']['files'])} files only")
(output,) = task["outputs"].values()
open(output, "w").write(text + " ".join(task["item"].get("regions", ())))
"""


def gather_step(small: SmallProject, name: str, path: str) -> None:
    small.step(name, GATHER, f'[inputs.files]\ntype = "files"\n[outputs.out]\npath = "{path}"\n')


def test_intervals_the_cohort_and_batches(tmp_path: Path, cli: Cli, replay: Replay) -> None:
    small = small_project(tmp_path, {"a": "good", "b": "bad", "c": "good"})
    (tmp_path / "reference.fa").write_text(f">chr1\n{'ACGTA' * 200}\n>chr2\n{'ACGTA' * 300}\n")
    gather_step(small, "over", "{interval}.txt")
    gather_step(small, "whole", "whole.txt")
    small.pipeline(
        "items_per_batch = 3\n[maps.interval]\ninterval_size_bp = 1000\n",
        stage_toml("trying", "./misbehave", "tried", {"reads": "sample.reads"}),
        stage_toml("over", "./over", "overs", {"files": "trying.done"}, "interval"),
        stage_toml("whole", "./whole", "", {"files": "over.out"}, "cohort"),
    )
    run = cli(*small.arguments())
    assert run.code == 1, run.err
    failed = replay(0, small.run, "b")
    assert (failed["verdict"], failed["differences"]) == (
        "reproduced",
        ["batch: this item alone, not the 3 items of its batch"],
    )
    for item, stage in (("a", "trying"), ("00000", "over"), ("chr2:5-6", "over"), ("cohort", "whole")):
        assert replay(0, small.run, item, "--stage", stage)["verdict"] == "the same outputs", item
    part = replay(0, small.run, "chr1:1-5", "--stage", "over", "--region", "chr1:2-4")
    assert Path(part["folder"], "run/results/overs/00000.txt").read_text() == "a 1.0c 1.0chr1:2-4"
    refused = cli("replay", small.run, "00000", "--stage", "over", "--region", "chr1:2-4000")
    assert (refused.code, refused.err) == (
        2,
        "error: --region chr1:2-4000: expected a part of chr1:1-1000, 00000's regions\n",
    )
    refused = cli("replay", small.run, "cohort", "--stage", "whole", "--subsample", "0.1")
    assert refused.err == "error: --subsample: expected a stage of a sample, found whole of the cohort\n"


def test_a_stage_of_the_cohort_that_failed(tmp_path: Path, cli: Cli, replay: Replay) -> None:
    small = small_project(tmp_path, {"a": "good"})
    gather_step(small, "whole", "whole.txt")
    small.pipeline(
        stage_toml("trying", "./misbehave", "tried", {"reads": "sample.reads"}),
        stage_toml("whole", "./whole", "", {"files": "trying.done"}, "cohort"),
    )
    assert cli(*small.arguments()).code == 1
    failed = replay(0, small.run, "cohort")
    assert (failed["verdict"], failed["after"]["message"]) == ("reproduced", "1 files only")


def test_a_failure_of_the_cohort_that_only_its_execution_reports(
    tmp_path: Path, cli: Cli, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_project(tmp_path, {"a": "good"})
    gather_step(small, "whole", "whole.txt")
    (tmp_path / "whole/whole.py").write_text("import signal\nwhile True: signal.pause()")
    declared = tmp_path / "whole/step.toml"
    declared.write_text(f"{declared.read_text()}[resources]\ntimeout_s = 600\n")
    small.pipeline(
        stage_toml("trying", "./misbehave", "tried", {"reads": "sample.reads"}),
        stage_toml("whole", "./whole", "", {"files": "trying.done"}, "cohort"),
    )
    limits = shorten(monkeypatch, 600)
    assert cli(*small.arguments()).code == 1
    record = small.run / "steps/whole/cohort/failure.json"
    assert json.loads(record.read_text())["class"] == "timeout"
    record.unlink()  # as on AWS, where the worker is killed with its container
    assert replay(0, small.run, "cohort")["verdict"] == "reproduced"
    assert limits == [600, 1200, 1200]


def test_a_rerun_is_replayed_with_its_own_parameters(ended: SmallProject, cli: Cli, replay: Replay) -> None:
    (ended.folder / "bad.fastq").write_text("@good\nA\n+\nI\n")
    assert cli("rerun", ended.run, "--param", "trying.subsample=0.25").code == 0
    again = replay(0, ended.run, "bad", "--stage", "trying")
    assert again["verdict"] == "the same outputs"
    assert Path(again["folder"], "run/results/tried/bad.txt").read_text() == "bad 0.25"
    assert replay(0, ended.run, "good", "--stage", "trying")["verdict"] == "the same outputs"


def test_what_is_printed_and_the_shell(
    ended: SmallProject, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\npwd\necho "$TMPDIR" "${AWS_SECRET_ACCESS_KEY-none}"\nls ..\n')
    shell.chmod(shell.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("SHELL", str(shell))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    out = tmp_path / "again"
    shown = cli("replay", ended.run, "bad", "--out", out, "--shell")
    assert shown.code == 0
    lines = shown.out.splitlines()
    (scratch,) = (out / "scratch").glob("task-*")
    assert lines[0] == "trying of bad: the failure was reproduced"
    assert lines[-8:-6] == [f"scratch    {scratch}", lines[-7]]
    assert lines[-7].startswith("command    ")
    assert lines[-7].endswith(f"misbehave.py {scratch}/task.json")
    assert lines[-6:] == [f"{scratch}/tmp", f"{scratch}/tmp none", "in", "out", "task.json", "tmp"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nobody",), 1, "nobody: no such sample in this run; did you mean 'good'?"),
        (("good",), 2, "good: expected a stage that failed, found all of them done; name a stage to replay: --stage"),
        (("bad", "--stage", "tryin"), 2, "--stage tryin: no such stage of bad; did you mean 'trying'?"),
        (("bad", "--stage", "counting"), 2, "--stage counting: expected trying of bad to be done, which it takes"),
        (("bad", "--region", "chr1"), 2, "--region chr1: expected a region such as chr20:1-5000000"),
        (("good", "--stage", "counting", "--subsample", "x"), 2, "--subsample: expected a number, found 'x'"),
        (("chr9:1-5",), 1, "chr9:1-5: no interval of this run overlaps this region"),
        (("bad", "--out", "{run}/replays"), 2, "--out {run}/replays: expected a folder outside of the run, found one"),
        (("bad", "--out", "{run}/.."), 2, "--out {run}/..: expected a new or empty folder, found one with files"),
    ],
)
def test_bad_arguments(ended: SmallProject, cli: Cli, arguments: tuple[str, ...], code: int, message: str) -> None:
    before = files_of(ended.folder)
    end = cli("replay", ended.run, *(one.format(run=ended.run) for one in arguments))
    assert (end.code, end.out) == (code, "")
    assert message.format(run=ended.run) in end.err
    assert files_of(ended.folder) == before
