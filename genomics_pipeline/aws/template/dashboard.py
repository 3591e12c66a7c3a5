"""The CloudWatch dashboard of a stack: runs, items, queues, hosts, durations, memory and failures.

Sources of the metrics: Step Functions developer guide, "Monitoring with CloudWatch metrics"; Batch user guide, "Using
CloudWatch Metrics with AWS Batch" (since October 2026; read by a search, because their names may grow); EC2 user guide,
"Service quota usage metrics"; the tasks' own metrics: `model.metrics`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.template import queries
from genomics_pipeline.aws.template.functions import TemplateResources, sub
from genomics_pipeline.aws.template.monitoring_parameters import HAS_DASHBOARD
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model import metrics
from genomics_pipeline.model.resource_names import ResourceNames

PRICE = "$3 a month beyond an account's first three dashboards"

_REGION = "${AWS::Region}"
_MACHINE = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:"
_WIDTH, _HEIGHT, _COLUMNS = 12, 6, 2
_PERIOD_S = 300
_HOUR_S = 3600
_ENDS = ("Succeeded", "Failed", "TimedOut", "Aborted")
_BATCH_TIMES = "(Duration OR Time)"  # words in the names of Batch's metrics that are times


def dashboard(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> TemplateResources:
    """Return the dashboard."""
    widgets = [
        *_runs(machines, names),
        *_queues(names),
        *_hosts(),
        *_tasks(),
        _log("Failures by class", queries.FAILURES, names),
        _log("Slowest tasks", queries.SLOWEST, names),
    ]
    body = {"start": "-PT12H", "widgets": [_place(number, widget) for number, widget in enumerate(widgets)]}
    return {
        "MonitoringDashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Condition": HAS_DASHBOARD,
            "Metadata": {"Price": PRICE},
            "Properties": {"DashboardName": names.stack, "DashboardBody": sub(json.dumps(body, separators=(",", ":")))},
        }
    }


def _place(number: int, widget: dict[str, Any]) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    return {"x": column * _WIDTH, "y": row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT, **widget}


def _graph(title: str, lines: Sequence[Any], stat: str = "Sum", **more: Any) -> dict[str, Any]:
    properties = {"title": title, "region": _REGION, "view": "timeSeries", "stat": stat, "period": _PERIOD_S}
    return {"type": "metric", "properties": {**properties, "metrics": list(lines), **more}}


def _log(title: str, query: str, names: ResourceNames) -> dict[str, Any]:
    text = f"SOURCE '{names.log_group}' | {query}"
    return {"type": "log", "properties": {"title": title, "region": _REGION, "view": "table", "query": text}}


def _search(expression: str, stat: str, period_s: int = _PERIOD_S) -> list[Any]:
    return [{"expression": f"SEARCH('{expression}', '{stat}', {period_s})"}]


def _executions(arn: str, label: str, kinds: Sequence[str]) -> list[Any]:
    return [["AWS/States", f"Executions{kind}", "StateMachineArn", arn, {"label": f"{label} {kind}"}] for kind in kinds]


def _runs(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> list[dict[str, Any]]:
    """Return the graphs of runs and of the children of their maps; a child is an item, or a batch of items."""
    arns = {machine.pipeline: f"{_MACHINE}{names.state_machine(machine.pipeline)}" for machine in machines}
    children = {
        f"{machine.pipeline} {label}": f"{arns[machine.pipeline]}/{label}"
        for machine in machines
        for label in machine.labels
    }
    runs = [line for name, arn in arns.items() for line in _executions(arn, name, ("Started", *_ENDS))]
    ended = [line for name, arn in children.items() for line in _executions(arn, name, _ENDS)]
    return [
        _graph("Runs", runs),
        _graph("Items of the maps: done and failed", ended),
        _graph("Items of the maps: running, counted from the left edge", _running(children)),
        _graph(
            "Map Runs of the account: open, and children that wait",
            [["AWS/States", "ApproximateOpenMapRunCount"], ["AWS/States", "ApproximateMapRunBacklogSize"]],
            "Maximum",
        ),
    ]


def _running(children: dict[str, str]) -> list[Any]:
    """Return one line for each map: the children that started, less those that ended."""
    lines: list[Any] = []
    for number, (name, arn) in enumerate(children.items()):
        ids = [f"m{number}{kind.lower()}" for kind in ("Started", *_ENDS)]
        for each, line in zip(ids, _executions(arn, name, ("Started", *_ENDS)), strict=True):
            line[-1] = {"id": each, "visible": False}
            lines.append(line)
        started, *ends = (f"FILL({each},0)" for each in ids)
        expression = f"RUNNING_SUM({'-'.join((started, *ends))})"
        lines.append([{"expression": expression, "label": f"{name} running", "id": f"e{number}"}])
    return lines


def _queues(names: ResourceNames) -> list[dict[str, Any]]:
    queues = f'JobQueueName=("{names.job_queue}" OR "{names.on_demand_queue}")'
    jobs = f"{{AWS/Batch,JobQueueName}} {queues} NOT {_BATCH_TIMES}"
    times = f"{{AWS/Batch,JobQueueName}} {queues} {_BATCH_TIMES}"
    return [
        _graph("Queues: jobs that entered each state", [_search(jobs, "Sum")]),
        _graph("Queues: how long jobs stay in each state", [_search(times, "p95")]),
    ]


def _hosts() -> list[dict[str, Any]]:
    def vcpus(market: str) -> list[Any]:
        dimensions = ["Service", "EC2", "Type", "Resource", "Resource", "vCPU", "Class", f"Standard/{market}"]
        return ["AWS/Usage", "ResourceCount", *dimensions, {"label": market}]

    return [_graph("vCPUs of the account", [vcpus("Spot"), vcpus("OnDemand")], "Maximum")]


def _tasks() -> list[dict[str, Any]]:
    def by_stage(name: str, stat: str, more: str = "", period_s: int = _PERIOD_S) -> list[Any]:
        return _search(f'{{{metrics.NAMESPACE},Outcome,Stage}} MetricName="{name}"{more}', stat, period_s)

    def of_jobs(name: str, stat: str) -> list[Any]:
        return _search(f'{{{metrics.NAMESPACE},{metrics.STAGE}}} MetricName="{name}"', stat)

    failures = f' NOT {metrics.OUTCOME}="{metrics.SUCCEEDED}"'
    return [
        _graph("Failed tasks by stage and class", [by_stage(metrics.ITEMS, "Sum", failures)], stacked=True),
        _graph("Attempts after a lost host, by stage", [of_jobs(metrics.LOST_HOSTS, "Sum")], stacked=True),
        _graph("Wait for a host by stage: median (s)", [of_jobs(metrics.QUEUE_WAIT, "p50")]),
        _graph("Wait for a host by stage: 90th percentile (s)", [of_jobs(metrics.QUEUE_WAIT, "p90")]),
        _graph("Duration by stage: median (s)", [by_stage(metrics.DURATION, "p50")]),
        _graph("Duration by stage: 95th percentile (s)", [by_stage(metrics.DURATION, "p95")]),
        _graph("Peak memory by stage: 95th percentile (MiB)", [by_stage(metrics.PEAK_MEMORY, "p95")]),
        _graph("Input by stage (bytes)", [by_stage(metrics.INPUT_BYTES, "Sum")], stacked=True),
        _graph("Output by stage (bytes)", [by_stage(metrics.OUTPUT_BYTES, "Sum")], stacked=True),
        _graph(
            "Estimated dollars an hour by stage and outcome; the height is their total",
            [by_stage(metrics.COST, "Sum", period_s=_HOUR_S)],
            stacked=True,
        ),
    ]
