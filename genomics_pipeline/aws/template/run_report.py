"""The report of the end of a run: a rule of EventBridge, which starts a small state machine, which publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.deployment import RUN_REPORT
from genomics_pipeline.aws.template.functions import TemplateResources, arn, attribute, ref, sub
from genomics_pipeline.aws.template.monitoring_parameters import HAS_ALARMS
from genomics_pipeline.aws.template.report_definition import report_definition
from genomics_pipeline.aws.template.roles import SAME_ACCOUNT
from genomics_pipeline.aws.template.statement import Statement, role
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.resource_names import ResourceNames

RUN_ENDED = "RunEnded"  # the rule
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
EVENTS_PRICE = "free: events of AWS's services"
REPORT_PRICE = "$0.0001 to $0.0003 for each ended run; 4,000 state transitions a month are free"
_REPORT_ROLE, _START_ROLE = "RunReportRole", "RunReportStartRole"


def run_report(machines: Sequence[PipelineStateMachine], names: ResourceNames, topic: str) -> TemplateResources:
    """Return the rule, the state machine and their roles.

    Args:
        machines: The state machines of the pipelines.
        names: The names of the resources.
        topic: The logical id of the topic to publish to.
    """
    definition = compact(report_definition(names, f"${{{topic}}}"))
    # A generated name: no pipeline can have the same one.
    properties = {"DefinitionString": sub(definition), "RoleArn": attribute(_REPORT_ROLE, "Arn")}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    start = Statement(
        "StartReport",
        "the rule of ended runs starts the report",
        ["states:StartExecution"],
        [ref(RUN_REPORT)],
    )
    rule = {"Type": "AWS::Events::Rule", "Properties": _rule(machines, names)}
    return {
        RUN_REPORT: _priced(machine, REPORT_PRICE),
        _REPORT_ROLE: _priced(role("states.amazonaws.com", _report(machines, names, topic), SAME_ACCOUNT)),
        RUN_ENDED: _priced(rule, EVENTS_PRICE),
        # EventBridge sets the key when it assumes the role of a target: its console writes the same condition.
        _START_ROLE: _priced(role("events.amazonaws.com", [start], SAME_ACCOUNT)),
    }


def _priced(resource: dict[str, Any], price: str = "free") -> dict[str, Any]:
    return {**resource, "Condition": HAS_ALARMS, "Metadata": {**resource.get("Metadata", {}), "Price": price}}


def _report(machines: Sequence[PipelineStateMachine], names: ResourceNames, topic: str) -> list[Statement]:
    executions = [arn("states", f"execution:{names.state_machine(one.pipeline)}:*") for one in machines]
    map_runs = [
        arn("states", f"mapRun:{names.state_machine(one.pipeline)}/{label}:*")
        for one in machines
        for label in one.labels
    ]
    publish = Statement("Publish", "the report is a message to the topic of the alarms", ["sns:Publish"], [ref(topic)])
    find = Statement(
        "FindMapRuns",
        "the report counts the items of a run; its name exists only then",
        ["states:ListMapRuns"],
        executions,
    )
    count = Statement(
        "CountItems", "the report counts the items of a run, by its Map Runs' ids", ["states:DescribeMapRun"], map_runs
    )
    return [publish, find, *([count] if map_runs else [])]


def _rule(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> dict[str, Any]:
    """Return the rule of the ends of runs; children of a map have other ARNs of state machines, and do not match."""
    arns = [arn("states", f"stateMachine:{names.state_machine(machine.pipeline)}") for machine in machines]
    return {
        "Description": "Reports the end of each run",
        "State": "ENABLED",
        "EventPattern": {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"status": list(ENDS), "stateMachineArn": arns},
        },
        "Targets": [{"Id": "Report", "Arn": ref(RUN_REPORT), "RoleArn": attribute(_START_ROLE, "Arn")}],
    }
