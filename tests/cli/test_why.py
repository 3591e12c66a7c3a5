"""`why`: what made the stages of an item run, what failed, and what a run would do now; in a folder and on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import Ended
from tests.runs.test_follow_on_aws import BUCKET, RUN, ended_run, started_run
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["ended_run", "started_run"]

Cli = Callable[..., Ended]
JOIN = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["joint"], "w").write("".join(open(path).read() for path in task["inputs"]["copies"]))
"""
JOIN_DECLARATIONS = '[inputs.copies]\ntype = "files"\n[outputs.joint]\npath = "joint.txt"\n'
TORN = "if 'torn' in text: raise SystemExit('it is torn')"


@pytest.fixture
def small(project: SmallProject) -> SmallProject:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.step("join", JOIN, JOIN_DECLARATIONS)
    project.pipeline(
        stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}),
        stage_toml("joining", "./join", "joint", {"copies": "copying.copy"}, "cohort"),
    )
    project.samples({"A": "@a\nACGT\n+\nIIII\n", "B": "@b\nACGT\n+\nIIII\n"})
    return project


@pytest.fixture
def why(small: SmallProject, cli: Cli) -> Callable[..., dict[str, Any]]:
    """Return `why(item)`, the history of the only stage of an item."""

    def call(item: str) -> dict[str, Any]:
        ended = cli("why", small.run, item, "--json")
        assert ended.code == 0, ended.err
        (history,) = map(json.loads, ended.out.splitlines())
        known: dict[str, Any] = history
        return known

    return call


def words(reasons: list[dict[str, str]]) -> list[str]:
    return [one["words"] for one in reasons]


def test_the_reason_and_the_record_that_a_stage_was_compared_with(
    small: SmallProject, cli: Cli, why: Callable[..., dict[str, Any]]
) -> None:
    assert cli(*small.arguments()).code == 0
    first = why("A")
    assert (first["state"], words(first["because"]), first["compared_with"]) == (
        "SUCCEEDED",
        ["it is not done yet"],
        None,
    )
    assert first["now"]["verdict"] == "reused"

    assert cli(*small.arguments("--param", "copying.ending=tsv")).code == 0
    second = why("A")
    assert words(second["because"]) == ["parameter `ending` changed from txt to tsv"]
    assert second["compared_with"] == first["started"] != second["started"]
    assert second["now"]["verdict"] == "reused"  # with the parameters of the run
    shown = cli("why", small.run, "A", "copying").out.splitlines()
    assert shown == [
        "copying of A: SUCCEEDED",
        shown[1],
        "because    parameter `ending` changed from txt to tsv",
        f"against    the record of {first['started']}",
        f"log        {small.run}/steps/copying/A/log.txt",
        "now        is reused",
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda small: (small.folder / "A.fastq").write_text("@other\nA\n+\nI\n"), "input `reads` changed: {}/A.fastq"),
        (lambda small: (small.folder / "copy/copy.py").write_text(f"{COPY}#"), "the program of the step changed"),
        (
            lambda small: (small.run / "results/copies/A.txt").unlink(),
            "an output is missing or damaged: results/copies/A.txt: expected a file of 15 bytes, found none",
        ),
        (lambda small: (small.run / "steps/copying/A/step.json").unlink(), "it is not done yet"),
    ],
)
def test_what_would_make_a_stage_run_now_is_what_the_run_then_does(
    small: SmallProject,
    cli: Cli,
    why: Callable[..., dict[str, Any]],
    change: Callable[[SmallProject], object],
    reason: str,
) -> None:
    assert cli(*small.arguments()).code == 0
    change(small)
    before = sorted(small.run.rglob("*"))
    now = why("A")["now"]
    assert (now["verdict"], words(now["reasons"])) == ("runs", [reason.format(small.folder)])
    assert sorted(small.run.rglob("*")) == before
    assert cli(*small.arguments()).code == 0
    assert words(why("A")["because"]) == [reason.format(small.folder)]


def test_a_stage_of_the_cohort_depends_on_what_is_made_anew(
    small: SmallProject, cli: Cli, why: Callable[..., dict[str, Any]]
) -> None:
    assert cli(*small.arguments()).code == 0
    assert why("cohort")["now"]["verdict"] == "reused"
    (small.run / "steps/copying/A/step.json").unlink()
    now = why("cohort")["now"]
    assert (now["verdict"], now["depends_on"]) == ("depends", ["copying"])


def test_a_failure_has_its_class_log_and_advice(
    small: SmallProject, cli: Cli, why: Callable[..., dict[str, Any]]
) -> None:
    (small.folder / "B.fastq").write_text("@torn\nACGT\n+\nIIII\n")
    assert cli(*small.arguments("--param", f"copying.program={TORN}")).code == 1
    failed = why("B")
    assert (failed["state"], failed["failure"]["class"]) == ("FAILED", "tool_error")
    assert failed["failure"]["message"].endswith("it is torn")
    shown = cli("why", small.run, "B").out
    assert "to do      read its log" in shown
    assert Path(failed["log"]).read_text().endswith("it is torn\n")
    assert "now        runs: it is not done yet: attempt 1 failed (tool error)" in shown
    assert "because    it was not done yet" in shown
    assert why("A")["state"] == "SUCCEEDED"


def test_an_attempt_knows_of_the_failed_ones_before_it(
    small: SmallProject, cli: Cli, why: Callable[..., dict[str, Any]]
) -> None:
    (small.folder / "B.fastq").write_text("@torn\nACGT\n+\nIIII\n")
    assert cli(*small.arguments("--param", f"copying.program={TORN}")).code == 1
    assert words(why("B")["because"]) == ["it is not done yet"]
    record = json.loads((small.run / "steps/copying/B/failure.json").read_bytes())
    assert (record["number"], record["version"], [one["kind"] for one in record["because"]]) == (1, "1", ["record"])
    assert cli("rerun", small.run).code == 1
    again = why("B")
    assert words(again["because"]) == ["it is not done yet: attempt 1 failed (tool error)"]
    assert words(again["now"]["reasons"]) == ["it is not done yet: attempt 2 failed (tool error)"]
    (small.folder / "B.fastq").write_text("@whole\nACGT\n+\nIIII\n")
    assert cli("rerun", small.run).code == 0
    assert "because    it was not done yet: attempt 2 failed (tool error)" in cli("why", small.run, "B").out


def test_a_pipeline_that_is_gone_leaves_the_past_known(
    small: SmallProject, cli: Cli, why: Callable[..., dict[str, Any]]
) -> None:
    assert cli(*small.arguments()).code == 0
    (small.folder / "pipeline.toml").unlink()
    history = why("A")
    assert words(history["because"]) == ["it is not done yet"]
    assert history["now"] is None
    assert history["unknown"].startswith(f"no pipeline '{small.folder}/pipeline.toml', neither shipped nor a file")


def test_bad_arguments(small: SmallProject, cli: Cli) -> None:
    assert cli(*small.arguments()).code == 0
    for arguments, code, message in (
        ((small.run, "a"), 1, "error: a: no such sample in this run; known: A, B, cohort"),
        ((small.run, "A", "copyin"), 2, "error: copyin: no such stage of A; did you mean 'copying'?"),
        ((small.run, "A", "joining"), 2, "error: joining: no such stage of A; known: copying"),
        ((small.folder / "copy", "A"), 1, f"error: {small.folder}/copy: expected a run's folder, found another folder"),
    ):
        ended = cli("why", *arguments)
        assert (ended.code, ended.out, ended.err.strip()) == (code, "", message)


def test_a_run_on_aws(ended_run: FakeAws, cli: Cli) -> None:
    failed, never = map(json.loads, cli("why", RUN, "bad", "--json").out.splitlines())
    assert (failed["stage"], failed["state"], failed["failure"]["class"]) == ("alignment", "FAILED", "bad_input")
    assert failed["failure"]["message"].startswith("bad_R1.fq: record 3")
    assert failed["log"] == f"s3://{BUCKET}/runs/{RUN}/steps/alignment/bad/log.txt"
    assert (never["stage"], never["state"], words(never["now"]["reasons"])) == (
        "variant_calling",
        "PENDING",
        ["it is not done yet"],
    )
    done = json.loads(cli("why", f"s3://{BUCKET}/runs/{RUN}", "a", "alignment", "--json").out)
    assert done["state"] == "SUCCEEDED"
    assert "the reference is not compared: a run on AWS has one, by its name" in done["now"]["notes"]
