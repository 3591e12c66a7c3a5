"""The items that are missing from a run in a folder: last lines, ledger, and tolerated failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.conftest import Command, Ended
from tests.small_project import SmallProject, stage_toml

# The name of a read says what happens: in the first stage, or in the second.
FIRST = """
import json, sys
task = json.load(open(sys.argv[1]))
read = open(task["inputs"]["reads"][0]["fastq_1"]).readline().strip()
if read == "@torn":
    sys.exit(print("error: R1 is\\ttorn\\nerror: and short", file=sys.stderr) or 65)
if read == "@hostile":
    print("log: \\x1b]0;PWNED\\x07\\r\\u202e", file=sys.stderr)
    print("error: =HYPERLINK(1)\\x1b]0;PWNED\\x07 https://a:s3cret@host/\\nb: done\\x9b", file=sys.stderr)
    sys.exit(65)
if read == "@hungry":
    sys.exit(137)
open(task["outputs"]["name"], "w").write(read)
"""
SECOND = """
import json, sys
task = json.load(open(sys.argv[1]))
if open(task["inputs"]["name"]).read() == "@late":
    sys.exit(print("broken", file=sys.stderr) or 3)
open(task["outputs"]["name"], "w").write("done")
"""
STEPS = {
    "first": (
        FIRST,
        '[inputs.reads]\ntype = "reads"\n[outputs.name]\npath = "{sample}.txt"\n[resources]\nmemory_mib = [100, 200]\n',
    ),
    "second": (SECOND, '[inputs.name]\ntype = "file"\n[outputs.name]\npath = "{sample}.done"\n'),
}
STAGES = (
    stage_toml("one", "./first", "one", {"reads": "sample.reads"}),
    stage_toml("two", "./second", "two", {"name": "one.name"}),
)
HEADER = "sample\tstage\tclass\tattempts\tmemory_mib\tmessage\tlog\trerun"


@pytest.fixture
def run_named(project: SmallProject, command: Command) -> Callable[..., Ended]:
    """Return `run_named(reads, *options, settings=…)`, which runs a sample for each name of a read."""

    def call(reads: dict[str, str], *options: str, settings: str = "tolerated_failure_percentage = 100") -> Ended:
        for name, (program, declarations) in STEPS.items():
            project.step(name, program, declarations)
        project.pipeline(*STAGES, settings=f"max_concurrency = 1\n{settings}")
        project.samples({sample: f"@{read}\nACGT\n+\nFFFF\n" for sample, read in reads.items()})
        return command(*project.arguments(*options))

    return call


def ledger(command: Command, run: Path, *options: str) -> list[dict[str, Any]]:
    ended = command("results", run, "--failed", "--json", *options)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_run_that_lacks_what_is_accepted_ends_well_and_says_what_is_missing(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    ended = run_named({"a": "good", "b": "torn", "c": "hungry", "d": "good"}, "--tolerate", "50%")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-4:] == [
        "The cohort is incomplete, it has 2 of 4 samples: accepted by --tolerate",
        "Missing: 2 of 4 samples (1 bad input, 1 out of memory): b, c",
        f"list them: genomics-pipeline results {run} --failed",
        f"run them again (what is done is kept): genomics-pipeline rerun {run}",
    ]
    limit, accepted = {"percentage": 100, "count": 100000000}, {"percentage": 50, "count": 100000000}
    assert json.loads((run / "input.json").read_text())["tolerated"] == limit
    record = json.loads((run / "run.json").read_text())
    assert (record["tolerated"], record["accepted"]) == (limit, accepted)
    assert (record["summary"]["complete"], record["summary"]["missing"]["accepted"]) == (False, True)
    killed = "killed as out of memory (exit code 137; it had 200 MiB)"
    again = f"genomics-pipeline rerun {run} --sample"
    expected = [
        HEADER,
        f"b\tone\tbad_input\t1\t100\tR1 is\\ttorn\\nand short\t{run}/steps/one/b/log.txt\t{again} b",
        f"c\tone\tout_of_memory\t2\t100, 200\t{killed}\t{run}/steps/one/c/log.txt\t{again} c",
    ]
    assert (run / "failures.tsv").read_text().splitlines() == expected
    assert command("results", run, "--failed", "--tsv").stdout.splitlines() == expected
    assert command("results", run, "--failed", "--sample", "c").stdout.splitlines() == [
        "c  one  out of memory  2 attempts, 100, then 200 MiB requested",
        f"  {killed}",
        f"  log: {run}/steps/one/c/log.txt",
        f"  rerun: {again} c",
    ]
    (row,) = ledger(command, run, "--sample", "b")
    assert row.pop("job_id")
    assert row == {
        "sample": "b",
        "scope": "sample",
        "stage": "one",
        "class": "bad_input",
        "attempts": 1,
        "memory_mib": [100],
        "message": "R1 is\ttorn\nand short",
        "log": f"{run}/steps/one/b/log.txt",
        "rerun": f"{again} b",
        "exit_code": 65,
    }


ONE = "tolerated_failure_count = 1"


def test_beyond_the_limit_of_its_map_run_a_run_fails_keeps_what_is_done_and_says_what_is_missing(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    ended = run_named({"a": "good", "b": "torn", "c": "torn", "d": "good"}, "--tolerate", "1", "--json", settings=ONE)
    assert ended.returncode == 1
    summary = json.loads(ended.stdout)
    assert [(one["sample"], one["state"]) for one in summary["samples"]] == [
        ("a", "SUCCEEDED"),
        ("b", "FAILED"),
        ("c", "FAILED"),
        ("d", "PENDING"),
    ]
    missing = {
        "samples": 3,
        "of_samples": 4,
        "intervals": 0,
        "cohort": False,
        "by_class": {"bad_input": 2, "pending": 1},
        "first": ["b", "c", "d"],
        "accepted": False,
    }
    assert summary["missing"] == missing
    assert json.loads(command("status", run, "--json").stdout)["missing"] == missing
    last = ledger(command, run)[-1]
    assert (last["sample"], last["stage"], last["class"], last["attempts"], last["log"], last["message"]) == (
        "d",
        None,
        "pending",
        0,
        None,
        "never started: the Map Run ended first",
    )
    assert (run / "results/two/a.done").read_text() == "done"
    shown = command("status", run).stdout
    assert "Missing: 3 of 4 samples (2 bad input, 1 pending): b, c, d\n" in shown
    stopped = "stopped: 2 of 4 samples failed; at most 1 may (--max-failures, or [maps.sample] of the pipeline); "
    assert summary["error"] == f"{stopped}correct them, or let more fail, and rerun"
    assert summary["error"] in shown


@pytest.mark.parametrize(
    ("option", "tolerated", "status", "code"),
    [
        ((), 1, "SUCCEEDED", 1),  # the limit of the Map Run accepts nothing
        (("--tolerate", "0"), 1, "SUCCEEDED", 1),  # nor is it lowered
        (("--tolerate", "1"), 1, "SUCCEEDED", 0),
        (("--tolerate", "33%"), 1, "SUCCEEDED", 1),  # less than one of three
        (("--tolerate", "34%"), 1, "SUCCEEDED", 0),
        ((), 0, "FAILED", 1),
        (("--tolerate", "1"), 0, "SUCCEEDED", 0),  # it may be raised
        (("--tolerate", "100%"), 0, "SUCCEEDED", 0),
        (("--max-failures", "0"), 1, "FAILED", 1),  # in place of the pipeline's
        (("--max-failures", "33.4%"), 0, "SUCCEEDED", 1),
        (("--max-failures", "0", "--tolerate", "1"), 1, "SUCCEEDED", 0),
    ],
)
def test_the_exit_code_is_0_only_if_all_is_there_or_accepted(
    run_named: Callable[..., Ended],
    command: Command,
    tmp_path: Path,
    option: tuple[str, ...],
    tolerated: int,
    status: str,
    code: int,
) -> None:
    settings = f"tolerated_failure_count = {tolerated}"
    ended = run_named({"a": "good", "b": "torn", "c": "good"}, "--json", *option, settings=settings)
    summary = json.loads(ended.stdout)
    assert (summary["status"], summary["complete"], ended.returncode) == (status, False, code)
    assert command("status", tmp_path / "run").returncode == code
    assert command("status", tmp_path / "run", "--watch", "--json").returncode == code
    if status == "SUCCEEDED":
        last = [line for line in command("status", tmp_path / "run").stdout.splitlines() if "incomplete" in line]
        end = "accepted by --tolerate" if code == 0 else "exit code 1; --tolerate 1 would accept that"
        assert last == [f"The cohort is incomplete, it has 2 of 3 samples: {end}"]


def test_a_run_that_has_everything_has_an_empty_ledger(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    ended = run_named({"a": "good"}, "--tolerate", "0")
    assert ended.returncode == 0, ended.stderr
    assert "Missing" not in ended.stdout
    assert (tmp_path / "run/failures.tsv").read_text() == HEADER + "\n"
    assert ledger(command, tmp_path / "run") == []


def test_of_a_batch_that_failed_each_item_has_its_own_end(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    reads = {"a": "good", "b": "torn", "c": "late", "d": "good"}
    ended = run_named(reads, "--json", settings="tolerated_failure_percentage = 100\nitems_per_batch = 2")
    assert ended.returncode == 1, ended.stderr
    states = {one["sample"]: one["state"] for one in json.loads(ended.stdout)["samples"]}
    assert states == {"a": "PENDING", "b": "FAILED", "c": "FAILED", "d": "SUCCEEDED"}
    rows = [(one["sample"], one["stage"], one["class"], one["message"]) for one in ledger(command, tmp_path / "run")]
    assert rows == [
        ("a", "two", "pending", "did not go on: others of its batch failed in one"),
        ("b", "one", "bad_input", "R1 is\ttorn\nand short"),
        ("c", "two", "tool_error", "broken"),
    ]
    failures = json.loads(command("status", tmp_path / "run", "--json").stdout)["failures"]["items"]
    assert [one["item"] for one in failures] == ["b", "c"]


def test_what_an_interrupted_run_had_not_finished_is_pending(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert run_named({"a": "good", "b": "torn", "c": "good"}).returncode == 1
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "status": "RUNNING", "summary": {}}))
    (run / "steps/two/c/step.json").unlink()
    journal = run / ".engine/run-1/execution.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if '{"run":' in line)
    journal.write_text("".join(lines[:end]))
    rows = [(one["sample"], one["class"], one["message"]) for one in ledger(command, run)]
    assert rows == [
        ("b", "bad_input", "R1 is\ttorn\nand short"),
        ("c", "pending", "not finished: the run ended before it"),
    ]


REFUSED = {
    ("--failed", "--download", "x"): "expected one of --failed and --download, found both",
    ("--tsv",): "--tsv: expected --failed without --json",
    ("--failed", "--tsv", "--json"): "--tsv: expected --failed without --json",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_does_not_go_together(options: tuple[str, ...], command: Command, tmp_path: Path) -> None:
    ended = command("results", tmp_path, *options)
    assert (ended.returncode, ended.stderr) == (2, f"error: {REFUSED[options]}\n")


def test_what_is_no_tolerance_is_refused(run_named: Callable[..., Ended], tmp_path: Path) -> None:
    ended = run_named({"a": "good"}, "--tolerate", "some")
    message = (
        "error: --tolerate: expected a share of the samples such as 5%, or a number such as 20, "
        "or intervals such as 20,intervals=3, found 'some'\n"
    )
    assert (ended.returncode, ended.stderr) == (2, message)
    assert not (tmp_path / "run").exists()


def test_after_a_rerun_each_sample_is_listed_as_the_newest_execution_left_it(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert run_named({"a": "good", "b": "torn", "c": "late", "d": "torn"}).returncode == 1
    (tmp_path / "b.fastq").write_text("@good\nACGT\n+\nFFFF\n")
    again = command("rerun", run, "--sample", "b", "--sample", "d")
    assert again.returncode == 1, again.stderr
    assert again.stdout.splitlines()[-3] == "Missing: 2 of 4 samples (1 tool error, 1 bad input): c, d"
    rows = [(one["sample"], one["stage"], one["class"]) for one in ledger(command, run)]
    assert rows == [("c", "two", "tool_error"), ("d", "one", "bad_input")]
    table = (run / "failures.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in table] == ["sample", "c", "d"]


def test_text_of_a_step_changes_no_terminal_and_no_spreadsheet(
    run_named: Callable[..., Ended], command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    printed = [run_named({"a": "good", "b": "hostile"})]
    printed += [
        command(*arguments)
        for arguments in (
            ("status", run),
            ("status", run, "--json"),
            ("results", run),
            ("results", run, "--json"),
            ("results", run, "--failed"),
            ("results", run, "--failed", "--json"),
            ("results", run, "--failed", "--tsv"),
            ("logs", run, "--failed"),
            ("explain", run),
            ("explain", run, "--json"),
        )
    ]
    for ended in printed:
        text = ended.stdout + ended.stderr
        assert [part for part in ("\x1b", "\x07", "\x9b", "\u202e", "\r", "s3cret") if part in text] == []
        # The log is shown as it is, a line for each of its lines.
        assert text.startswith("==> ") or not any(line.startswith("b: done") for line in text.splitlines())
    table = (run / "failures.tsv").read_text()
    assert [row.split("\t")[5][:12] for row in table.splitlines()[1:]] == ["'=HYPERLINK("]
    assert "s3cret" not in table
