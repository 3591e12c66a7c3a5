"""Resources of CloudFormation for monitoring that moto lacks, created through the APIs of their services in moto."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import boto3
from moto.core.common_models import CloudFormationModel


def _client(service: str) -> Any:
    make: Callable[..., Any] = boto3.client
    return make(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def _alarm(properties: dict[str, Any]) -> str:
    numbers = {name: int(properties[name]) for name in ("EvaluationPeriods", "Threshold")}  # moto keeps texts
    _client("cloudwatch").put_metric_alarm(**{**properties, **numbers})
    return str(properties["AlarmName"])


def _subscription(properties: dict[str, Any]) -> str:
    return str(_client("sns").subscribe(**properties, ReturnSubscriptionArn=True)["SubscriptionArn"])


def _topic_policy(properties: dict[str, Any]) -> str:
    (topic,) = properties["Topics"]
    policy = json.dumps(properties["PolicyDocument"])
    _client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return f"{topic}-policy"


def _metric_filter(properties: dict[str, Any]) -> str:
    (transformation,) = (
        {name[0].lower() + name[1:]: value for name, value in each.items()}
        for each in properties["MetricTransformations"]
    )
    name = str(transformation["metricName"])
    _client("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"],
        filterName=name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=[transformation],
    )
    return name


def _budget(properties: dict[str, Any]) -> str:
    account = os.environ["MOTO_ACCOUNT_ID"]
    limit = properties["Budget"]["BudgetLimit"]
    budget = {**properties["Budget"], "BudgetLimit": {**limit, "Amount": str(limit["Amount"])}}
    _client("budgets").create_budget(
        AccountId=account,
        Budget=budget,
        NotificationsWithSubscribers=properties["NotificationsWithSubscribers"],
    )
    return str(budget["BudgetName"])


def _query(properties: dict[str, Any]) -> str:
    return str(properties["Name"])  # moto has no saved queries


MAKERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::Logs::MetricFilter": _metric_filter,
    "AWS::Budgets::Budget": _budget,
    "AWS::Logs::QueryDefinition": _query,
}


class MonitoringModel:
    """A resource that a function creates; each of `MODELS` is of one type."""

    kind = ""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def physical_resource_id(self) -> str:
        return self._name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.kind

    @classmethod
    def create_from_cloudformation_json(cls, name: str, document: Any, *_: Any, **__: Any) -> MonitoringModel:
        return cls(MAKERS[cls.kind](document["Properties"]))

    @classmethod
    def delete_from_cloudformation_json(cls, name: str, *_: Any, **__: Any) -> None:
        """Delete nothing: the tests reset moto."""


# moto finds the direct subclasses of its class.
MODELS = [
    type(kind.rpartition("::")[2] + "Model", (MonitoringModel, CloudFormationModel), {"kind": kind}) for kind in MAKERS
]
