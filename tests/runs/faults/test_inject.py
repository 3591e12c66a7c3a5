"""`genomics-pipeline run --inject`: every kind of fault ends a job as AWS would, and is always reported."""

from __future__ import annotations

import csv
import gzip
import json
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.faults import Fault, Faults
from genomics_pipeline.runs.faults.injector import Injector
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from tests.runs.conftest import Command
from tests.small_project import SmallProject, stage_toml, task_json

COUNT = """
import gzip, json, sys
task = json.load(open(sys.argv[1]))
lines = 0
for lane in task["inputs"]["reads"]:
    path = lane["fastq_1"]
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rt") as reads:
            lines += sum(1 for line in reads)
    except EOFError:
        if task["parameters"]["strict"]:
            sys.exit(print(f"error: {path}: expected gzip to end, found the end of the file", file=sys.stderr) or 65)
if lines % 4 and task["parameters"]["strict"]:
    sys.exit(print(f"error: {path}: expected four lines a read, found {lines} lines", file=sys.stderr) or 65)
open(task["outputs"]["count"], "w").write(str(lines // 4))
"""
DOUBLE = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["double"], "w").write(str(2 * int(open(task["inputs"]["count"]).read())))
"""
STEPS = {
    "count": (
        COUNT,
        """
[inputs.reads]
type = "reads"
[outputs.count]
path = "{sample}.count"
[parameters.strict]
type = "boolean"
summary = "Refuse what is cut short"
default = true
[resources]
memory_mib = 100
""",
    ),
    "double": (
        DOUBLE,
        """
[inputs.count]
type = "file"
[outputs.double]
path = "{sample}.double"
""",
    ),
}
STAGES = (
    stage_toml("counting", "./count", "counts", {"reads": "sample.reads"}),
    stage_toml("doubling", "./double", "doubles", {"count": "counting.count"}),
)
READ = "@r\nACGT\n+\nIIII\n"
READS = READ * 100

Result = dict[str, Any]
Inject = Callable[..., Result]


@pytest.fixture
def inject(project: SmallProject, command: Command) -> Inject:
    """Return `inject(faults, samples, …)`, the summary of a run with faults; `stderr` is its standard error."""
    for name, (program, declarations) in STEPS.items():
        project.step(name, program, declarations)

    def call(
        faults: str,
        *samples: str,
        options: tuple[str, ...] = (),
        batches: str = "",
        code: int | None = None,
        plain: bool = False,
    ) -> Result:
        ending = "fastq" if plain else "fastq.gz"
        for name in samples:
            file = project.folder / f"{name}.{ending}"
            if not file.exists():  # its time is a part of what identifies it
                file.write_bytes(READS.encode() if plain else gzip.compress(READS.encode(), mtime=0))
        project.sheet({name: f"{name}.{ending}" for name in samples})
        project.pipeline(*STAGES, settings=f"tolerated_failure_percentage = 100\n{batches}")
        (project.folder / "faults.toml").write_text(faults)
        ended = command(*project.arguments("--inject", project.folder / "faults.toml", *options))
        record = json.loads((project.run / "run.json").read_text())
        expected = not record["summary"].get("complete", True) if code is None else code
        assert ended.returncode == expected, ended.stderr
        return {**record["summary"], "stderr": ended.stderr, "run": project.run}

    return call


def causes(run: Path) -> dict[str, tuple[str, str, Any]]:
    """Return stage, error, and the job's detail (or other cause) of each sample that failed."""
    item_causes = {}
    for file in run.glob("map-runs/Sample/*/FAILED_0.jsonl"):
        for child in map(json.loads, file.read_text().splitlines()):
            cause = json.loads(child["Cause"])
            inner = cause["cause"]
            child_input = json.loads(child["Input"])
            detail = json.loads(inner) if inner.startswith("{") else inner
            for one in child_input.get("Items", [child_input]):
                item_causes[one["item"]["sample"]] = cause["stage"], cause["error"], detail
    return item_causes


def states(summary: Mapping[str, Any]) -> dict[str, str]:
    return {row["sample"]: row["state"] for row in summary["samples"]}


def injected_faults(run: Path) -> list[list[str]]:
    return sorted(json.loads(line) for line in (run / ".engine" / "faults.jsonl").read_text().splitlines())


BAD_DAY = """
seed = 20261124

[[faults]]
class = "host_lost"
stage = "counting"
samples = ["host"]
times = 2

[[faults]]
class = "image"
samples = ["host"]
stage = "counting"

[[faults]]
class = "image"
stage = "doubling"
samples = ["image"]
always = true

[[faults]]
class = "throttled"
stage = "counting"
samples = ["throttled"]

[[faults]]
class = "out_of_memory"
samples = ["memory"]
below_mib = 101

[[faults]]
class = "out_of_memory"
samples = ["well"]
below_mib = 100

[[faults]]
class = "out_of_disk"
samples = ["disk"]
always = true

[[faults]]
class = "timeout"
samples = ["slow"]
always = true

[[faults]]
class = "bad_input"
samples = ["short"]
always = true

[[faults]]
class = "bad_input"
stage = "doubling"
samples = ["later"]
always = true

[[faults]]
class = "tool_error"
samples = ["tool"]
always = true
"""
SAMPLES = ("well", "host", "image", "throttled", "memory", "disk", "slow", "short", "later", "tool")
HEALED = ("well", "host", "throttled")


def test_a_day_of_bad_luck(inject: Inject) -> None:
    summary = inject(BAD_DAY, *SAMPLES)
    run, stderr = summary["run"], summary["stderr"]
    assert states(summary) == {name: "SUCCEEDED" if name in HEALED else "FAILED" for name in SAMPLES}
    assert {path.read_text() for path in run.glob("results/doubles/*")} == {"200"}
    item_causes = causes(run)
    assert sorted(item_causes) == sorted(set(SAMPLES) - set(HEALED))
    assert {error for _, error, _ in item_causes.values()} == {"States.TaskFailed"}

    classes = {
        name: classify(error, json.dumps(detail)).failure_class for name, (_, error, detail) in item_causes.items()
    }
    assert {name: classes[name] for name in classes if name != "disk"} == {
        "image": FailureClass.IMAGE,
        "memory": FailureClass.OUT_OF_MEMORY,
        "slow": FailureClass.TIMEOUT,
        "short": FailureClass.BAD_INPUT,
        "later": FailureClass.BAD_INPUT,
        "tool": FailureClass.TOOL_ERROR,
    }

    def end(name: str) -> tuple[str, str, int | None, str | None]:
        stage, _, detail = item_causes[name]
        container = detail["Container"]
        return stage, detail["StatusReason"], container.get("ExitCode"), container.get("Reason")

    exited = "Essential container in task exited"
    pull = "CannotPullContainerError: no image was pulled (injected)"
    assert end("image") == ("doubling", "Task failed to start", None, pull)
    assert len(item_causes["image"][2]["Attempts"]) == 5
    oom = "OutOfMemoryError: Container killed due to memory usage"
    assert end("memory") == ("counting", exited, 137, oom)
    full = f"no space left on the disk of {run}/.scratch: free some space, then run again (injected)"
    assert end("disk") == ("counting", exited, 73, full)
    assert end("slow") == ("counting", "Job attempt duration exceeded timeout", 137, None)
    stage, reason, code, message = end("short")
    assert (stage, reason, code) == ("counting", exited, 65)
    assert message is not None
    assert message.startswith(f"{run}/.scratch/injected-")
    assert message.endswith("/short.fastq.gz: expected gzip to end, found the end of the file (injected)")
    assert end("later") == ("doubling", exited, 65, "bad_input of doubling later (injected)")
    assert end("tool") == ("counting", exited, 1, "tool_error of counting tool (injected)")

    # Nothing is hidden: what is asked for at the start, each fault as it happens, the counts at the end.
    assert f"injected faults: {run.parent}/faults.toml, seed 20261124\n" in stderr
    assert "\n  1. host_lost: counting of host, the first 2 attempts\n" in stderr
    assert "\n  5. out_of_memory: any stage of memory, until it requests 101 MiB\n" in stderr
    assert stderr.count("injected: host_lost: counting host\n") == 2
    assert stderr.count("injected: image: counting host\n") == 1
    assert "counting host: tried again after 0.0 s: Host EC2 (instance i-0" in stderr
    assert stderr.count("injected: throttled: counting throttled\n") == 1
    assert stderr.count("counting throttled: retry 1 in ") == 1
    assert "(Batch.AWSBatchException)" in stderr
    counts = summary["injected"]
    assert list(counts) == [
        "host_lost",
        "image",
        "throttled",
        "out_of_memory",
        "out_of_disk",
        "timeout",
        "bad_input",
        "tool_error",
    ]
    assert (counts["host_lost"], counts["throttled"], counts["out_of_disk"]) == (2, 1, 1)
    assert "faults injected: host_lost 2, image " in stderr
    assert not list((run / ".scratch").glob("*"))

    # Each attempt is a line of the trace, also those of lost hosts and of tasks that succeeded in the end.
    assert attempts(run, "counting", "host") == [
        ("1", "FAILED", "host_lost", "-"),
        ("2", "FAILED", "host_lost", "-"),
        ("3", "FAILED", "image", "-"),
        ("4", "COMPLETED", "-", "0"),
    ]
    assert attempts(run, "counting", "slow")[0] == ("1", "FAILED", "timeout", "137")
    assert attempts(run, "counting", "memory")[0] == ("1", "FAILED", "out_of_memory", "137")
    assert attempts(run, "doubling", "image")[-1] == ("5", "FAILED", "image", "-")
    assert attempts(run, "counting", "short") == [("1", "FAILED", "bad_input", "65")]
    assert attempts(run, "counting", "well") == [("1", "COMPLETED", "-", "0")]
    events = json.loads((run / "results/pipeline_info/timeline.json").read_text())["traceEvents"]
    lost = [one for one in events if one.get("args", {}).get("failure_class") in ("host_lost", "image")]
    assert [one["args"]["attempt"] for one in lost if one["name"] == "counting"] == [1, 2, 3]


def attempts(run: Path, stage: str, item: str) -> list[tuple[str, ...]]:
    """Return the number, the status, the class and the exit code of each attempt of a task."""
    with (run / "results/pipeline_info/trace.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    names = ("attempt", "status", "failure_class", "exit")
    return [tuple(row[name] for name in names) for row in rows if row["name"] == f"{stage} ({item})"]


def test_hosts_that_are_lost_again_and_again(inject: Inject) -> None:
    summary = inject('[[faults]]\nclass = "host_lost"\nalways = true\n', "a")
    stage, error, detail = causes(summary["run"])["a"]
    assert (stage, error, len(detail["Attempts"])) == ("counting", "States.TaskFailed", 5)
    assert {json.dumps(one["Container"]) for one in detail["Attempts"]} == {"{}"}
    reasons = {one["StatusReason"] for one in detail["Attempts"]}
    assert len(reasons) == 5  # a new host each time
    assert all(reason.startswith("Host EC2 (instance i-0") and reason.endswith(") terminated.") for reason in reasons)
    assert classify(error, json.dumps(detail)).failure_class == FailureClass.HOST_LOST


def test_a_killed_engine_goes_on_where_it_was(inject: Inject) -> None:
    faults = '[[faults]]\nclass = "engine_killed"\nstage = "doubling"\n'
    faults += '[[faults]]\nclass = "tool_error"\nstage = "counting"\nsamples = ["a"]\n'
    killed = inject(faults, "a", "b", code=-signal.SIGKILL)
    assert "injected: engine_killed: doubling b" in killed["stderr"]
    again = inject(faults, "a", "b", options=("--resume",))
    assert "resuming execution run-1" in again["stderr"]
    assert again["injected"] == {"engine_killed": 1, "tool_error": 1}  # once in a run's folder
    assert states(again)["b"] == "SUCCEEDED"
    assert (again["run"] / "results/doubles/b.double").read_text() == "200"
    last = inject(faults, "a", "b")  # a fault that has happened does not happen again
    assert states(last) == {"a": "SUCCEEDED", "b": "SUCCEEDED"}
    assert last["steps"] == {"run": 2, "reused": 2}


def test_the_seed_chooses_whatever_the_order(inject: Inject, tmp_path: Path) -> None:
    faults = 'seed = 7\n[[faults]]\nclass = "tool_error"\nshare = 0.5\n'
    names = [f"s{number}" for number in range(8)]
    first = inject(faults, *names)
    (tmp_path / "run").rename(tmp_path / "first")
    second = inject(faults, *reversed(names))
    assert injected_faults(tmp_path / "first") == injected_faults(second["run"])
    assert first["injected"] == second["injected"]
    assert 0 < len(injected_faults(second["run"])) < 16
    assert states(first) == states(second)


def test_a_bad_item_does_not_keep_the_others_of_its_batch(inject: Inject) -> None:
    faults = '[[faults]]\nclass = "tool_error"\nsamples = ["b"]\nstage = "counting"\nalways = true\n'
    summary = inject(faults, "a", "b", "c", batches="items_per_batch = 3")
    _, _, detail = causes(summary["run"])["b"]
    assert detail["Container"]["Reason"] == "tool_error of counting b (injected)"
    done = {path.parent.name for path in summary["run"].glob("steps/counting/*/step.json")}
    assert done == {"a", "c"}


@pytest.mark.parametrize("plain", [False, True])
def test_a_step_that_does_not_notice_a_truncated_file_fails(inject: Inject, plain: bool) -> None:
    faults = '[[faults]]\nclass = "bad_input"\nsamples = ["a"]\nalways = true\n'
    options = ("--param", "counting.strict=false")
    summary = inject(faults, "a", options=options, plain=plain)
    _, _, detail = causes(summary["run"])["a"]
    assert detail["Container"]["ExitCode"] == 1
    expected = "expected counting to detect that half of it is missing, but it succeeded (injected)"
    assert detail["Container"]["Reason"].endswith(f": {expected}")
    assert not list(summary["run"].glob("steps/counting/a/step.json"))  # what it made is no result


def test_a_plain_file_is_cut_inside_a_read(inject: Inject) -> None:
    summary = inject('[[faults]]\nclass = "bad_input"\nstage = "counting"\nalways = true\n', "a", plain=True)
    _, _, detail = causes(summary["run"])["a"]
    assert detail["Container"]["ExitCode"] == 65
    assert detail["Container"]["Reason"].endswith(": expected four lines a read, found 198 lines (injected)")


class Stub:
    """Attempts that all succeed."""

    def __init__(self) -> None:
        self.items: list[list[str]] = []

    def run_attempt(self, job: Job) -> JobEnd:
        """Remember the samples."""
        items = json.loads(job.environment["GENOMICS_PIPELINE_TASK"])["items"]
        self.items.append([item["sample"] for item in items])
        return JobEnd(0)


def job(*samples: str, attempt: int = 1, asked_mib: int = 100) -> Job:
    place = {"name": "run", "bucket": "RUN", "prefix": ""}
    items = [{"sample": sample} for sample in samples]
    payload = task_json("count", items, stage="counting", run=place, reference="ref.fa")
    environment = {"GENOMICS_PIPELINE_TASK": json.dumps(payload)}
    return Job("id", "name", "count", "queue", environment, 1, 50, None, attempt, asked_mib)


@pytest.fixture
def injector(tmp_path: Path) -> Callable[..., tuple[Injector, Stub]]:
    """Return `injector(*faults)`, which returns an injector over a run folder, and the runner below it."""

    def call(*faults: Fault) -> tuple[Injector, Stub]:
        run = RunFolder(tmp_path / "run")
        run.create()
        worker = Stub()
        attempt, store = worker.run_attempt, object_store().with_buckets({BUCKET: run.path})
        return Injector(Faults("f", 0, faults), attempt, attempt, run, store, lambda _: None), worker

    return call


def test_memory_is_what_the_job_asks_for_and_not_what_it_is_given(injector: Any) -> None:
    made, worker = injector(Fault(1, "out_of_memory", times=None, below_mib=400))
    ends = [made.run_attempt(job("a", asked_mib=mib)) for mib in (100, 200, 399, 400)]
    assert [end.exit_code for end in ends] == [137, 137, 137, 0]
    assert worker.items == [["a"]]
    assert made.counts() == {"out_of_memory": 3}


def test_a_lost_host_ends_the_whole_batch_and_counts_for_its_own_items(injector: Any) -> None:
    made, worker = injector(Fault(1, "host_lost", samples=("a", "b")), Fault(2, "tool_error", samples=("b",)))
    first, second, third = (made.run_attempt(job("a", "b", "c", attempt=number)) for number in (1, 2, 3))
    assert first.status_reason.startswith("Host EC2 (instance i-0")
    assert (second.exit_code, second.reason) == (1, "tool_error of counting b (injected)")
    assert third == JobEnd(0)
    assert worker.items == [["a", "c"], ["a", "b", "c"]]


def test_faults_that_happened_are_known_to_the_next_process(injector: Any) -> None:
    fault = Fault(1, "tool_error", times=2)
    assert injector(fault)[0].run_attempt(job("a")).exit_code == 1
    again, _ = injector(fault)
    assert [again.run_attempt(job("a")).exit_code for _ in range(2)] == [1, 0]
    changed, _ = injector(Fault(1, "tool_error", times=3))
    assert [changed.run_attempt(job("a")).exit_code for _ in range(4)] == [1, 1, 1, 0]


def test_not_in_containers(command: Command, tmp_path: Path) -> None:
    for name in ("a.fastq", "ref.fa"):
        (tmp_path / name).write_text(READ)
    (tmp_path / "sheet.csv").write_text("sample,fastq_1\na,a.fastq\n")
    (tmp_path / "faults.toml").write_text('[[faults]]\nclass = "image"\n')
    argv = ["run", tmp_path / "sheet.csv", "--reference", tmp_path / "ref.fa", "--out", tmp_path / "run"]
    ended = command(*argv, "--containers", "--inject", tmp_path / "faults.toml")
    message = "error: --inject injects faults into processes of this machine: it cannot be used with --containers\n"
    assert (ended.returncode, ended.stderr) == (2, message)
    assert not (tmp_path / "run").exists()
