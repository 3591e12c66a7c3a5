"""Log lines that CloudWatch Logs turns into metrics: one for each job, at its start, and for each item, at its end.

Source: "Specification: Embedded metric format", CloudWatch user guide. Each combination of dimensions is billed as a
metric, so sample and host are not dimensions but plain members, which Logs Insights can search.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.model import metrics
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.job import BatchAttempt

_HOST = {"instance_type": "InstanceType", "zone": "Zone", "market": "Market"}
NO_HOST: Mapping[str, str] = {}
UNITS = {
    metrics.ITEMS: "Count",
    metrics.DURATION: "Seconds",
    metrics.PEAK_MEMORY: "Megabytes",
    metrics.INPUT_BYTES: "Bytes",
    metrics.OUTPUT_BYTES: "Bytes",
    metrics.COST: "None",  # CloudWatch has no unit of money
    metrics.QUEUE_WAIT: "Seconds",
    metrics.LOST_HOSTS: "Count",
}


def success_line(payload: TaskPayload, record: CompletionRecord, moment: float, dollars: float | None = None) -> str:
    """Return the line of an item that succeeded.

    Args:
        payload: The task of the item.
        record: The completion record of the item.
        moment: The time, in seconds since the epoch.
        dollars: The estimated cost of the task; None where it is not known.
    """
    values = {
        metrics.ITEMS: 1,
        metrics.DURATION: record.seconds,
        metrics.PEAK_MEMORY: record.peak_memory_mib,
        metrics.INPUT_BYTES: record.input_bytes + record.parameter_bytes,
        metrics.OUTPUT_BYTES: sum(file.size_bytes for output in record.outputs.values() for file in output.files),
        **_cost(dollars),
    }
    return _line(payload, record.item, metrics.SUCCEEDED, values, moment, record.host)


def failure_line(
    payload: TaskPayload,
    item: str,
    failure_class: str,
    moment: float,
    host: Mapping[str, str] = NO_HOST,
    dollars: float | None = None,
) -> str:
    """Return the line of an item that failed, whose outcome is the failure class.

    Args:
        payload: The task of the item.
        item: The item's id.
        failure_class: The class of the failure.
        moment: The time, in seconds since the epoch.
        host: The facts of the host; see `worker.host_facts`.
        dollars: The estimated cost of the attempt; None where it is not known.
    """
    return _line(payload, item, failure_class, {metrics.ITEMS: 1, **_cost(dollars)}, moment, host)


def _cost(dollars: float | None) -> dict[str, float]:
    return {} if dollars is None else {metrics.COST: dollars}


def wait_line(
    payload: TaskPayload, job: BatchAttempt, seconds: float, moment: float, host: Mapping[str, str] = NO_HOST
) -> str:
    """Return the line of a job's first attempt: how long it waited for its host.

    Args:
        payload: The task of the job.
        job: The attempt.
        seconds: The time from its submission to the start of the worker.
        moment: The time, in seconds since the epoch.
        host: The facts of the host; see `worker.host_facts`.
    """
    return _job_line(payload, job, metrics.QUEUE_WAIT, round(seconds, 3), moment, host)


def repetition_line(payload: TaskPayload, job: BatchAttempt, moment: float, host: Mapping[str, str] = NO_HOST) -> str:
    """Return the line of a job's second or later attempt: its last host was lost, or could not pull the image.

    Batch repeats jobs for these reasons only; see `model.batch_retry`.

    Args:
        payload: The task of the job.
        job: The attempt.
        moment: The time, in seconds since the epoch.
        host: The facts of the new host; see `worker.host_facts`.
    """
    return _job_line(payload, job, metrics.LOST_HOSTS, 1, moment, host)


def _job_line(
    payload: TaskPayload, job: BatchAttempt, name: str, value: float, moment: float, host: Mapping[str, str]
) -> str:
    facts = {metrics.STAGE: payload.stage, "Run": payload.run.name, "Job": job.job_id, "Attempt": job.attempt}
    return _embedded(metrics.BY_STAGE, {name: value}, facts, moment, host)


def _line(
    payload: TaskPayload, item: str, outcome: str, values: dict[str, Any], moment: float, host: Mapping[str, str]
) -> str:
    facts = {metrics.STAGE: payload.stage, metrics.OUTCOME: outcome, "Run": payload.run.name, "Item": item}
    return _embedded(metrics.DIMENSIONS, values, facts, moment, host)


def _embedded(
    dimensions: Sequence[str],
    values: Mapping[str, float],
    facts: Mapping[str, Any],
    moment: float,
    host: Mapping[str, str],
) -> str:
    """Return a line in the embedded metric format.

    Args:
        dimensions: The names of the facts that are dimensions.
        values: The metrics.
        facts: The other members.
        moment: The time, in seconds since the epoch.
        host: The facts of the host; see `worker.host_facts`.
    """
    units = [{"Name": name, "Unit": UNITS[name]} for name in values]
    directive = {"Namespace": metrics.NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": units}
    members = {**facts, **values, **{_HOST[name]: value for name, value in host.items() if name in _HOST}}
    return json.dumps({"_aws": {"Timestamp": int(moment * 1000), "CloudWatchMetrics": [directive]}, **members})
