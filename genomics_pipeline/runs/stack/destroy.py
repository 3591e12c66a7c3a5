"""Deletion of a stack, with or without its bucket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genomics_pipeline.aws.bucket import delete_bucket
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import BUCKET_OUTPUT
from genomics_pipeline.aws.jobs import deregister_others
from genomics_pipeline.aws.stack import delete, describe, outputs
from genomics_pipeline.aws.stack_resources import job_definitions, running_executions
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.stack.deploy import Dialog


@dataclass(frozen=True, slots=True)
class DestroyOutcome:
    """The outcome of a deletion.

    Attributes:
        kept_bucket: The bucket that was kept; None where there is none any more.
    """

    kept_bucket: str | None


def destroy(
    stack: str, delete_data: bool, clients: Clients, dialog: Dialog, report_deleted: Callable[[int], None]
) -> DestroyOutcome | None:
    """Delete a stack.

    Args:
        stack: The name of the stack.
        delete_data: Whether to delete its bucket too, with every version of every object.
        clients: The AWS clients.
        dialog: Asks for confirmation and reports the progress.
        report_deleted: Called with the number of versions of objects that are deleted so far.

    Returns:
        The outcome; None where the user did not confirm.

    Raises:
        RunError: if there is no such stack, runs are running in it, AWS refuses, or a resource cannot be deleted.
        UsageError: if nobody can answer.
    """
    description = describe(stack, clients)
    if description is None:
        raise RunError(f"stack {stack}: expected a deployed stack, found none; is the region right?")
    if runs := [name for names in running_executions(description, clients).values() for name in names]:
        raise RunError(
            f"stack {stack}: expected no running run, found {len(runs)}, such as {runs[0]}; "
            "cancel it (`genomics-pipeline cancel RUN`), or wait for its end"
        )
    bucket = outputs(description).get(BUCKET_OUTPUT)
    if not dialog.confirm(_question(stack, bucket, delete_data)):
        return None
    # An update leaves the revision before it to the runs that use it (`aws.template.tasks`): it is no resource of the
    # stack any more. This comes first, so that where it fails the stack is still there to be destroyed.
    for revision in job_definitions(description, clients):
        deregister_others(revision, clients)
    delete(description, clients, dialog.report, dialog.sleep)
    if bucket and delete_data:
        delete_bucket(bucket, clients, report_deleted)
        bucket = None
    return DestroyOutcome(bucket)


def _question(stack: str, bucket: str | None, delete_data: bool) -> str:
    question = f"Delete the stack {stack}: state machines, queues, images and logs"
    if bucket is None:
        return f"{question}?"
    if delete_data:
        return f"{question}, and s3://{bucket} with all runs and results in all versions, permanently?"
    return f"{question}; keep s3://{bucket}?"
