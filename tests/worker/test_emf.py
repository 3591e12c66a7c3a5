"""The line of metrics: CloudWatch user guide, "Specification: Embedded metric format"."""

from __future__ import annotations

import json

import pytest

from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.prices.load import load_prices
from genomics_pipeline.records.completion import CompletionRecord, FileRecord, OutputRecord
from genomics_pipeline.records.job import BatchAttempt
from genomics_pipeline.worker import emf
from genomics_pipeline.worker.dollars import task_dollars
from tests.runs.records import NO_PROVENANCE

PAYLOAD = TaskPayload("align", "alignment", "sample", RunPlace("r1", "b", "runs/r1/"), "", {}, {}, {}, (), {})
OUTPUTS = {"bam": OutputRecord("k", 990, "0", (FileRecord("k.i", 10, "0"),)), "metrics": OutputRecord("m", 24, "0")}
RECORD = CompletionRecord("align", "s7", NO_PROVENANCE, "2026-01-01", 12.5, 8, 16384, 900, OUTPUTS, input_bytes=5000)


def test_a_success_is_counted_by_stage_and_outcome() -> None:
    assert json.loads(emf.success_line(PAYLOAD, RECORD, 1_700_000_000.25)) == {
        "_aws": {
            "Timestamp": 1_700_000_000_250,
            "CloudWatchMetrics": [
                {
                    "Namespace": "GenomicsPipeline",
                    "Dimensions": [["Stage", "Outcome"]],
                    "Metrics": [
                        {"Name": "Items", "Unit": "Count"},
                        {"Name": "Duration", "Unit": "Seconds"},
                        {"Name": "PeakMemory", "Unit": "Megabytes"},
                        {"Name": "InputBytes", "Unit": "Bytes"},
                        {"Name": "OutputBytes", "Unit": "Bytes"},
                    ],
                }
            ],
        },
        "Stage": "align",
        "Outcome": "succeeded",
        "Run": "r1",
        "Item": "s7",
        "Items": 1,
        "Duration": 12.5,
        "PeakMemory": 900,
        "InputBytes": 5000,
        "OutputBytes": 1024,
    }


def test_every_metric_has_a_value_and_no_sample_is_a_dimension() -> None:
    for line in (emf.success_line(PAYLOAD, RECORD, 1.0), emf.failure_line(PAYLOAD, "s7", "timeout", 1.0)):
        members = json.loads(line)
        (directive,) = members["_aws"]["CloudWatchMetrics"]
        (dimensions,) = directive["Dimensions"]
        assert "s7" not in [members[name] for name in dimensions]
        assert all(isinstance(members[metric["Name"]], int | float) for metric in directive["Metrics"])
        assert "\n" not in line


def test_the_wait_of_a_job_is_reported_by_stage() -> None:
    members = json.loads(emf.wait_line(PAYLOAD, BatchAttempt("0f", 1), 61.25049, 1.0))
    (directive,) = members.pop("_aws")["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Stage"]]
    assert directive["Metrics"] == [{"Name": "QueueWait", "Unit": "Seconds"}]
    assert members == {"Stage": "align", "Run": "r1", "Job": "0f", "Attempt": 1, "QueueWait": 61.25}


def test_an_attempt_after_a_lost_host_is_counted_by_stage() -> None:
    members = json.loads(emf.repetition_line(PAYLOAD, BatchAttempt("0f", 3), 1.0, {"market": "spot"}))
    (directive,) = members.pop("_aws")["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Stage"]]
    assert directive["Metrics"] == [{"Name": "LostHosts", "Unit": "Count"}]
    # Without an outcome: alarms and saved queries count ended tasks by it.
    assert members == {"Stage": "align", "Run": "r1", "Job": "0f", "Attempt": 3, "LostHosts": 1, "Market": "spot"}


def test_the_cost_of_a_task_is_reported_where_it_is_known() -> None:
    for line, outcome in (
        (emf.success_line(PAYLOAD, RECORD, 1.0, 0.0125), "succeeded"),
        (emf.failure_line(PAYLOAD, "s7", "timeout", 1.0, dollars=0.0125), "timeout"),
    ):
        members = json.loads(line)
        (directive,) = members["_aws"]["CloudWatchMetrics"]
        assert {"Name": "Cost", "Unit": "None"} in directive["Metrics"]
        assert (members["Cost"], members["Outcome"]) == (0.0125, outcome)


def test_a_task_costs_its_share_of_its_host_for_its_time() -> None:
    host = {"instance_type": "m6id.2xlarge", "zone": "us-east-1a", "market": "on-demand"}
    price = load_prices("us-east-1").host("m6id.2xlarge").on_demand.value
    assert task_dollars(host, 3600, 2, 4096) == pytest.approx(price / 4)
    assert task_dollars(host, 1800, 8, 4096) == pytest.approx(price / 2)
    spot = task_dollars({**host, "market": "spot"}, 3600, 2, 4096)
    assert spot is not None
    assert spot < price / 4
    for unknown in ({}, {**host, "zone": "eu-central-1a"}, {**host, "instance_type": "none.large"}):
        assert task_dollars(unknown, 3600, 2, 4096) is None
