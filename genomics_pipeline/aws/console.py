"""Links to AWS's console."""

from __future__ import annotations

from urllib.parse import quote

DOMAINS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def execution_link(arn: str) -> str:
    """Return the link to an execution, whose page leads to its Map Runs and their children.

    >>> execution_link("arn:aws:states:eu-central-1:1:execution:m:r")[:60]
    'https://console.aws.amazon.com/states/home?region=eu-central'
    """
    _, partition, _, region, _ = arn.split(":", 4)
    return f"{_home(partition, 'states', region)}#/v2/executions/details/{arn}"


def log_group_link(group: str, partition: str, region: str) -> str:
    """Return the link to a log group, with its log streams.

    Args:
        group: The name of the log group.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        region: The Region.
    """
    name = quote(quote(group, safe=""), safe="").replace("%", "$")  # as the console writes it
    return f"{_home(partition, 'cloudwatch', region)}#logsV2:log-groups/log-group/{name}"


def _home(partition: str, service: str, region: str) -> str:
    return f"https://{DOMAINS.get(partition, DOMAINS['aws'])}/{service}/home?region={region}"
