"""A stack taken away; its bucket only where that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genomics_pipeline.aws.bucket import delete_bucket
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import BUCKET_OUTPUT
from genomics_pipeline.aws.stack import delete, describe, outputs, running_executions
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.stack.deploy import Talk


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What is left: the bucket, where there was one and its data were kept."""

    kept: str | None


def destroy(
    stack: str, delete_data: bool, clients: Clients, talk: Talk, deleted: Callable[[int], None]
) -> Destroyed | None:
    """Delete a stack.

    Args:
        stack: Its name.
        delete_data: Whether its bucket goes too, with every version of every object.
        clients: AWS.
        talk: Is asked, and told how it goes.
        deleted: Is told how many versions of objects are deleted so far.

    Returns:
        What is left; None where the answer was no.

    Raises:
        RunError: if there is no such stack, runs go on in it, AWS refuses, or a resource cannot be deleted.
        UsageError: if nobody can be asked.
    """
    found = describe(stack, clients)
    if found is None:
        raise RunError(f"stack {stack}: expected a deployed stack, found none; is the region right?")
    if runs := running_executions(found, clients):
        raise RunError(
            f"stack {stack}: expected no run to go on, found {len(runs)}, such as {runs[0]}; "
            "`genomics-pipeline cancel RUN`, or wait for its end"
        )
    bucket = outputs(found).get(BUCKET_OUTPUT)
    if not talk.confirm(_question(stack, bucket, delete_data)):
        return None
    delete(found, clients, talk.say, talk.sleep)
    if bucket and delete_data:
        delete_bucket(bucket, clients, deleted)
        bucket = None
    return Destroyed(bucket)


def _question(stack: str, bucket: str | None, delete_data: bool) -> str:
    what = f"Delete the stack {stack}: state machines, queues, images and logs"
    if bucket is None:
        return f"{what}?"
    if delete_data:
        return f"{what}, and s3://{bucket} with all runs and results in all versions, for ever?"
    return f"{what}; keep s3://{bucket}?"
