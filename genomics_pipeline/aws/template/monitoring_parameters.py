"""Parameters of the dashboard and the alarms, and conditions on them. Everything that costs is off by default."""

from __future__ import annotations

from typing import Any

_OFF, _ON = "off", "on"

MONITORING_PARAMETERS: dict[str, Any] = {
    "Dashboard": {
        "Type": "String",
        "Default": _OFF,
        "AllowedValues": [_OFF, _ON],
        "Description": "A CloudWatch dashboard ($3 a month beyond the account's first three)",
    },
    "Alarms": {
        "Type": "String",
        "Default": _OFF,
        "AllowedValues": [_OFF, _ON],
        "Description": "Alarms, and reports of ended runs, to an SNS topic (about $1.40 a month); on with AlarmEmail",
    },
    "AlarmEmail": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "|[^@ ]+@[^@ ]+",
        "ConstraintDescription": "an e-mail address, or nothing",
        "Description": "Address that subscribes to the topic of the alarms; SNS asks it for confirmation",
    },
    "FailurePercent": {
        "Type": "Number",
        "Default": 20,
        "MinValue": 1,
        "MaxValue": 99,
        "Description": "Failed tasks in an hour, of at least ten, that raise an alarm",
    },
    "StallHours": {
        "Type": "Number",
        "Default": 6,
        "MinValue": 1,
        "MaxValue": 24,
        "Description": "Hours without an ended task, while a Map Run is open, that raise an alarm",
    },
    "MonthlyBudget": {
        "Type": "Number",
        "Default": 0,
        "MinValue": 0,
        "Description": "Dollars a month of the stack, by its tag; alarms at 80 %, and by the forecast; 0: none",
    },
}

HAS_DASHBOARD = "HasDashboard"
HAS_ALARMS = "HasAlarms"
HAS_EMAIL = "HasEmail"
HAS_BUDGET = "HasBudget"


def _is(parameter: str, value: str) -> dict[str, Any]:
    return {"Fn::Equals": [{"Ref": parameter}, value]}


MONITORING_CONDITIONS: dict[str, Any] = {
    HAS_DASHBOARD: _is("Dashboard", _ON),
    HAS_EMAIL: {"Fn::Not": [_is("AlarmEmail", "")]},
    HAS_ALARMS: {"Fn::Or": [_is("Alarms", _ON), {"Condition": HAS_EMAIL}]},
    HAS_BUDGET: {"Fn::And": [{"Condition": HAS_ALARMS}, {"Fn::Not": [_is("MonthlyBudget", "0")]}]},
}
