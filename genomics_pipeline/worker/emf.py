"""How a step ended over an item, as a line that CloudWatch Logs makes metrics of.

Source: "Specification: Embedded metric format", CloudWatch user guide. Each combination of dimensions is billed as a
metric, so a sample is never one: it is a plain member, which Logs Insights finds.
"""

from __future__ import annotations

import json
from typing import Any

from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import CompletionRecord

NAMESPACE = "GenomicsPipeline"
SUCCEEDED = "succeeded"
_DIMENSIONS = ("Stage", "Outcome")
_UNITS = {"Items": "Count", "Duration": "Seconds", "PeakMemory": "Megabytes", "OutputBytes": "Bytes"}


def succeeded(payload: TaskPayload, record: CompletionRecord, moment: float) -> str:
    """The line of an item that succeeded now.

    Args:
        payload: Its task.
        record: What was done.
        moment: When, in seconds since the epoch.
    """
    values = {
        "Items": 1,
        "Duration": record.seconds,
        "PeakMemory": record.peak_memory_mib,
        "OutputBytes": sum(output.size_bytes for output in record.outputs.values()),
    }
    return _line(payload, record.item, SUCCEEDED, values, moment)


def failed(payload: TaskPayload, item: str, failure_class: str, moment: float) -> str:
    """The line of an item that failed: its outcome is the class."""
    return _line(payload, item, failure_class, {"Items": 1}, moment)


def _line(payload: TaskPayload, item: str, outcome: str, values: dict[str, Any], moment: float) -> str:
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(_DIMENSIONS)], "Metrics": metrics}
    told = {"Stage": payload.stage, "Outcome": outcome, "Run": payload.run.name, "Item": item, **values}
    return json.dumps({"_aws": {"Timestamp": int(moment * 1000), "CloudWatchMetrics": [directive]}, **told})
