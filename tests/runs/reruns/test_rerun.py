"""`genomics-pipeline rerun` of a run in a folder: it runs only what failed, until the cohort is complete."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.runs.run_folder import RunFolder
from tests.runs.conftest import Command
from tests.small_project import SmallProject, stage_toml

COUNT = """
import json, sys, time
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["reads"][0]["fastq_1"]).read()
if text.startswith("slow"):
    time.sleep(60)
if not text.startswith("@"):
    sys.exit(print("error: expected '@', found " + repr(text), file=sys.stderr) or (65 if text == "bad" else 1))
json.dump([task["parameters"]["weight"] * text.count("@")], open(task["outputs"]["count"], "w"))
"""
TOTAL = """
import json, sys
task = json.load(open(sys.argv[1]))
if task["parameters"]["broken"]:
    sys.exit(print("error: nothing adds up", file=sys.stderr) or 1)
json.dump([json.load(open(path)) for path in task["inputs"]["counts"]], open(task["outputs"]["total"], "w"))
"""
STEPS = {
    "count": (
        COUNT,
        """
[inputs.reads]
type = "reads"
[outputs.count]
path = "{sample}.count"
[parameters.weight]
type = "integer"
summary = "What a read counts"
default = 1
[resources]
memory_mib = 100
""",
    ),
    "total": (
        TOTAL,
        """
[inputs.counts]
type = "files"
[outputs.total]
path = "total.json"
[parameters.broken]
type = "boolean"
summary = "Fail"
default = false
""",
    ),
}
STAGES = (
    stage_toml("counting", "./count", "counts", {"reads": "sample.reads"}),
    stage_toml("total", "./total", "total", {"counts": "counting.count"}, scope="cohort"),
)
SHARE = """
import json, sys
task = json.load(open(sys.argv[1]))
count, total = (json.load(open(task["inputs"][name])) for name in ("count", "total"))
json.dump([count[0], sum(sum(total, []))], open(task["outputs"]["share"], "w"))
"""
STEPS["share"] = (
    SHARE,
    """
[inputs.count]
type = "file"
[inputs.total]
type = "file"
[outputs.share]
path = "{sample}.share"
""",
)
SHARED = stage_toml("sharing", "./share", "shares", {"count": "counting.count", "total": "total.total"})
GOOD = "@r\nACGT\n+\nIIII\n"

Summary = dict[str, Any]


class Here:
    """A project with a pipeline of two stages, and a run of it."""

    def __init__(self, project: SmallProject, command: Command) -> None:
        self.folder, self.run = project.folder, project.run
        self._project, self._command = project, command
        for name, (program, declarations) in STEPS.items():
            project.step(name, program, declarations)

    def reads(self, **samples: str) -> None:
        for name, text in samples.items():
            (self.folder / f"{name}.fastq").write_text(text)

    def argv(self, settings: str, more: str, samples: Mapping[str, str], *options: str) -> list[str]:
        self._project.samples(samples)
        self._project.pipeline(*STAGES, more, settings=settings)
        return self._project.arguments(*options)

    def begin(self, settings: str, *options: str, code: int | None = None, more: str = "", **samples: str) -> None:
        ended = self._command(*self.argv(settings, more, samples, *options))
        assert ended.returncode == (lacks_samples(samples) if code is None else code), ended.stderr

    def rerun(self, *options: str, code: int | None = None) -> Summary:
        ended = self._command("rerun", self.run, "--json", *options)
        summary: Summary = json.loads(ended.stdout)
        assert ended.returncode == (not summary.get("complete", True) if code is None else code), ended.stderr
        return summary

    def says(self, *arguments: str | Path) -> tuple[int, str, str]:
        ended = self._command(*arguments)
        return ended.returncode, ended.stdout, ended.stderr

    def status(self) -> Summary:
        run_status: Summary = json.loads(self._command("status", self.run, "--json").stdout)
        return run_status

    def total(self) -> Any:
        return json.loads((self.run / "results/total/total.json").read_text())

    def manifest(self, number: int) -> list[str]:
        lines = (self.run / f"reruns/{number}/manifest.jsonl").read_text().splitlines()
        return [json.loads(line)["sample"] for line in lines]


def lacks_samples(reads: Mapping[str, str]) -> bool:
    return not all(text.startswith(GOOD) for text in reads.values())


@pytest.fixture
def here(project: SmallProject, command: Command) -> Here:
    return Here(project, command)


def states(summary: Mapping[str, Any]) -> dict[str, str]:
    return {row["sample"]: row["state"] for row in summary["samples"]}


ALL = "tolerated_failure_percentage = 100"


def test_a_fixed_cohort_equals_an_undisturbed_one(
    cohort: Path, run: Callable[..., Summary], command: Command, tmp_path: Path
) -> None:
    reads = sorted((cohort / "fastq").glob("sample2*_R1*"))
    broken = tmp_path / reads[0].name
    broken.write_bytes(reads[0].read_bytes()[:-40])
    header, *rows = (cohort / "cohort.csv").read_text().splitlines()
    lines = [row.replace(f"fastq/{broken.name}", str(broken)).replace(",fastq/", f",{cohort}/fastq/") for row in rows]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("\n".join([header, *lines]) + "\n")
    before = run(tmp_path / "run", sheet=sheet)
    assert states(before)["sample2"] == "FAILED"
    broken.write_bytes(reads[0].read_bytes())
    ended = command("rerun", tmp_path / "run", "--json")
    assert ended.returncode == 0, ended.stderr
    after = json.loads(ended.stdout)
    assert after["rerun"]["first"] == ["sample2"]
    assert states(after) == dict.fromkeys(("sample1", "sample2", "sample3", "sample4"), "SUCCEEDED")
    assert [row["sample"] for row in after["samples"] if not row["reused"]] == ["sample2"]
    assert after["steps"] == {"run": 4, "reused": 0}  # two of the sample, one interval, the cohort
    whole = run(tmp_path / "whole")
    joint = "results/variant_calling/joint/joint_germline.vcf.gz"
    assert (tmp_path / "run" / joint).read_bytes() == (tmp_path / "whole" / joint).read_bytes()
    assert whole["steps"]["run"] == before["steps"]["run"] + 2


def test_a_chain_of_two_reruns_and_nothing_more(here: Here, tmp_path: Path) -> None:
    here.begin(ALL, a=GOOD, b="bad", c="worse", d=2 * GOOD)
    assert here.total() == [[1], [2]]
    here.reads(b=3 * GOOD)
    first = here.rerun()
    assert (states(first)["b"], states(first)["c"]) == ("SUCCEEDED", "FAILED")
    assert (here.manifest(1), here.total()) == (["b", "c"], [[1], [3], [2]])  # in the manifest's order
    assert first["steps"] == {"run": 2, "reused": 0}
    status = here.status()
    assert (status["execution"], status["executions"]) == ("run-2", 2)
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [4, 3, 1]
    assert [(one["item"], one["class"]) for one in status["failures"]["items"]] == [("c", "tool_error")]
    assert "==> counting c  " in here.says("logs", here.run, "--failed")[1]
    here.reads(c=4 * GOOD)
    second = here.rerun()
    assert set(states(second).values()) == {"SUCCEEDED"}
    assert (here.manifest(2), here.total()) == (["c"], [[1], [3], [4], [2]])
    rerun_input = json.loads((here.run / "reruns/2/input.json").read_text())
    assert len(rerun_input["earlier"]["Sample"]) == 2
    shown = here.says("status", here.run)[1].splitlines()
    assert shown[0].endswith("  execution run-3, the newest of 3")
    assert shown[1].rstrip() == "Sample  4 of 4 done"
    assert here.says("rerun", here.run) == (0, f"{here.run}: nothing to rerun: every sample succeeded\n", "")
    rows = [json.loads(line) for line in here.says("runs", tmp_path, "--json")[1].splitlines()]
    assert [(row["run"], row["status"], row["samples"]) for row in rows] == [(str(here.run), "SUCCEEDED", 4)]


def test_what_no_rerun_ran_is_still_listed(here: Here) -> None:
    here.begin(ALL, a=GOOD, b="bad", c="worse")
    here.reads(b=GOOD, c=GOOD)
    assert here.rerun("--class", "tool_error")["rerun"]["by_class"] == {"tool_error": 1}
    assert here.manifest(1) == ["c"]
    assert [one["item"] for one in here.status()["failures"]["items"]] == ["b"]
    rows = map(json.loads, here.says("results", here.run, "--json")[1].splitlines())
    assert {one["item"]: one["state"] for one in rows} == {
        "a": "SUCCEEDED",
        "b": "FAILED",
        "c": "SUCCEEDED",
        "cohort": "SUCCEEDED",
    }
    code, out, _ = here.says("rerun", here.run, "--sample", "c")
    assert (code, out) == (
        1,
        f"{here.run}: nothing to rerun: not selected: 1 sample that failed or never started\n",
    )
    assert here.rerun("--sample", "b")["rerun"]["first"] == ["b"]
    assert here.total() == [[1], [1], [1]]
    code, _, stderr = here.says("rerun", here.run, "--sample", "bb")
    assert (code, stderr) == (2, "error: --sample bb: no such sample in this run; did you mean 'b'?\n")


def test_a_dry_run_writes_nothing(here: Here) -> None:
    here.begin(ALL, a=GOOD, b="bad", c="worse")
    before = sorted(path for path in here.run.rglob("*") if path.name != "lock")
    assert here.says("rerun", here.run, "--dry-run")[:2] == (
        0,
        f"{here.run}: run-2 would run 2 samples, 1 bad input, 1 tool error: b, c; nothing was written or started\n",
    )
    outcome = here.rerun("--dry-run", "--class", "bad_input")
    assert outcome == {
        "run": str(here.run),
        "status": "CHECKED",
        "execution": "run-2",
        "samples": 1,
        "by_class": {"bad_input": 1},
        "first": ["b"],
        "left_out": 1,
    }
    assert sorted(path for path in here.run.rglob("*") if path.name != "lock") == before


def test_memory_and_parameters_are_the_reruns_own(here: Here) -> None:
    here.begin(ALL, a=GOOD, b="bad", c="bad")
    here.reads(b=GOOD)
    here.rerun("--memory", "200", "--memory", "total=300", "--param", "counting.weight=7")
    assert here.total() == [[1], [7]]
    record = json.loads((here.run / "steps/counting/b/step.json").read_text())
    assert (record["memory_mib"], record["parameters"]) == (200, {"weight": 7})
    assert json.loads((here.run / "steps/total/cohort/step.json").read_text())["memory_mib"] == 300
    here.reads(c=GOOD)
    here.rerun()
    assert here.total() == [[1], [7], [1]]
    assert json.loads((here.run / "steps/counting/c/step.json").read_text())["memory_mib"] == 100
    code, _, stderr = here.says("rerun", here.run, "--param", "counting.wight=7", "--param", "x")
    assert (code, stderr) == (
        2,
        "error: --param counting.wight=7: unknown parameter 'wight' of counting; did you mean 'weight'?\n"
        "error: --param x: expected STAGE.NAME=VALUE, such as variant_calling.ploidy=1\n",
    )


def test_of_a_failed_batch_only_what_is_not_done(here: Here) -> None:
    here.begin(f"{ALL}\nitems_per_batch = 3", a=GOOD, b="bad", c=GOOD, d=GOOD)
    assert here.rerun("--dry-run")["first"] == ["b"]
    here.reads(b=2 * GOOD)
    after = here.rerun()
    assert (here.manifest(1), after["steps"], here.total()) == (["b"], {"run": 2, "reused": 0}, [[1], [2], [1], [1]])
    assert set(states(after).values()) == {"SUCCEEDED"}
    status = here.status()
    assert [status["map_runs"][0][name] for name in ("total", "succeeded", "failed")] == [4, 4, 0]


def test_beyond_tolerance_what_never_began_runs_too(here: Here) -> None:
    here.begin("max_concurrency = 1\ntolerated_failure_count = 0", a=GOOD, b="bad", c=GOOD, d=GOOD, code=1)
    assert here.rerun("--dry-run")["by_class"] == {"pending": 2, "bad_input": 1}
    here.reads(b=GOOD)
    assert set(states(here.rerun()).values()) == {"SUCCEEDED"}
    assert here.total() == [[1]] * 4


def test_the_tolerance_is_of_all_samples(here: Here) -> None:
    here.begin("tolerated_failure_percentage = 70", a=GOOD, b="bad", c="bad")
    here.rerun("--sample", "b")  # fails again, as before
    rerun_input = json.loads((here.run / "reruns/1/input.json").read_text())
    assert rerun_input["tolerated"] == {"percentage": 100, "count": 1}
    assert here.status()["failures"]["by_class"] == {"bad_input": 2}


def test_a_rerun_may_tolerate_more(here: Here) -> None:
    here.begin("tolerated_failure_count = 0", "--tolerate", "0", code=1, a=GOOD, b="bad", c=GOOD)
    assert here.rerun(code=1)["status"] == "FAILED"
    assert here.says("status", here.run)[0] == 1
    assert here.rerun("--tolerate", "1", code=0)["missing"]["accepted"]
    assert here.says("status", here.run)[0] == 0
    assert here.rerun("--tolerate", "1", code=0)["status"] == "SUCCEEDED"
    assert here.rerun(code=1)["status"] == "FAILED"  # which accepts and tolerates no more than the run
    assert here.total() == [[1], [1]]
    code, _, stderr = here.says("rerun", here.run, "--tolerate", "some")
    assert (code, stderr) == (
        2,
        (
            "error: --tolerate: expected a share of the samples such as 5%, or a number such as 20, "
            "or intervals such as 20,intervals=3, found 'some'\n"
        ),
    )


def test_where_only_the_cohort_failed_no_sample_runs(here: Here) -> None:
    here.begin(ALL, "--param", "total.broken=true", a=GOOD, b=GOOD, code=1)
    assert here.says("rerun", here.run, "--dry-run")[:2] == (
        0,
        f"{here.run}: run-2 would run only the stages after the samples; nothing was written or started\n",
    )
    after = here.rerun("--param", "total.broken=false")
    assert (after["status"], after["steps"], here.total()) == ("SUCCEEDED", {"run": 1, "reused": 0}, [[1], [1]])
    assert set(states(after).values()) == {"SUCCEEDED"}


def test_samples_that_depend_on_all_are_all_looked_at_again(here: Here) -> None:
    here.begin(ALL, more=SHARED, a=GOOD, b="bad")
    here.reads(b=2 * GOOD)
    code, _, stderr = here.says("rerun", here.run, "--sample", "b")
    expected = (
        "--class and --sample: expected a pipeline with one map over samples; a later map reads the results of "
        "all samples, so that a rerun takes all of them"
    )
    assert (code, stderr) == (2, f"error: {expected}\n")
    after = here.rerun()
    assert after["steps"] == {"run": 4, "reused": 1}  # b is counted, the total, both shares
    shares = [json.loads((here.run / f"results/shares/{name}.share").read_text()) for name in "ab"]
    assert shares == [[1, 3], [2, 3]]
    rerun_input = json.loads((here.run / "reruns/1/input.json").read_text())
    assert (rerun_input["manifest"], rerun_input["earlier"]) == ("manifest.jsonl", {})
    assert [one["succeeded"] for one in here.status()["map_runs"]] == [2, 2]
    assert here.says("rerun", here.run)[1] == f"{here.run}: nothing to rerun: every sample succeeded\n"


def test_run_again_begins_a_new_chain(here: Here) -> None:
    here.begin(ALL, a=GOOD, b="bad")
    here.rerun()
    here.begin(ALL, a=GOOD, b="worse")
    status = here.status()
    assert (status["execution"], status["executions"]) == ("run-3", 1)
    assert status["failures"]["by_class"] == {"tool_error": 1}
    here.reads(b=GOOD)
    assert here.rerun()["rerun"]["execution"] == "run-4"
    rerun_input = json.loads((here.run / "reruns/3/input.json").read_text())
    assert len(rerun_input["earlier"]["Sample"]) == 1
    assert here.status()["executions"] == 2


def test_while_the_run_is_held_no_rerun_begins(here: Here) -> None:
    here.begin("", "--tolerate", "60%", code=0, a=GOOD, b="bad")
    record = json.loads((here.run / "run.json").read_text())
    (here.run / "run.json").write_text(json.dumps({**record, "status": "RUNNING"}))
    advice = f"wait for it, or end it: genomics-pipeline cancel {here.run}"
    with RunFolder(here.run).lock(print):
        holder = RunFolder(here.run).holder()
        code, _, stderr = here.says("rerun", here.run)
        dry = here.says("rerun", here.run, "--dry-run")
    assert (code, stderr) == (1, f"error: {here.run}: {holder} is running in this folder; {advice}\n")
    assert (dry[0], dry[2]) == (1, f"error: {here.run}: execution run-1 is running; {advice}\n")

    for option in (["--dry-run"], ["--sample", "b"]):  # its process is gone
        code, _, stderr = here.says("rerun", here.run, *option)
        advice = f"finish it first: genomics-pipeline rerun {here.run}"
        assert (code, stderr) == (1, f"error: {here.run}: execution run-1 was interrupted; {advice}\n")
    code, _, stderr = here.says("rerun", here.run)
    assert stderr.splitlines()[0] == "execution run-1 was interrupted: it is finished as by the command of the run"
    assert code == 0
    assert (here.run / "run.json").read_text() != json.dumps({**record, "status": "RUNNING"})


def test_an_interrupted_rerun_goes_on(here: Here) -> None:
    here.begin(ALL, a=GOOD, b="bad", c="bad")
    here.reads(b=GOOD, c="slow")
    argv = [sys.executable, "-m", "genomics_pipeline", "rerun", str(here.run)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("counting b: done"):
                process.send_signal(signal.SIGINT)
                break
        stderr = process.stderr.read()
    assert process.returncode == 130
    assert f"interrupted; `genomics-pipeline rerun` continues the run: {here.run}\n" in stderr
    assert f"continue it: genomics-pipeline rerun {here.run}\n" in here.says("status", here.run)[1]
    code, _, stderr = here.says("rerun", here.run, "--sample", "c")
    expected = f"the rerun run-2 was interrupted; finish it first: genomics-pipeline rerun {here.run}"
    assert (code, stderr) == (1, f"error: {here.run}: {expected}\n")
    here.reads(c=2 * GOOD)
    after = here.rerun()
    assert after["rerun"]["execution"] == "run-2"
    assert set(states(after).values()) == {"SUCCEEDED"}
    assert here.total() == [[1], [1], [2]]
