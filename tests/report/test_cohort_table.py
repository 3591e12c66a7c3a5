from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.report.cohort_table import render_table
from genomics_pipeline.report.concordance import Agreement, Concordance
from genomics_pipeline.report.run_summary import CohortOutcome, RunSummary, SampleOutcome

ALIGNMENT = {"reads": 20800, "mapped_fraction": 0.99987, "duplicate_fraction": 0.03875, "mean_depth": 29.97}
LONG = "/runs/" + "long-" * 40 + "name"


def outcome(sample: str, state: str = "SUCCEEDED", **more: Any) -> SampleOutcome:
    members: dict[str, Any] = {"reused": False, "metrics": {}, "files": {}, "seconds": 0.0} | more
    return SampleOutcome(sample, state, **members)


def summary(*samples: SampleOutcome, **more: Any) -> RunSummary:
    members: dict[str, Any] = {"run": "/r", "status": "SUCCEEDED", "samples": samples, "cohort": CohortOutcome()}
    members |= {"ran": 1, "reused": 0, "missing": None, "seconds": 0.25}
    return RunSummary(**members | more)


def test_a_good_run(capsys: pytest.CaptureFixture[str]) -> None:
    cohort = CohortOutcome(
        files={"gather.vcf": f"{LONG}/joint.vcf.gz", "gather.metrics": "/m.json"},
        metrics={"gather": {"variants": 1120, "snps": 1000, "indels": 120, "ti_tv": 2.041, "samples": {}}},
        truth=Concordance(snp=Agreement(390, 389, 389), indel=Agreement(0, 0, 0)),
    )
    first = outcome("s1", seconds=3.21, metrics={"alignment": ALIGNMENT, "variant_calling": {"variants": 73}})
    again = outcome("s2", reused=True, seconds=1.0, metrics={"alignment": ALIGNMENT | {"mean_depth": 8.24}})
    render_table(summary(first, again, cohort=cohort, run=LONG, ran=14, reused=2, seconds=12.345))
    assert (
        capsys.readouterr().out
        == f"""\
Sample      State    Reads  Mapped %  Dup. %    Depth  Variants  Seconds
s1          done    20,800     99.99    3.88     30.0        73      3.2
s2          reused  20,800     99.99    3.88  8.2 LOW         –      1.0

Joint VCF
{LONG}/joint.vcf.gz
1,120 variants (1,000 SNPs, 120 indels), Ti/Tv 2.04

Agreement with truth
SNPs    sensitivity  99.74%  precision 100.00%  (389 of 390 found, 389 called)
Indels  sensitivity       –  precision       –  (0 of 0 found, 0 called)

Run folder
{LONG}

14 steps ran, 2 reused, 12.3 s
"""
    )


def test_a_failed_run_hides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    failed = outcome("s2", "FAILED", error="alignment: R2 is short [bold]\nsecond line")
    render_table(summary(outcome("s1", "PENDING"), failed, status="FAILED", error="too many failed"))
    assert (
        capsys.readouterr().out
        == """\
Sample      State    Reads  Mapped %  Dup. %  Depth  Variants  Seconds
s1          pending      –         –       –      –         –      0.0
s2          FAILED       –         –       –      –         –      0.0

s2 failed: alignment: R2 is short [bold]
  second line

Run folder
/r

run failed: too many failed
1 step ran, 0 reused, 0.2 s
"""
    )


def test_a_users_pipeline_has_other_names(capsys: pytest.CaptureFixture[str]) -> None:
    cohort = CohortOutcome(files={"tree.newick": "/t.nwk", "tree.metrics": "/m"}, metrics={"tree": [1]})
    sample = outcome("s1", metrics={"map": {"mean_depth": "n/a", "reads": 7}, "typing": {"reads": 9, "lineage": "B.1"}})
    render_table(summary(sample, cohort=cohort))
    out = capsys.readouterr().out
    assert "s1          done       7         –       –    n/a         –      0.0\n" in out
    assert "\ntree.newick\n/t.nwk\n\nRun folder\n" in out
    assert "/m" not in out
