"""EventBridge from AWS's services to SNS, which moto lacks: the messages that rules in moto make of an event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.moto_clients import moto_client


def messages(event: Mapping[str, Any], moto: str) -> list[tuple[str, str]]:
    """Return what the rules in moto make of an event: the ARN of the target and the message, one pair a target.

    Args:
        event: The event.
        moto: The URL of moto.
    """
    from moto.events.models import EventPattern

    client = moto_client("events", moto)
    return [
        (target["Arn"], _message(target["InputTransformer"], event))
        for rule in client.list_rules()["Rules"]
        if EventPattern(None, json.loads(rule["EventPattern"])).matches_event(dict(event))  # type: ignore[arg-type]
        for target in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]


def _message(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Return the lines of a template, with the values at its paths; an empty text where a path finds nothing."""
    values = {name: _at(path, event) for name, path in transformer["InputPathsMap"].items()}
    lines = [json.loads(line) for line in transformer["InputTemplate"].splitlines()]
    return "\n".join(re.sub("<([a-z]+)>", lambda match: values[match[1]], line) for line in lines)


def _at(path: str, event: Any) -> str:
    for name in path.removeprefix("$.").split("."):
        event = event.get(name, "") if isinstance(event, dict) else ""
    return str(event)
