"""Changes of a CloudFormation stack: change sets, their execution and the events."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import COST_TAG

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        DescribeChangeSetOutputTypeDef,
        ParameterTypeDef,
        StackEventTypeDef,
        StackTypeDef,
    )

POLL_S = 5.0
IN_REVIEW = "REVIEW_IN_PROGRESS"  # only a change set was created for it
# Stacks that no change set can be created for: their creation failed, and they can only be deleted.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
_CONSEQUENCE = "cancelled"  # "Resource creation cancelled": because another resource failed

Say = Callable[["StackEvent"], None]
Sleep = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one resource in a change set.

    Attributes:
        action: ``Add``, ``Modify``, ``Remove``, ``Import`` or ``Dynamic``.
        resource: The logical id of the resource.
        type: The type of the resource.
        replacement: ``True``, ``False`` or ``Conditional`` for ``Modify``; empty otherwise.
    """

    action: str
    resource: str
    type: str
    replacement: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set of a stack.

    Attributes:
        arn: The ARN of the change set.
        stack: The stack's id.
        changes: The changes, one for each resource; none if only outputs change.
        needed: There is something to execute.
    """

    arn: str
    stack: str
    changes: tuple[Change, ...]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class StackEvent:
    """An event of a resource of the stack, or of the stack itself."""

    resource: str
    type: str
    status: str
    reason: str


def describe(stack: str, clients: Clients) -> StackTypeDef | None:
    """Return the stack with a name or id; None if there is none.

    Raises:
        RunError: if a call fails.
    """
    from botocore.exceptions import ClientError

    with aws_call(f"find the stack {stack}"):
        try:
            return clients.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise


def outputs(description: StackTypeDef) -> dict[str, str]:
    """Return the outputs of a stack by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", ())}


def parameter_values(description: StackTypeDef | None) -> dict[str, str]:
    """Return the values of a stack's parameters by name; none of a stack that does not exist, or was never created."""
    if description is None or description["StackStatus"] == IN_REVIEW:
        return {}
    parameters = description.get("Parameters", ())
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in parameters}


def make_change_set(
    stack: str,
    template: Mapping[str, Any],
    parameters: Mapping[str, str],
    bucket: str | None,
    clients: Clients,
    sleep: Sleep,
) -> ChangeSet:
    """Create a change set, which shows what a template would change; nothing is changed yet.

    Parameters without a new value keep their previous one.

    Args:
        stack: The stack's name.
        template: The template.
        parameters: New values of parameters.
        bucket: The stack's bucket, to which the template is uploaded; None while there is none.
        clients: The AWS clients.
        sleep: Waits between two calls.

    Raises:
        RunError: if the template or its parameters are refused, or the stack cannot be changed.
    """
    description = describe(stack, clients)
    if description and description["StackStatus"] in DEAD:
        raise RunError(
            f"stack {stack}: expected a stack that can be changed, found {description['StackStatus']}; "
            "run `genomics-pipeline destroy`, then deploy again"
        )
    exists = description is not None and description["StackStatus"] != IN_REVIEW
    existing = parameter_values(description)
    body = json.dumps(template, ensure_ascii=False, separators=(",", ":"))
    with aws_call(f"create a change set of the stack {stack}"):
        source: Any = {"TemplateURL": _upload(body, bucket, clients)} if bucket else {"TemplateBody": body}
        answer = clients.cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"deploy-{uuid4().hex[:12]}",
            ChangeSetType="UPDATE" if exists else "CREATE",
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": COST_TAG, "Value": stack}],
            Parameters=_parameters(template, parameters, existing),
            **source,
        )
        return _wait_for_change_set(answer["Id"], answer["StackId"], clients, sleep)


def _parameters(
    template: Mapping[str, Any], values: Mapping[str, str], existing: Collection[str]
) -> list[ParameterTypeDef]:
    """Return the new values of parameters, and references to the previous values of all others of the stack."""
    previous = [key for key in template["Parameters"] if key in existing and key not in values]
    parameters: list[ParameterTypeDef] = []
    parameters += [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    parameters += [{"ParameterKey": key, "UsePreviousValue": True} for key in previous]
    return parameters


def _upload(body: str, bucket: str, clients: Clients) -> str:
    """Upload a template, which may be longer in a bucket than in a request, and return its URL.

    Raises:
        RunError: if it is too long.
    """
    content = body.encode()
    if len(content) > quotas.TEMPLATE_OBJECT.value:
        raise RunError(
            f"the template: AWS allows {quotas.TEMPLATE_OBJECT}, found {len(content)}; "
            "divide the pipelines among several stacks (--stack, --pipeline)"
        )
    key = run_layout.template_object(sha256(content).hexdigest()[:12])
    clients.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/json")
    region = clients.s3.meta.region_name
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{bucket}.s3.{region}.{suffix}/{key}"


def _wait_for_change_set(arn: str, stack_id: str, clients: Clients, sleep: Sleep) -> ChangeSet:
    while True:
        description = clients.cloudformation.describe_change_set(ChangeSetName=arn, StackName=stack_id)
        if description["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            sleep(POLL_S)
        elif description["Status"] == "CREATE_COMPLETE":
            return ChangeSet(arn, stack_id, tuple(_changes(description, clients)))
        else:
            reason = description.get("StatusReason", "")
            clients.cloudformation.delete_change_set(ChangeSetName=arn, StackName=stack_id)
            if any(text in reason for text in _UNCHANGED):
                return ChangeSet(arn, stack_id, (), needed=False)
            raise RunError(f"change set of the stack {description['StackName']}: {description['Status']}: {reason}")


def _changes(page: DescribeChangeSetOutputTypeDef, clients: Clients) -> Iterator[Change]:
    while True:
        for entry in page.get("Changes", ()):
            change = entry["ResourceChange"]
            yield Change(
                change["Action"], change["LogicalResourceId"], change["ResourceType"], change.get("Replacement", "")
            )
        if not page.get("NextToken"):
            return
        page = clients.cloudformation.describe_change_set(
            ChangeSetName=page["ChangeSetId"], StackName=page["StackId"], NextToken=page["NextToken"]
        )


def discard(change_set: ChangeSet, clients: Clients) -> None:
    """Delete a change set, and the stack if the change set would have created it.

    Raises:
        RunError: if AWS refuses.
    """
    with aws_call(f"delete the change set {change_set.arn}"):
        description = describe(change_set.stack, clients)
        clients.cloudformation.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)
        if description and description["StackStatus"] == IN_REVIEW:
            clients.cloudformation.delete_stack(StackName=change_set.stack)


def execute(change_set: ChangeSet, clients: Clients, say: Say, sleep: Sleep) -> StackTypeDef:
    """Execute a change set, wait for its end and return the stack.

    Args:
        change_set: A change set with ``needed``.
        clients: The AWS clients.
        say: Called with every event.
        sleep: Waits between two calls.

    Raises:
        RunError: with the reason, if a resource failed.
    """
    with aws_call(f"execute the change set {change_set.arn}"):
        seen = {event["EventId"] for event in _new_events(change_set.stack, set(), clients)}
        clients.cloudformation.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)
        return _follow(change_set.stack, seen, clients, say, sleep)


def delete(description: StackTypeDef, clients: Clients, say: Say, sleep: Sleep) -> None:
    """Delete a stack and wait for its end; retained resources stay.

    Raises:
        RunError: with the reason, if a resource could not be deleted.
    """
    stack_id = description["StackId"]
    with aws_call(f"delete the stack {description['StackName']}"):
        seen = {event["EventId"] for event in _new_events(stack_id, set(), clients)}
        clients.cloudformation.delete_stack(StackName=stack_id)
        _follow(stack_id, seen, clients, say, sleep)


def _new_events(stack_id: str, seen: Collection[str], clients: Clients) -> list[StackEventTypeDef]:
    """Return the events that are not in `seen`, the oldest first; AWS returns the newest first."""
    events: list[StackEventTypeDef] = []
    for page in clients.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:
            if event["EventId"] in seen:
                return events[::-1]
            events.append(event)
    return events[::-1]


def _follow(stack_id: str, seen: set[str], clients: Clients, say: Say, sleep: Sleep) -> StackTypeDef:
    """Wait for the event of the stack itself that ends the change; its status may be outdated for a moment."""
    failed: list[StackEvent] = []
    while True:
        ended = ""
        for raw in _new_events(stack_id, seen, clients):
            seen.add(raw["EventId"])
            event = StackEvent(
                raw["LogicalResourceId"],
                raw["ResourceType"],
                raw["ResourceStatus"],
                raw.get("ResourceStatusReason", ""),
            )
            say(event)
            if raw.get("PhysicalResourceId") == stack_id:
                ended = "" if event.status.endswith("_IN_PROGRESS") else event.status
            elif event.status.endswith("_FAILED") and _CONSEQUENCE not in event.reason:
                failed.append(event)
        if ended:
            description = clients.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
            if ended not in GOOD:
                raise RunError(_failure_message(description, ended, failed))
            return description
        sleep(POLL_S)


def _failure_message(stack: StackTypeDef, ended: str, failed: Sequence[StackEvent]) -> str:
    what = "; ".join(f"{event.resource} ({event.type}): {event.reason or event.status}" for event in failed)
    return f"stack {stack['StackName']}: {ended}: {what or stack.get('StackStatusReason', 'AWS gives no reason')}"
