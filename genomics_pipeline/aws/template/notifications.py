"""The topic of alarms, and what publishes to it besides alarms: ends of runs, blocked queues, the monthly budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, arn, attribute, ref, sub
from genomics_pipeline.aws.template.monitoring_parameters import HAS_ALARMS, HAS_BUDGET, HAS_EMAIL
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model.resource_names import COST_TAG, ResourceNames

TOPIC = "AlarmTopic"
RUN_ENDED, QUEUE_BLOCKED = "RunEnded", "QueueBlocked"  # rules
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
TOPIC_PRICE = "free up to 1,000 e-mails a month, then $2 for 100,000"
EVENTS_PRICE = "free: events of AWS's services"
BUDGET_PRICE = "free: a budget without actions"


def notifications(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> TemplateResources:
    """Return topic, subscription, rules and budget."""
    return {
        TOPIC: _resource("AWS::SNS::Topic", TOPIC_PRICE, {"TopicName": names.alarm_topic}),
        "AlarmTopicPolicy": _resource("AWS::SNS::TopicPolicy", "free", _topic_policy(names)),
        "AlarmSubscription": _resource(
            "AWS::SNS::Subscription",
            TOPIC_PRICE,
            {"TopicArn": ref(TOPIC), "Protocol": "email", "Endpoint": ref("AlarmEmail")},
            HAS_EMAIL,
        ),
        RUN_ENDED: _run_ended(machines, names),
        QUEUE_BLOCKED: _queue_blocked(names),
        "Budget": _resource("AWS::Budgets::Budget", BUDGET_PRICE, _budget(names), HAS_BUDGET),
    }


def _resource(kind: str, price: str, properties: dict[str, Any], condition: str = HAS_ALARMS) -> dict[str, Any]:
    return {"Type": kind, "Condition": condition, "Metadata": {"Price": price}, "Properties": properties}


def _topic_policy(names: ResourceNames) -> dict[str, Any]:
    """Return a policy by which only the stack's alarms and rules, and the account's budgets, publish."""

    def publish(sid: str, service: str, sources: Sequence[Any]) -> dict[str, Any]:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": ref(TOPIC),
            "Condition": {
                "ArnLike": {"aws:SourceArn": list(sources)},
                "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            },
        }

    # EventBridge sends the ARN of the rule, but not the account.
    rules = publish("Rules", "events", [attribute(RUN_ENDED, "Arn"), attribute(QUEUE_BLOCKED, "Arn")])
    del rules["Condition"]["StringEquals"]
    statements = [
        publish("Alarms", "cloudwatch", [arn("cloudwatch", f"alarm:{names.stack}: *")]),
        rules,
        publish("Budgets", "budgets", [sub("arn:${AWS::Partition}:budgets::${AWS::AccountId}:*")]),
    ]
    return {"Topics": [ref(TOPIC)], "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _rule(description: str, pattern: dict[str, Any], paths: dict[str, str], lines: Sequence[str]) -> dict[str, Any]:
    """Return a rule whose target is the topic.

    Args:
        description: Its description.
        pattern: The events.
        paths: JSONPaths into the event, by the name in the lines.
        lines: The lines of the message, with the names in angle brackets.
    """
    template = "\n".join(f'"{line}"' for line in lines)  # several quoted lines: EventBridge joins them
    target = {
        "Id": "Topic",
        "Arn": ref(TOPIC),
        "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template},
    }
    properties = {"Description": description, "State": "ENABLED", "EventPattern": pattern, "Targets": [target]}
    return _resource("AWS::Events::Rule", EVENTS_PRICE, properties)


def _run_ended(machines: Sequence[PipelineStateMachine], names: ResourceNames) -> dict[str, Any]:
    """Return the rule of the ends of runs; children of a map have other ARNs of state machines, and do not match."""
    arns = [arn("states", f"stateMachine:{names.state_machine(machine.pipeline)}") for machine in machines]
    execution = "https://console.aws.amazon.com/states/home?region=<region>#/v2/executions/details/<arn>"
    return _rule(
        "Reports the end of each run",
        {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"status": list(ENDS), "stateMachineArn": arns},
        },
        {
            "run": "$.detail.name",
            "status": "$.detail.status",
            "error": "$.detail.error",
            "time": "$.time",
            "region": "$.region",
            "arn": "$.detail.executionArn",
        },
        [
            "Run <run>: <status> at <time>. Error, if any: <error>",
            f"Samples, failures and next commands: genomics-pipeline status <run> --stack {names.stack}",
            f"Console: {execution}",
        ],
    )


def _queue_blocked(names: ResourceNames) -> dict[str, Any]:
    queues = [arn("batch", f"job-queue/{queue}") for queue in (names.job_queue, names.on_demand_queue)]
    return _rule(
        "Reports a job that blocks a queue",
        {
            "source": ["aws.batch"],
            "detail-type": ["Batch Job Queue Blocked"],
            "detail": {"jobQueue": queues},
        },
        {
            "queue": "$.detail.jobQueue",
            "job": "$.detail.jobName",
            "id": "$.detail.jobId",
            "reason": "$.detail.statusReason",
            "region": "$.region",
        },
        [
            "The queue <queue> is blocked by the job <job>: <reason>",
            "Console: https://console.aws.amazon.com/batch/home?region=<region>#jobs/detail/<id>",
        ],
    )


def _budget(names: ResourceNames) -> dict[str, Any]:
    """Return a monthly budget of the costs with the tag of the stack."""

    def notification(kind: str, percent: int) -> dict[str, Any]:
        return {
            "Notification": {
                "NotificationType": kind,
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": percent,
                "ThresholdType": "PERCENTAGE",
            },
            "Subscribers": [{"SubscriptionType": "SNS", "Address": ref(TOPIC)}],
        }

    return {
        "Budget": {
            "BudgetName": names.stack,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": ref("MonthlyBudget"), "Unit": "USD"},
            "CostFilters": {"TagKeyValue": [f"user:{COST_TAG}${names.stack}"]},
        },
        "NotificationsWithSubscribers": [notification("ACTUAL", 80), notification("FORECASTED", 100)],
    }
