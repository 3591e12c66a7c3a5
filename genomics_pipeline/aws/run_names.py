"""Names of the runs of a stack: each has a prefix of its own below ``runs/`` in the bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.model import run_layout


def run_names(deployment: Deployment, clients: Clients, beginning: str = "") -> Iterator[str]:
    """Yield the names of the runs, sorted; each request returns a thousand.

    Args:
        deployment: The stack.
        clients: The AWS clients.
        beginning: The beginning of the names.

    Raises:
        RunError: if the bucket cannot be listed.
    """
    pages = clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=deployment.bucket, Prefix=f"{run_layout.RUNS}{beginning}", Delimiter="/"
    )
    with aws_call(f"list the runs in s3://{deployment.bucket}/{run_layout.RUNS}"):
        for page in pages:
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"].removeprefix(run_layout.RUNS).removesuffix("/")


def rerun_name(run: str, number: int) -> str:
    """Return the name of a rerun's execution.

    >>> rerun_name("cohort-3f2a91c0d5e7", 1)
    'cohort-3f2a91c0d5e7-r1'
    """
    return f"{run}-r{number}"


def run_of(execution: str) -> str:
    """Return the name of the run from the name of an execution, its first or a rerun's.

    >>> run_of("cohort-3f2a91c0d5e7-r1"), run_of("cohort-3f2a91c0d5e7")
    ('cohort-3f2a91c0d5e7', 'cohort-3f2a91c0d5e7')
    """
    return re.sub(r"-r\d+$", "", execution)
