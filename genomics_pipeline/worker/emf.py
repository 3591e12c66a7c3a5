"""Log lines that CloudWatch Logs turns into metrics: one for each item, at the end of its step.

Source: "Specification: Embedded metric format", CloudWatch user guide. Each combination of dimensions is billed as a
metric, so sample and host are not dimensions but plain members, which Logs Insights can search.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import CompletionRecord

NAMESPACE = "GenomicsPipeline"
SUCCEEDED = "succeeded"
_DIMENSIONS = ("Stage", "Outcome")
_HOST = {"instance_type": "InstanceType", "zone": "Zone", "market": "Market"}
NO_HOST: Mapping[str, str] = {}
_UNITS = {"Items": "Count", "Duration": "Seconds", "PeakMemory": "Megabytes", "OutputBytes": "Bytes"}


def success_line(payload: TaskPayload, record: CompletionRecord, moment: float) -> str:
    """Return the line of an item that succeeded.

    Args:
        payload: The task of the item.
        record: The completion record of the item.
        moment: The time, in seconds since the epoch.
    """
    values = {
        "Items": 1,
        "Duration": record.seconds,
        "PeakMemory": record.peak_memory_mib,
        "OutputBytes": sum(output.size_bytes for output in record.outputs.values()),
    }
    return _line(payload, record.item, SUCCEEDED, values, moment, record.host)


def failure_line(
    payload: TaskPayload, item: str, failure_class: str, moment: float, host: Mapping[str, str] = NO_HOST
) -> str:
    """Return the line of an item that failed, whose outcome is the failure class.

    Args:
        payload: The task of the item.
        item: The item's id.
        failure_class: The class of the failure.
        moment: The time, in seconds since the epoch.
        host: The facts of the host; see `worker.host_facts`.
    """
    return _line(payload, item, failure_class, {"Items": 1}, moment, host)


def _line(
    payload: TaskPayload, item: str, outcome: str, values: dict[str, Any], moment: float, host: Mapping[str, str]
) -> str:
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(_DIMENSIONS)], "Metrics": metrics}
    members = {"Stage": payload.stage, "Outcome": outcome, "Run": payload.run.name, "Item": item, **values}
    members |= {_HOST[name]: value for name, value in host.items()}
    return json.dumps({"_aws": {"Timestamp": int(moment * 1000), "CloudWatchMetrics": [directive]}, **members})
