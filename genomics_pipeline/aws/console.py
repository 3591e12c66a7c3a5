"""Links to AWS's console.

There are none to Map Runs: their addresses are documented nowhere. The page of an execution leads to its Map Runs.
"""

from __future__ import annotations

from urllib.parse import quote

CONSOLE_DOMAINS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def execution_link(arn: str) -> str:
    """Return the link to an execution.

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
    return f"{_home(partition, 'cloudwatch', region)}#logsV2:log-groups/log-group/{_encoded(group)}"


def log_stream_link(group: str, stream: str, partition: str, region: str) -> str:
    """Return the link to a log stream.

    Args:
        group: The name of the log group.
        stream: The name of the log stream.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        region: The Region.
    """
    return f"{log_group_link(group, partition, region)}/log-events/{_encoded(stream)}"


def job_link(job: str, partition: str, region: str) -> str:
    """Return the link to a Batch job.

    Args:
        job: The id of the job.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        region: The Region.
    """
    return f"{_home(partition, 'batch', region)}#jobs/detail/{job}"


def _encoded(name: str) -> str:
    """Return a name as the console has it behind ``#``: percent-encoded twice, with ``$`` for ``%``.

    >>> _encoded("/a/tasks"), _encoded("x [$LATEST]")
    ('$252Fa$252Ftasks', 'x$2520$255B$2524LATEST$255D')
    """
    return quote(quote(name, safe=""), safe="").replace("%", "$")


def _home(partition: str, service: str, region: str) -> str:
    return f"https://{CONSOLE_DOMAINS.get(partition, CONSOLE_DOMAINS['aws'])}/{service}/home?region={region}"
