"""CloudWatch alarms of a stack, and the metrics of its log that they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.deployment import RUN_REPORT
from genomics_pipeline.aws.template.functions import TemplateResources, arn, logical_id, ref
from genomics_pipeline.aws.template.logs import TASKS_LOG
from genomics_pipeline.aws.template.monitoring_parameters import HAS_ALARMS
from genomics_pipeline.aws.template.notifications import TOPIC
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model import metrics, quotas
from genomics_pipeline.model.resource_names import ResourceNames

FILTER_PRICE = "$0.30 a month, only for hours with tasks"
ALARM_PRICE = "$0.10 a month for each of its metrics; ten alarms of an account are free"
LEAST_TASKS = 10  # in an hour, below which a rate of failures means nothing
OPEN_MAP_RUNS = quotas.OPEN_MAP_RUNS.value * 9 // 10
HOUR = 3600

_ENDED, _FAILED = "TasksEnded", "TasksFailed"
_PATTERNS = {
    _ENDED: f'{{ $.{metrics.OUTCOME} = "*" }}',
    _FAILED: f'{{ ($.{metrics.OUTCOME} = "*") && ($.{metrics.OUTCOME} != "{metrics.SUCCEEDED}") }}',
}


def alarms(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> TemplateResources:
    """Return the alarms and metric filters."""
    return {
        **{name: _filter(name, pattern, names) for name, pattern in _PATTERNS.items()},
        "FailureRateAlarm": _failure_rate(names),
        "StallAlarm": _stall(names),
        "OpenMapRunsAlarm": _open_map_runs(names),
        "RunReportAlarm": _run_report(names),
        **{logical_id(machine.pipeline, "ThrottleAlarm"): _throttles(machine, names) for machine in machines},
    }


def _namespace(names: ResourceNames) -> str:
    """Return the namespace of the metrics of one stack; those of `model.metrics` are of all stacks of an account."""
    return f"{metrics.NAMESPACE}/{names.stack}"


def _filter(name: str, pattern: str, names: ResourceNames) -> dict[str, Any]:
    transformation = {
        "MetricNamespace": _namespace(names),
        "MetricName": name,
        "MetricValue": "1",
        "DefaultValue": 0,
    }
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Condition": HAS_ALARMS,
        "Metadata": {"Price": FILTER_PRICE},
        "Properties": {
            "LogGroupName": ref(TASKS_LOG),
            "FilterPattern": pattern,
            "MetricTransformations": [transformation],
        },
    }


def _query(
    identity: str,
    namespace: str,
    name: str,
    stat: str,
    *,
    period_s: int = HOUR,
    machine: Any = None,
) -> dict[str, Any]:
    dimensions = [] if machine is None else [{"Name": "StateMachineArn", "Value": machine}]
    metric = {"Namespace": namespace, "MetricName": name, **({"Dimensions": dimensions} if dimensions else {})}
    return {
        "Id": identity,
        "ReturnData": False,
        "MetricStat": {"Metric": metric, "Stat": stat, "Period": period_s},
    }


def _alarm(name: str, description: str, expression: str, queries: Sequence[Any], **more: Any) -> dict[str, Any]:
    """Return an alarm on an expression over metrics; missing data are no breach, since an idle stack has none.

    Args:
        name: Its name, below that of the stack.
        description: The text of its message.
        expression: The expression.
        queries: The metrics of the expression.
        more: Threshold and evaluation.
    """
    result = {"Id": "result", "Expression": expression, "Label": description, "ReturnData": True}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": HAS_ALARMS,
        "Metadata": {"Price": ALARM_PRICE},
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": description,
            "AlarmActions": [ref(TOPIC)],
            "TreatMissingData": "notBreaching",
            "Metrics": [result, *queries],
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            **more,
        },
    }


def _failure_rate(names: ResourceNames) -> dict[str, Any]:
    return _alarm(
        f"{names.stack}: failures",
        "The percentage of tasks that failed in an hour, with those that were tried again",
        f"IF(ended>={LEAST_TASKS},100*failed/ended,0)",
        [_query(each, _namespace(names), name, "Sum") for each, name in (("ended", _ENDED), ("failed", _FAILED))],
        Threshold=ref("FailurePercent"),
    )


def _stall(names: ResourceNames) -> dict[str, Any]:
    """Return the alarm of a run without progress; that a run is open is only known for the account, by its Map Runs."""
    return _alarm(
        f"{names.stack}: no progress",
        "A Map Run of the account is open, but no task of this stack has ended for StallHours",
        "IF(open>0,IF(FILL(ended,0)<1,1,0),0)",
        [
            _query("open", "AWS/States", "ApproximateOpenMapRunCount", "Minimum"),
            _query("ended", _namespace(names), _ENDED, "Sum"),
        ],
        EvaluationPeriods=ref("StallHours"),
    )


def _open_map_runs(names: ResourceNames) -> dict[str, Any]:
    return _alarm(
        f"{names.stack}: open Map Runs",
        f"Open Map Runs of the account; more than {quotas.OPEN_MAP_RUNS} wait",
        "open",
        [_query("open", "AWS/States", "ApproximateOpenMapRunCount", "Maximum", period_s=300)],
        Threshold=OPEN_MAP_RUNS,
    )


def _run_report(names: ResourceNames) -> dict[str, Any]:
    return _alarm(
        f"{names.stack}: run report",
        "A run ended, but its report failed: its end was not reported; see `genomics-pipeline runs`",
        "failed",
        [_query("failed", "AWS/States", "ExecutionsFailed", "Sum", period_s=300, machine=ref(RUN_REPORT))],
    )


def _throttles(machine: PipelineStateMachine, names: ResourceNames) -> dict[str, Any]:
    """Return the alarm of throttled transitions of a state machine and of the children of its maps."""
    name = names.state_machine(machine.pipeline)
    arns = [arn("states", f"stateMachine:{each}") for each in (name, *(f"{name}/{one}" for one in machine.labels))]
    queries = [
        _query(f"m{number}", "AWS/States", "ExecutionThrottled", "Sum", period_s=300, machine=each)
        for number, each in enumerate(arns)
    ]
    return _alarm(
        f"{names.stack}: throttles of {machine.pipeline}",
        "Step Functions delays transitions: raise the quota StateTransition, or run fewer samples at once",
        "+".join(f"FILL(m{number},0)" for number in range(len(arns))),
        queries,
        EvaluationPeriods=3,
    )
