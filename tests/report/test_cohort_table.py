from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline import report
from genomics_pipeline.model.metric_spec import MetricSpec, verdicts
from genomics_pipeline.report.cohort_table import render_outcomes, render_table
from genomics_pipeline.report.concordance import Agreement, Concordance
from genomics_pipeline.report.run_summary import CohortOutcome, Outcomes, RunSummary, SampleOutcome
from genomics_pipeline.runs.catalog import load_step, step_names

METRICS = {
    "sample": {
        "map": {
            "reads": MetricSpec("reads", "Reads"),
            "mapped_fraction": MetricSpec("mapped_fraction", "Mapped", format=".2%", good_min=0.95, bad_below=0.8),
            "depth": MetricSpec("depth", "Depth", unit="x", format=".1f", good_min=20, bad_below=10),
            "insert_size": MetricSpec("insert_size", "Insert", table=False),
        },
        "typing": {"reads": MetricSpec("reads", "Reads"), "lineage": MetricSpec("lineage", "Lineage")},
    },
    "cohort": {
        "tree": {"tips": MetricSpec("tips", "Tips"), "support": MetricSpec("support", "Support", bad_below=0.5)}
    },
}
MAPPED = {"reads": 20800, "mapped_fraction": 0.99987, "depth": 29.97, "insert_size": 300, "undeclared": 1}
LONG = "/runs/" + "long-" * 40 + "name"


def outcome(sample: str, state: str = "SUCCEEDED", **more: Any) -> SampleOutcome:
    members: dict[str, Any] = {"reused": False, "metrics": {}, "files": {}, "seconds": 0.0} | more
    return SampleOutcome(sample, state, **members)


def summary(*samples: SampleOutcome, **more: Any) -> RunSummary:
    members: dict[str, Any] = {"run": "/r", "status": "SUCCEEDED", "samples": samples, "cohort": CohortOutcome()}
    members |= {"ran": 1, "reused": 0, "missing": None, "seconds": 0.25, "metrics": METRICS}
    return RunSummary(**members | more)


def test_a_good_run(capsys: pytest.CaptureFixture[str]) -> None:
    cohort = CohortOutcome(
        files={"gather.vcf": f"{LONG}/joint.vcf.gz", "gather.metrics": "/m.json"},
        metrics={"tree": {"tips": 1120, "support": 0.4, "samples": {}}},
        verdicts={"tree": {"support": "bad"}},
        truth=Concordance(snp=Agreement(390, 389, 389), indel=Agreement(0, 0, 0)),
    )
    first = outcome("s1", seconds=3.21, metrics={"map": MAPPED, "typing": {"reads": 9, "lineage": "B.1"}})
    judged = {"map": {"mapped_fraction": "warn", "depth": "bad"}}
    low = {"map": MAPPED | {"mapped_fraction": 0.9, "depth": 8.24}}
    again = outcome("s2", reused=True, seconds=1.0, metrics=low, verdicts=judged)
    render_table(summary(first, again, cohort=cohort, run=LONG, ran=14, reused=2, seconds=12.345))
    assert (
        capsys.readouterr().out
        == f"""\
Sample      State   map: Reads       Mapped  Depth (x)  typing: Reads  Lineage  Seconds
s1          done        20,800       99.99%       30.0              9      B.1      3.2
s2          reused      20,800  90.00% warn    8.2 bad              –        –      1.0

Joint VCF
{LONG}/joint.vcf.gz
Tips 1,120  Support 0.4 bad

Agreement with truth
SNPs    sensitivity  99.74%  precision 100.00%  (389 of 390 found, 389 called)
Indels  sensitivity       –  precision       –  (0 of 0 found, 0 called)

Run folder
{LONG}

14 steps ran, 2 reused, 12.3 s
report: {LONG}/results/reports/report.html
"""
    )


def test_a_failed_run_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    failed = outcome("s2", "FAILED", error="alignment: R2 is short [bold]\nsecond line")
    render_table(summary(outcome("s1", "PENDING"), failed, status="FAILED", error="too many failed"))
    assert (
        capsys.readouterr().out
        == """\
Sample      State    map: Reads  Mapped  Depth (x)  typing: Reads  Lineage  Seconds
s1          pending           –       –          –              –        –      0.0
s2          FAILED            –       –          –              –        –      0.0

s2 failed: alignment: R2 is short [bold]
  second line

Run folder
/r

run failed: too many failed
1 step ran, 0 reused, 0.2 s
report: /r/results/reports/report.html
"""
    )


@pytest.mark.parametrize(
    ("width", "left_out"), [(40, ["Depth (x)", "typing: Reads", "Lineage", "Seconds"]), (12, None)]
)
def test_a_narrow_terminal_keeps_the_names_of_samples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, left_out: list[str] | None
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # to rich, a terminal
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    render_table(summary(outcome("NA12878", metrics={"map": MAPPED}), outcome("NA12879", "FAILED", error="bad")))
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in capsys.readouterr().out.splitlines()]
    assert ["".join(line.split()[:1]) for line in lines[:3]] == ["Sample", "NA12878", "NA12879"]
    assert all(len(line) <= width for line in lines[:3]) or left_out is None
    heads = left_out or ["map: Reads", "Mapped", "Depth (x)", "typing: Reads", "Lineage", "Seconds"]
    assert lines[3] == f"not shown, since the terminal is too narrow: {', '.join(heads)}"


def test_values_of_other_types_and_stages_without_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    cohort = CohortOutcome(files={"tree.newick": "/t.nwk", "tree.metrics": "/m"}, metrics={"tree": [1]})
    sample = outcome("s1", metrics={"map": {"depth": "n/a", "reads": True}, "typing": [2]})
    render_table(summary(sample, cohort=cohort))
    out = capsys.readouterr().out
    assert out.startswith("Sample      State  map: Reads  Depth (x)  typing: Reads  Lineage  Seconds\n")
    assert "s1          done         True        n/a              –        –      0.0\n" in out
    assert "\ntree.newick\n/t.nwk\nTips –  Support –\n\nRun folder\n" in out
    assert "/m" not in out


def test_a_step_may_judge_by_itself_and_say_why(capsys: pytest.CaptureFixture[str]) -> None:
    judged = {"value": 31.0, "verdict": "warn", "reason": "uneven [bold]"}
    sample = outcome("s1", metrics={"map": {"depth": judged}}, verdicts=verdicts_of({"depth": judged}))
    render_table(summary(sample))
    out = capsys.readouterr().out
    assert "s1          done   31.0 warn" in out
    assert "\n\ns1, Depth: warn: uneven [bold]\n" in out
    assert verdicts_of({"depth": {"value": 5.0, "verdict": "other"}}) == {"map": {"depth": "bad"}}


def verdicts_of(metrics: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {"map": verdicts(METRICS["sample"]["map"], metrics)}


def test_steps_that_declare_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    render_table(summary(outcome("s1", metrics={"map": MAPPED}), metrics={}))
    assert capsys.readouterr().out.startswith("Sample      State  Seconds\ns1          done       0.0\n")


def test_the_json_has_declarations_and_verdicts() -> None:
    sample = outcome("s1", metrics={"map": MAPPED}, verdicts={"map": {"depth": "good"}})
    answer = summary(sample, metrics={"sample": {"map": {"depth": METRICS["sample"]["map"]["depth"]}}}).to_json()
    words = {"title": "Depth", "unit": "x", "format": ".1f", "summary": "", "table": True}
    depth = {**words, "good": {"min": 20}, "bad": {"below": 10}}
    assert answer["metrics"] == {"sample": {"map": {"depth": depth}}}
    assert answer["samples"][0]["verdicts"] == {"map": {"depth": "good"}}


def test_nothing_in_the_report_names_a_metric_of_a_step() -> None:
    """Refuse the names of shipped metrics: tables are made from what steps declare."""
    names = {name for step in step_names() for name in load_step(step).spec.metrics} - {"reads"}  # a type of input, too
    assert len(names) >= 8
    for file in sorted(Path(report.__file__).parent.rglob("*.py")):
        assert not named_metrics(file.read_text(), names), file


@pytest.mark.parametrize(
    "line",
    [
        'x = metrics["sex"]',
        'x = metrics.get("alignment.mean_depth")',
        'x = f"{stage}.mean_depth"',
        "x = metrics.mean_depth",
        "x = Row(mean_depth=3)",
    ],
)
def test_a_named_metric_would_be_found(line: str) -> None:
    assert named_metrics(f'"""A mean_depth in words."""\n{line}\n', {"mean_depth", "sex"})


def named_metrics(source: str, names: set[str]) -> set[str]:
    """Return the metrics that code names: as a string, or, of several words, within one or as an identifier."""
    tree = ast.parse(source)
    spaced = {name for name in names if "_" in name}
    docstrings = {id(node.body[0].value) for node in ast.walk(tree) if has_docstring(node)}  # type: ignore[attr-defined]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found |= {node.value} & names | set(re.findall(r"\w+", node.value)) & spaced
        identifier = getattr(node, "attr", None) or getattr(node, "arg", None) or getattr(node, "id", None)
        found |= {str(identifier)} & spaced
    return found


def has_docstring(node: ast.AST) -> bool:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, kinds) and ast.get_docstring(node) is not None


def many(number: int) -> list[SampleOutcome]:
    """Return the outcomes of a cohort, of which every hundredth sample failed, is bad, warned of or pending."""
    made = []
    for index in range(number):
        kind = {7: "FAILED", 17: "PENDING"}.get(index % 100, "SUCCEEDED")
        judged = {27: {"map": {"depth": "warn"}}, 37: {"map": {"depth": "bad"}}}.get(index % 100, {})
        more = {"error": "R2 is short"} if kind == "FAILED" else {}
        metrics = {"map": MAPPED} if kind == "SUCCEEDED" else {}
        made.append(outcome(f"s{index}", kind, metrics=metrics, verdicts=judged, reused=index % 2 == 0, **more))
    return made


def test_a_large_cohort_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    render_table(summary(*many(10_000), run="/my run"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:21]] == [[f"s{100 * n + 7}", "FAILED"] for n in range(20)]
    assert lines[21] == "and 9,980 more samples: 5,000 reused, 4,800 done, 80 FAILED, 100 pending"
    assert lines[22] == "all of them: genomics-pipeline status '/my run' --table"
    assert len(lines) < 24 + 20 + 7  # the messages of the failures that are shown, and the end of the run


def test_samples_to_look_at_first_are_ordered(capsys: pytest.CaptureFixture[str]) -> None:
    render_outcomes(Outcomes(samples=many(200), cohort=CohortOutcome(), metrics=METRICS), "/r", whole=False)
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:22]]
    assert names[:8] == ["s7", "s107", "s37", "s137", "s27", "s127", "s17", "s117"]
    render_outcomes(Outcomes(samples=many(200), cohort=CohortOutcome(), metrics=METRICS), "/r", whole=True)
    assert len(capsys.readouterr().out.splitlines()) >= 201


def test_a_small_cohort_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    render_table(summary(*many(40)))
    assert sum(line.startswith("s") for line in capsys.readouterr().out.splitlines()) >= 40
