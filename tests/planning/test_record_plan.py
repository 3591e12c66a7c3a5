"""Plans of runs over records, through the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.main import main

GOLDEN = Path(__file__).parents[1] / "golden"


def plan(capfd: pytest.CaptureFixture[str], *options: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        main(["plan", *options])
    out, err = capfd.readouterr()
    assert end.value.code == code, err
    return out or err


def plan_json(capfd: pytest.CaptureFixture[str], pipeline: str, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plan(capfd, "--pipeline", str(GOLDEN / pipeline), "--json", *options))
    return found


def test_a_million_records_cost_six_cents(capfd: pytest.CaptureFixture[str]) -> None:
    made = plan_json(capfd, "records.toml", "--records", "1000000")
    assert (made["execution_type"], made["children"], made["calls"], made["concurrency"]) == (
        "EXPRESS",
        1000,
        1000,
        500,
    )
    assert made["dollars_per_million"] == pytest.approx(0.0563, abs=1e-4)
    # By hand: starts, requests and GB-seconds of EXPRESS, requests and GB-seconds of Lambda.
    assert made["costs"] == {
        "transitions": 0.025,
        "EXPRESS requests": 0.001,
        "EXPRESS duration": pytest.approx(1000 * 0.0625 * 0.00001667, abs=1e-6),
        "Lambda requests": 0.0002,
        "Lambda score": pytest.approx(1000 * 1769 / 1024 * 0.0000166667, abs=1e-6),
        "S3 requests": 0.00024,
    }


def test_larger_records_make_smaller_batches_and_slow_children_are_standard(capfd: pytest.CaptureFixture[str]) -> None:
    large = plan_json(capfd, "records.toml", "--records", "1000000", "--record-bytes", "2000")
    assert (large["batch"], large["children"]) == (115, 8696)
    parts = plan_json(capfd, "records-in-parts.toml", "--records", "1000000", "--max-concurrency", "10")
    assert (parts["execution_type"], parts["batch"], parts["calls"]) == ("STANDARD", 500, 4000)
    assert (parts["map_runs"], parts["concurrency"], parts["start_seconds"]) == (4, 40, 5)
    assert parts["costs"]["transitions"] == pytest.approx(0.15)
    assert parts["seconds"] == pytest.approx(2000 / 40 * 2 + 2)


def test_the_requests_for_files_that_records_name_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    """By hand: 50,000 pairs, eight requests for each, $0.0004 for a thousand."""
    options = ("--pipeline", "preflight", "--records", "50000", "--record-bytes", "300")
    made = json.loads(plan(capfd, *options, "--json"))
    assert made["costs"]["S3 reads preflight"] == pytest.approx(0.16)
    assert made["dollars"] == pytest.approx(sum(made["costs"].values()), abs=1e-5)
    assert "50,000 records x 8 requests for their files" in plan(capfd, *options, "--explain", "S3 reads preflight")
    words = "assumed: 8 requests to S3"
    assert words in plan(capfd, *options)
    assert words not in plan(capfd, "--pipeline", str(GOLDEN / "records.toml"), "--records", "50000")


def test_each_figure_is_explained_and_what_does_not_fit_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    records = ("--pipeline", str(GOLDEN / "records.toml"), "--records", "1000000")
    assert "$0.0563 a million records" in plan(capfd, *records)
    assert "1,000 calls x 1 s x 1,769 MiB" in plan(capfd, *records, "--explain", "Lambda score")
    assert "no such line; did you mean 'Lambda score'?" in plan(capfd, *records, "--explain", "Lambda scor", code=2)
    assert "--samples: expected a pipeline over samples" in plan(capfd, *records, "--samples", "3", code=2)
    assert "--max-failures: expected a pipeline over" in plan(capfd, *records, "--max-failures", "3", code=2)
    assert "SHEET: expected a pipeline over samples" in plan(capfd, "x.csv", *records, code=2)
    assert "expected records of 230144 bytes at most" in plan(capfd, *records, "--record-bytes", "300000", code=2)
    refused = plan(capfd, "--pipeline", "germline", "--records", "3", code=2)
    assert "expected a pipeline over records, found germline" in refused
