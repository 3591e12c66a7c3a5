"""The topic of alarms, and what publishes to it besides alarms: ends of runs, blocked queues, the monthly budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.aws.console import CONSOLE_DOMAINS
from genomics_pipeline.aws.template.functions import TemplateResources, arn, attribute, ref, sub
from genomics_pipeline.aws.template.intake import INTAKE_FAILED, intake_failed
from genomics_pipeline.aws.template.monitoring_parameters import HAS_ALARMS, HAS_BUDGET, HAS_EMAIL
from genomics_pipeline.aws.template.run_report import EVENTS_PRICE, run_report
from genomics_pipeline.aws.template.states import PipelineStateMachine
from genomics_pipeline.model.resource_names import COST_TAG, ResourceNames

TOPIC = "AlarmTopic"
QUEUE_BLOCKED = "QueueBlocked"  # a rule
TOPIC_PRICE = "free up to 1,000 e-mails a month, then $2 for 100,000"
PARTITIONS, CONSOLE = "Partitions", "Console"  # a mapping of the template and its key
BUDGET_PRICE = "free: a budget without actions"


def partitions() -> dict[str, Any]:
    """Return the mapping of the template that the notifications use: the domains of the console."""
    return {PARTITIONS: {partition: {CONSOLE: domain} for partition, domain in CONSOLE_DOMAINS.items()}}


def notifications(
    machines: Sequence[PipelineStateMachine], names: ResourceNames, *, has_jobs: bool = True, has_intake: bool = False
) -> TemplateResources:
    """Return topic, subscription, the report of ended runs, the rule of blocked queues, and budget.

    Args:
        machines: The state machines of the pipelines.
        names: The names of the resources.
        has_jobs: Whether the stack has job queues, which may be blocked.
        has_intake: Whether the stack has an intake, whose failures are reported too.
    """
    rules = [*([QUEUE_BLOCKED] if has_jobs else []), *([INTAKE_FAILED] if has_intake else [])]
    return {
        TOPIC: _resource("AWS::SNS::Topic", TOPIC_PRICE, {"TopicName": names.alarm_topic}),
        "AlarmTopicPolicy": _resource("AWS::SNS::TopicPolicy", "free", _topic_policy(names, rules)),
        "AlarmSubscription": _resource(
            "AWS::SNS::Subscription",
            TOPIC_PRICE,
            {"TopicArn": ref(TOPIC), "Protocol": "email", "Endpoint": ref("AlarmEmail")},
            HAS_EMAIL,
        ),
        **run_report(machines, names, TOPIC),
        **({QUEUE_BLOCKED: _queue_blocked(names)} if has_jobs else {}),
        **({INTAKE_FAILED: intake_failed(names, TOPIC)} if has_intake else {}),
        "Budget": _resource("AWS::Budgets::Budget", BUDGET_PRICE, _budget(names), HAS_BUDGET),
    }


def _resource(kind: str, price: str, properties: dict[str, Any], condition: str = HAS_ALARMS) -> dict[str, Any]:
    return {"Type": kind, "Condition": condition, "Metadata": {"Price": price}, "Properties": properties}


def _topic_policy(names: ResourceNames, publishing: Sequence[str]) -> dict[str, Any]:
    """Return a policy by which only the stack's alarms and some of its rules, and the account's budgets, publish.

    The report of ended runs publishes by the right of its role.

    Args:
        names: The names of the resources.
        publishing: The logical ids of the rules.
    """

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
    rules = publish("Rules", "events", [attribute(rule, "Arn") for rule in publishing])
    del rules["Condition"]["StringEquals"]
    statements = [
        publish("Alarms", "cloudwatch", [arn("cloudwatch", f"alarm:{names.stack}: *")]),
        *([rules] if publishing else []),
        publish("Budgets", "budgets", [sub("arn:${AWS::Partition}:budgets::${AWS::AccountId}:*")]),
    ]
    return {"Topics": [ref(TOPIC)], "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _queue_blocked(names: ResourceNames) -> dict[str, Any]:
    queues = [arn("batch", f"job-queue/{queue}") for queue in (names.job_queue, names.on_demand_queue)]
    paths = {
        "queue": "$.detail.jobQueue",
        "id": "$.detail.jobId",  # not the name, which holds that of a sample
        "reason": "$.detail.statusReason",
        "region": "$.region",
    }
    lines = [
        "The queue <queue> is blocked by the job <id>: <reason>",
        f"Console: https://${{{CONSOLE}}}/batch/home?region=<region>#jobs/detail/<id>",
    ]
    template = "\n".join(f'"{line}"' for line in lines)  # several quoted lines: EventBridge joins them
    domain = {"Fn::FindInMap": [PARTITIONS, ref("AWS::Partition"), CONSOLE]}
    transformer = {"InputPathsMap": paths, "InputTemplate": {"Fn::Sub": [template, {CONSOLE: domain}]}}
    properties = {
        "Description": "Reports a job that blocks a queue",
        "State": "ENABLED",
        "EventPattern": {
            "source": ["aws.batch"],
            "detail-type": ["Batch Job Queue Blocked"],
            "detail": {"jobQueue": queues},
        },
        "Targets": [{"Id": "Topic", "Arn": ref(TOPIC), "InputTransformer": transformer}],
    }
    return _resource("AWS::Events::Rule", EVENTS_PRICE, properties)


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
