"""`plan`: its figures for known cohorts, its agreement with a run, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model import quotas
from genomics_pipeline.report.plan_explanation import explain_line
from genomics_pipeline.report.plan_table import plan_lines
from genomics_pipeline.runs.catalog import load_pipeline, usual_pipelines
from genomics_pipeline.runs.estimate import estimate
from genomics_pipeline.runs.plan_request import PlanRequest
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Cli = Callable[..., Any]
RATES = """
date = "2026-11-28"
machine = "a machine"
[steps.copy]
version = "VERSION"
basis = "a measurement"
core_seconds = { fixed = 100 }
serial_fraction = 1.0
spread = 1.0
memory_mib = { fixed = 100 }
memory_spread = 1.0
output_bytes = { fixed = 1_073_741_824 }
"""


def planned(cli: Cli, *arguments: str | Path) -> dict[str, Any]:
    ended = cli("plan", "--json", *arguments)
    assert (ended.code, ended.err) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)
    return found


@pytest.fixture
def copies(project: SmallProject) -> list[str | Path]:
    """Return the arguments of a plan for a pipeline of one step with known rates: 100 s, 1 GB."""
    project.step("copy", COPY, f"{COPY_DECLARATIONS}[resources]\nvcpus = 2\n")
    stage = stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"})
    pipeline = project.pipeline(stage, settings="tolerated_failure_percentage = 100\nmax_concurrency = 10")
    (project.folder / "rates.toml").write_text(RATES.replace("VERSION", "1"))
    panel = project.folder / "panel"
    panel.write_text("")
    options: list[str | Path] = ["--pipeline", pipeline, "--calibration", project.folder / "rates.toml"]
    return [*options, "--param", f"copying.panel={panel}"]


def test_the_figures_of_a_pipeline_with_known_rates(cli: Cli, copies: list[str | Path]) -> None:
    found = planned(cli, "--samples", "40", "--gigabytes", "1", *copies)
    assert (found["samples"], found["jobs"], found["attempts"]) == (40, 40, 40)
    assert found["throttled"] == 0
    assert found["transitions"] == 1 + 40 * 2
    assert found["events"] == (2 + 6) + 40 * (2 + 6)
    # 180 s until the first host; four waves of ten children, of 15 s to start and 100 s each.
    assert found["duration_s"]["p50"] == pytest.approx(180 + 4 * 115, abs=1)
    assert found["duration_s"]["p10"] == found["duration_s"]["p90"] == found["duration_s"]["p50"]
    lines = found["dollars"]["by_line"]
    assert lines["storage a month"] == pytest.approx(40 * 0.023)
    assert lines["transitions"] == pytest.approx(81 * 0.000025, abs=1e-4)
    assert found["dollars"]["total"] == pytest.approx(sum(lines.values()), abs=1e-3)
    assert all(price["date"] and price["source"] for price in found["dollars"]["prices"].values())
    used = {one["name"]: (one["used"], one["limit"]) for one in found["quotas"]}
    assert used["children of a Map Run at a time"] == (10, quotas.MAP_RUN_CONCURRENCY.value)
    assert used["max_concurrency of Sample"] == (10, 10)
    assert used["copying: duration of a job"] == (100, 86_400)
    assert found["first_limit"]["name"] == "manifest of the Map Run Sample"


def test_limits_are_those_of_the_account(cli: Cli, copies: list[str | Path]) -> None:
    quotas_of_mine = ("--quota", "submit_job=500", "--quota", "child_starts=7", "--max-concurrency", "5")
    found = planned(cli, "--samples", "40", "--gigabytes", "1", *copies, *quotas_of_mine)
    limits = {one["name"]: (one["used"], one["limit"], one["source"]) for one in found["quotas"]}
    assert limits["SubmitJob"][1:] == (500, "--quota")
    assert limits["child starts of a Map Run"] == (5, 7, "--quota")
    assert limits["max_concurrency of Sample"] == (5, 5, "--max-concurrency")


def test_requests_to_s3_are_those_of_the_jobs_that_run_at_a_time(cli: Cli, copies: list[str | Path]) -> None:
    """Ten jobs of 100 s: 1 GB in parts of 8 MiB; 1 GiB in parts of 64 MiB and a small file; 3 records each."""
    found = planned(cli, "--samples", "40", "--gigabytes", "1", *copies)
    used = {one["name"]: one["used"] for one in found["quotas"]}
    assert used["S3 GET of a prefix"] == pytest.approx((120 + 3) * 10 / 100)
    assert used["S3 PUT of a prefix"] == pytest.approx((18 + 1 + 3) * 10 / 100)


def test_hosts_without_jobs_are_of_the_kind_that_they_are(cli: Cli, copies: list[str | Path]) -> None:
    sizes = ("--samples", "40", "--gigabytes", "1", *copies, "--explain", "compute: hosts without jobs")
    words = cli("plan", *sizes, "--max-vcpus", "16", "--rate", "host_lost=0").out
    numbers = re.search(
        r"^\$([\d.]+): 1 Spot .* at \$([\d.]+) .*, and 1 On-Demand hosts at \$([\d.]+), each for 480 s", words
    )
    assert numbers
    dollars, spot, on_demand = map(float, numbers.groups())
    assert dollars == pytest.approx((spot + on_demand) * 16 * 480 / 3600, abs=1e-3)
    assert on_demand > spot


def test_a_year_of_storage_is_in_no_sum(cli: Cli, copies: list[str | Path]) -> None:
    found = planned(cli, "--samples", "40", "--gigabytes", "1", *copies)["dollars"]
    assert found["storage_a_year"] == pytest.approx(40 * (0.023 + 0.023 + 2 * 0.0125 + 8 * 0.004))
    assert found["total"] == pytest.approx(sum(found["by_line"].values()), abs=1e-3)


def test_a_plan_predicts_the_jobs_and_transitions_of_a_run(
    cli: Cli, project: SmallProject, copies: list[str | Path]
) -> None:
    sheet = project.samples(dict.fromkeys(("A", "B", "C"), READS))
    found = planned(cli, sheet, "--reference", project.folder / "reference.fa", *copies)
    parameter = copies[-1]
    assert cli(*project.arguments("--param", parameter)).code == 0
    (journal,) = project.run.glob(".engine/*/execution.jsonl")
    result = json.loads(journal.read_text().splitlines()[-1])["result"]
    assert (found["transitions"], found["jobs"]) == (result["transitions"], 3)
    assert found["status"] == result["status"] == "SUCCEEDED"


def test_a_saved_plan_stands_beside_the_costs_of_its_run(
    cli: Cli, project: SmallProject, copies: list[str | Path]
) -> None:
    sheet = project.samples({"A": READS})
    options = [sheet, "--reference", project.folder / "reference.fa", *copies]
    assert cli(*project.arguments("--param", copies[-1])).code == 0
    found = planned(cli, "--save", project.run, *options)
    assert json.loads((project.run / "plan.json").read_text()) == found
    costs = cli("cost", project.run)
    assert costs.code == 0
    assert "planned" in costs.out


def test_a_plan_is_saved_in_a_run_only(cli: Cli, project: SmallProject, copies: list[str | Path]) -> None:
    ended = cli("plan", "--samples", "1", "--gigabytes", "1", "--save", project.folder / "none", *copies)
    assert (ended.code, ended.out) == (1, "")
    assert "none" in ended.err


def test_a_thousand_human_genomes(cli: Cli) -> None:
    found = planned(cli, "--samples", "1000", "--gigabytes", "75", "--rate", "host_lost=0", "--max-vcpus", "4096")
    assert found["intervals"] == 631
    counted = 5 + 1000 * 3 + 631 * 2
    extra = found["transitions"] - found["throttled"] - counted
    assert 0 <= extra <= 10  # of jobs that a larger memory than usual makes run out of theirs
    assert found["jobs"] - (2000 + 631 + 1) == extra // 2
    assert found["duration_s"]["p10"] < found["duration_s"]["p50"] < found["duration_s"]["p90"]
    assert found["dollars"]["low"] < found["dollars"]["total"] < found["dollars"]["high"]
    assert found["first_limit"]["name"] == "gather: disk of a job"


def test_the_screen_names_what_is_reached_and_what_comes_first(cli: Cli, copies: list[str | Path]) -> None:
    ended = cli("plan", "--samples", "40", "--gigabytes", "1", "--max-vcpus", "8", *copies)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "small: 40 samples, us-east-1"
    assert "  Spot vCPUs                                       8               8  delays the run     vCPUs" in lines
    assert any(line.startswith("  the first to break: manifest of the Map Run Sample, from ") for line in lines)
    assert len(lines) < 60


def test_every_plan_tells_what_a_naive_definition_costs(cli: Cli, copies: list[str | Path]) -> None:
    sizes = ["--samples", "40", "--gigabytes", "1", *copies]
    found, priced = planned(cli, *sizes), planned(cli, *sizes, "--what-if", "naive")
    assert found["naive"] == priced["naive"]
    assert found["naive"]["dollars"]["total"] > found["dollars"]["total"]
    assert set(found["naive"]["dollars"]["by_line"]) > set(found["dollars"]["by_line"])
    lines = cli("plan", *sizes).out.splitlines()
    total, ratio = found["naive"]["dollars"]["total"], found["what_if"]["of_naive"]
    assert f"a naive definition              {total:>14,.2f}  as planned is {ratio:.2f} of it; " in "\n".join(lines)


def test_choices_are_priced_alone_and_together(cli: Cli, copies: list[str | Path]) -> None:
    found = planned(cli, "--samples", "40", "--gigabytes", "1", "--what-if", "nat", "--what-if", "polling", *copies)
    compared = found["what_if"]
    # 40 times 10^9 bytes are read and 40 billed GB written; the run takes 640 s.
    nat = (40 * 10**9 / 2**30 + 40) * 0.045 + found["duration_s"]["p50"] / 3600 * 0.045
    assert compared["alone"]["nat"] == pytest.approx(nat, abs=1e-3)
    # 100 s are two polls: SubmitJob, twice Wait, DescribeJobs and Choice, and the end, in place of one Task.
    polling = 40 * ((1 + 2 * 3 + 1) - 1) * 0.000025
    assert compared["alone"]["polling"] == pytest.approx(polling, abs=1e-3)
    assert list(compared["alone"]) == ["polling", "nat"]
    assert compared["together"] == pytest.approx(compared["as_planned"] + nat + polling, abs=1e-3)
    # No job failed, so that what is planned costs what is expected.
    assert compared["as_planned"] == pytest.approx(found["dollars"]["total"], abs=1e-3)
    assert compared["of_naive"] == pytest.approx(compared["as_planned"] / found["naive"]["dollars"]["total"], abs=1e-3)
    assert set(compared["sources"]) == set(compared["alone"])
    assert compared["together"] <= found["naive"]["dollars"]["total"] < found["naive_on_demand"]["dollars"]["total"]


def test_the_naive_definition_is_on_spot_hosts_even_where_the_run_overflows(cli: Cli, copies: list[str | Path]) -> None:
    """With 2 vCPUs of Spot hosts, most jobs of the simulated run are on On-Demand hosts."""
    sizes = ["--samples", "40", "--gigabytes", "1", "--what-if", "nat"]
    quotas = [["--quota", "spot_vcpus=2"], []]
    scarce, ample = (planned(cli, *sizes, *each, *copies) for each in quotas)
    compute = "compute: copying"
    assert scarce["dollars"]["by_line"][compute] > 1.2 * ample["dollars"]["by_line"][compute]
    assert scarce["naive"]["dollars"]["by_line"][compute] == ample["naive"]["dollars"]["by_line"][compute]
    on_demand = scarce["naive_on_demand"]["dollars"]["by_line"][compute]
    assert on_demand > 1.2 * scarce["naive"]["dollars"]["by_line"][compute]


def test_the_naive_definition_of_germline_costs_more(cli: Cli) -> None:
    found = planned(cli, "--samples", "10", "--gigabytes", "75", "--what-if", "naive")
    assert list(found["what_if"]["alone"]) == [
        "polling",
        "bam",
        "whole_gvcfs",
        "worst_memory",
        "logs_all",
        "nat",
        "on_demand",
    ]
    assert all(dollars > 0 for dollars in found["what_if"]["alone"].values())
    assert found["what_if"]["of_naive"] < 0.6
    assert found["what_if"]["orchestration_share"] < 0.01
    assert found["what_if"]["together"] == found["naive_on_demand"]["dollars"]["total"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jobs", "copying: 40"),
        ("transitions", "40 starts of children: Sample 40"),
        ("transitions", "41 states entered, with retries of those that failed"),
        ("SubmitJob", "limit: https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html"),
        ("copying: memory of a job", "limit: step.toml of copy"),
        ("storage a month", "40 GB-months at $0.023 (S3/standard-storage)"),
        ("duration", "copying: 40 jobs of 1 min 40 s"),
        ("copying", "40 jobs of 1 min 40 s on average"),
    ],
)
def test_each_figure_is_explained(cli: Cli, copies: list[str | Path], line: str, words: str) -> None:
    ended = cli("plan", "--samples", "40", "--gigabytes", "1", "--explain", line, *copies)
    assert ended.code == 0
    assert words in ended.out


def test_each_line_of_the_screen_is_explained(tmp_path: Path) -> None:
    """Ask for each line by the words before its first figure, which are separated by two blanks or more."""
    faults = tmp_path / "faults.toml"
    faults.write_text('[[faults]]\nclass = "tool_error"\nshare = 0.2\n')
    cohort = PlanRequest(samples=40, gigabytes=1, inject=faults, what_if=["naive"])
    for request in (cohort, PlanRequest(samples=40, gigabytes=1, pipeline="germline-single", arriving_days=1)):
        plan = estimate(request, adapters(), lambda line: None)
        lines = [line.strip() for line in takewhile("rests on".__ne__, list(plan_lines(plan))[1:])]
        names = [
            re.split("  +|(?<=break): |(?<=fails then): ", line)[0]
            for line in lines
            if line and "--json lists them" not in line
        ]
        names.remove("limits")  # the head of a table
        assert len(names) > 15
        assert all(explain_line(plan, name) for name in names)
        assert explain_line(plan, "jobs")[0].startswith(f"{plan.jobs:,} jobs")


def test_the_tolerated_samples_follow_from_their_number(cli: Cli, tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('[[faults]]\nclass = "bad_input"\nalways = true\n')
    cohort = (
        "--samples",
        "500",
        "--gigabytes",
        "1",
        "--pipeline",
        "germline-single",
        "--max-concurrency",
        "20",
        "--inject",
        faults,
    )
    shipped = planned(cli, *cohort)
    assert (shipped["tolerated_samples"], shipped["status"]) == (100, "FAILED")
    stricter, looser = (planned(cli, *cohort, "--max-failures", limit) for limit in ("10", "50%"))
    assert (stricter["tolerated_samples"], looser["tolerated_samples"]) == (10, 250)
    seconds = [one["duration_s"]["p50"] for one in (stricter, shipped, looser)]
    assert seconds == sorted(set(seconds))
    assert planned(cli, *cohort, "--max-failures", "100%")["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--samples", "1", "--gigabytes", "1", "--max-failures", "some"],
            2,
            "error: --max-failures: expected a share of the samples such as 5%, or a number such as 20, found 'some'\n",
        ),
        ([], 2, "error: expected a sample sheet, or --samples N with --gigabytes G; found neither\n"),
        (["--samples", "3"], 2, "error: expected a sample sheet, or --samples N with --gigabytes G; found neither\n"),
        (
            ["--samples", "0", "--gigabytes", "nan"],
            2,
            "error: --samples: expected 1 to 100,000,000 samples, found 0\n"
            "error: --gigabytes: expected more than 0 and at most 100,000, found nan\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--quota", "vcpu=5", "--quota", "submit_job=0", "--rate", "lost=1"],
            2,
            "error: --quota vcpu=5: expected NAME=NUMBER, found no such name; known: child_starts, submit_job, "
            "spot_vcpus, on_demand_vcpus\n"
            "error: --quota submit_job=0: expected 1 or more, found '0'\n"
            "error: --rate lost=1: expected NAME=NUMBER, found no such name; did you mean 'host_lost'?\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--quota", "spot_vcpus=5", "--quota", "on_demand_vcpus=0"],
            2,
            "error: --max-vcpus, --quota: expected 8 vCPUs or more for a job of alignment, found 5 of Spot hosts and "
            "0 of On-Demand hosts; its jobs would never start\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--quota", "spot_vcpus=inf", "--quota", "child_starts=-1"],
            2,
            "error: --quota spot_vcpus=inf: expected 1 or more, found 'inf'\n"
            "error: --quota child_starts=-1: expected 1 or more, found '-1'\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--region", "xx-nowhere-1"],
            1,
            "error: expected prices of the Region xx-nowhere-1, found those of us-east-1; "
            "`genomics-pipeline prices update --region xx-nowhere-1` reads AWS's\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--region", "Virginia", "--max-vcpus", "4"],
            2,
            "error: --region: expected a Region such as us-east-1, found 'Virginia'\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--max-vcpus", "4"],
            2,
            "error: --max-vcpus, --quota: expected 8 vCPUs or more for a job of alignment, found 4 of Spot hosts and "
            "4 of On-Demand hosts; its jobs would never start\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--pipeline", "germlin"],
            1,
            "error: no pipeline 'germlin', neither shipped nor a file; did you mean 'germline'?\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--what-if", "arm"],
            2,
            "error: --what-if arm: no such choice; did you mean 'bam'?\n",
        ),
        (
            ["--samples", "1", "--gigabytes", "1", "--explain", "job"],
            2,
            "error: --explain job: no such line; did you mean 'jobs'?\n",
        ),
    ],
)
def test_wrong_arguments_are_refused(cli: Cli, arguments: list[str], code: int, message: str) -> None:
    ended = cli("plan", *arguments)
    assert (ended.code, ended.out, ended.err) == (code, "", message)


def test_rates_of_another_version_of_a_step_are_refused(
    cli: Cli, project: SmallProject, copies: list[str | Path]
) -> None:
    rates = project.folder / "rates.toml"
    rates.write_text(RATES.replace("VERSION", "0.9"))
    ended = cli("plan", "--samples", "1", "--gigabytes", "1", *copies)
    expected = f"{rates}: expected rates of copy 1, found those of 0.9; measure them again, or set the version"
    assert (ended.code, ended.err) == (1, f"error: {expected}\n")


def test_a_step_without_rates_asks_for_them(cli: Cli, copies: list[str | Path]) -> None:
    without = [*copies[:2], *copies[4:]]
    ended = cli("plan", "--samples", "1", "--gigabytes", "1", *without)
    assert ended.code == 1
    assert "expected rates of the step copy" in ended.err
    assert "give a file with them: --calibration FILE.toml" in ended.err


def test_all_problems_of_a_sheet_are_shown(cli: Cli, project: SmallProject, copies: list[str | Path]) -> None:
    sheet = project.sheet({"A": "missing_1.fastq", "B": "missing_2.fastq"})
    ended = cli("plan", sheet, "--reference", project.folder / "reference.fa", *copies)
    assert ended.code == 1
    assert [line.split(": ")[1].rpartition("/")[2] for line in ended.err.splitlines()] == [
        "sheet.csv:2:fastq_1",
        "sheet.csv:3:fastq_1",
    ]


@pytest.mark.parametrize("name", usual_pipelines())
def test_every_shipped_pipeline_can_be_planned(cli: Cli, tmp_path: Path, name: str) -> None:
    pipeline, _ = load_pipeline(name)
    (tmp_path / "file").write_text("")
    values = [
        f"--param={stage.name}.{parameter}={tmp_path / 'file'}"
        for stage in pipeline.stages
        for parameter, spec in stage.step.parameters.items()
        if spec.type == "file" and any(f"{stage.name}.{parameter}" in one for one in pipeline.lacking_values({}))
    ]
    found = planned(cli, "--samples", "2", "--gigabytes", "1", "--pipeline", name, *values)
    assert (found["status"], found["samples"]) == ("SUCCEEDED", 2)
