"""Change sets and events in pages and states as CloudFormation returns them, by botocore's stubs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.stack import (
    Change,
    ChangeSet,
    StackEvent,
    delete,
    execute,
    make_change_set,
    parameter_values,
)
from genomics_pipeline.cli.adapters import aws_clients
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/0f"
ARN = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/deploy-0/1e"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEMPLATE: dict[str, Any] = {"Parameters": {"MaxVcpus": {}, "VpcId": {}}, "Resources": {}}


def test_parameters_of_a_change_set_that_was_never_executed_are_not_those_of_the_stack() -> None:
    stack: Any = {"StackStatus": "CREATE_COMPLETE", "Parameters": [{"ParameterKey": "A", "ParameterValue": "1"}]}
    assert parameter_values(stack) == {"A": "1"}
    stack["StackStatus"] = "REVIEW_IN_PROGRESS"
    assert parameter_values(stack) == {}


def no_wait(seconds: float) -> None:
    pytest.fail(f"waited {seconds} s")


@pytest.fixture
def clients(aws: str) -> Clients:
    return aws_clients()


@pytest.fixture
def stub(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.cloudformation) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def stacks(status: str, **more: Any) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "StackId": STACK, "CreationTime": NOW, "StackStatus": status, **more}]}


def change_set(status: str, **more: Any) -> dict[str, Any]:
    return {"ChangeSetId": ARN, "StackId": STACK, "StackName": "s", "Status": status, **more}


def change(action: str, name: str, **more: Any) -> dict[str, Any]:
    resource_change = {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::S3::Bucket", **more}
    return {"Type": "Resource", "ResourceChange": resource_change}


def events(*rows: tuple[str, str, str], more: str | None = None) -> dict[str, Any]:
    """Return a page of events (id, resource, status), newest first; the resource `s` is the stack."""
    page = [
        {
            "StackId": STACK,
            "EventId": name,
            "StackName": "s",
            "LogicalResourceId": resource,
            "PhysicalResourceId": STACK if resource == "s" else resource,
            "ResourceType": "AWS::CloudFormation::Stack" if resource == "s" else "AWS::S3::Bucket",
            "Timestamp": NOW,
            "ResourceStatus": status.partition(": ")[0],
            **({"ResourceStatusReason": status.partition(": ")[2]} if ": " in status else {}),
        }
        for name, resource, status in rows
    ]
    return {"StackEvents": page, **({"NextToken": more} if more else {})}


def expect_no_stack(stub: Stubber) -> None:
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id s does not exist", 400)


def test_a_change_set_of_a_new_stack(clients: Clients, stub: Stubber) -> None:
    expect_no_stack(stub)
    request = {
        "StackName": "s",
        "ChangeSetName": ANY,
        "ChangeSetType": "CREATE",
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": "genomics-pipeline", "Value": "s"}],
        "Parameters": [{"ParameterKey": "MaxVcpus", "ParameterValue": "8"}],
        "TemplateBody": '{"Parameters":{"MaxVcpus":{},"VpcId":{}},"Resources":{}}',
    }
    stub.add_response("create_change_set", {"Id": ARN, "StackId": STACK}, request)
    stub.add_response("describe_change_set", change_set("CREATE_PENDING"))
    stub.add_response("describe_change_set", change_set("CREATE_IN_PROGRESS"))
    first = change_set("CREATE_COMPLETE", Changes=[change("Add", "A")], NextToken="2")
    stub.add_response("describe_change_set", first)
    second = change_set("CREATE_COMPLETE", Changes=[change("Modify", "B", Replacement="True")])
    stub.add_response("describe_change_set", second, {"ChangeSetName": ARN, "StackName": STACK, "NextToken": "2"})
    slept: list[float] = []
    result = make_change_set("s", TEMPLATE, {"MaxVcpus": "8"}, None, clients, slept.append)
    changes = (Change("Add", "A", "AWS::S3::Bucket", ""), Change("Modify", "B", "AWS::S3::Bucket", "True"))
    assert result == ChangeSet(ARN, STACK, changes)
    assert slept == [5.0, 5.0]


def test_omitted_parameters_keep_their_values(clients: Clients, stub: Stubber) -> None:
    # A parameter that is new in the template has its default.
    stub.add_response(
        "describe_stacks",
        stacks("CREATE_COMPLETE", Parameters=[{"ParameterKey": "MaxVcpus"}, {"ParameterKey": "Gone"}]),
    )
    request = {
        "StackName": "s",
        "ChangeSetName": ANY,
        "ChangeSetType": "UPDATE",
        "Capabilities": ANY,
        "Tags": ANY,
        "Parameters": [{"ParameterKey": "MaxVcpus", "UsePreviousValue": True}],
        "TemplateBody": ANY,
    }
    stub.add_response("create_change_set", {"Id": ARN, "StackId": STACK}, request)
    stub.add_response("describe_change_set", change_set("CREATE_COMPLETE"))
    assert make_change_set("s", TEMPLATE, {}, None, clients, no_wait) == ChangeSet(ARN, STACK, ())


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_a_stack_without_changes(clients: Clients, stub: Stubber, reason: str) -> None:
    stub.add_response("describe_stacks", stacks("UPDATE_COMPLETE"))
    stub.add_response("create_change_set", {"Id": ARN, "StackId": STACK})
    stub.add_response("describe_change_set", change_set("FAILED", StatusReason=reason))
    stub.add_response("delete_change_set", {}, {"ChangeSetName": ARN, "StackName": STACK})
    assert make_change_set("s", TEMPLATE, {}, None, clients, no_wait) == ChangeSet(ARN, STACK, (), needed=False)


def test_a_failed_change_set_is_deleted_and_reported(clients: Clients, stub: Stubber) -> None:
    stub.add_response("describe_stacks", stacks("UPDATE_COMPLETE"))
    stub.add_response("create_change_set", {"Id": ARN, "StackId": STACK})
    stub.add_response("describe_change_set", change_set("FAILED", StatusReason="VpcId is none"))
    stub.add_response("delete_change_set", {})
    with pytest.raises(RunError, match=r"^change set of the stack s: FAILED: VpcId is none$"):
        make_change_set("s", TEMPLATE, {}, None, clients, no_wait)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_stack_that_can_only_be_deleted_is_refused(clients: Clients, stub: Stubber, status: str) -> None:
    stub.add_response("describe_stacks", stacks(status))
    expected = (
        f"stack s: expected a stack that can be changed, found {status}; run `genomics-pipeline destroy`, then deploy"
    )
    with pytest.raises(RunError, match=expected):
        make_change_set("s", TEMPLATE, {}, None, clients, no_wait)


def test_a_template_of_more_than_a_megabyte_is_refused(clients: Clients, stub: Stubber) -> None:
    stub.add_response("describe_stacks", stacks("CREATE_COMPLETE"))
    template = {**TEMPLATE, "Description": "x" * quotas.TEMPLATE_OBJECT.value}
    with pytest.raises(RunError, match="the template: AWS allows 1000000 bytes, found 1000073; divide the pipelines"):
        make_change_set("s", template, {}, "bucket", clients, no_wait)


def test_a_template_is_uploaded_to_the_bucket(clients: Clients, stub: Stubber) -> None:
    clients.s3.create_bucket(Bucket="long-template")
    stub.add_response("describe_stacks", stacks("CREATE_COMPLETE"))
    key = "templates/99286a6562cd.json"
    request = dict.fromkeys(("StackName", "ChangeSetName", "ChangeSetType", "Capabilities", "Tags", "Parameters"), ANY)
    url = f"https://long-template.s3.us-east-1.amazonaws.com/{key}"
    stub.add_response("create_change_set", {"Id": ARN, "StackId": STACK}, {**request, "TemplateURL": url})
    stub.add_response("describe_change_set", change_set("CREATE_COMPLETE"))
    template = {**TEMPLATE, "Description": "x" * quotas.TEMPLATE_BODY.value}
    make_change_set("s", template, {}, "long-template", clients, no_wait)
    assert clients.s3.head_object(Bucket="long-template", Key=key)["ContentLength"] == 51273
    clients.s3.delete_object(Bucket="long-template", Key=key)
    clients.s3.delete_bucket(Bucket="long-template")


def test_events_are_reported_once_and_the_stacks_own_event_ends_it(clients: Clients, stub: Stubber) -> None:
    # The stack's status may be outdated for a moment, so a new event of the stack itself decides.
    before = ("0", "s", "UPDATE_COMPLETE")
    stub.add_response("describe_stack_events", events(before))
    stub.add_response("execute_change_set", {}, {"ChangeSetName": ARN, "StackName": STACK})
    stub.add_response("describe_stack_events", events(before))
    stub.add_response(
        "describe_stack_events", events(("2", "A", "CREATE_COMPLETE"), ("1", "s", "UPDATE_IN_PROGRESS"), before)
    )
    stub.add_response("describe_stack_events", events(("4", "s", "UPDATE_COMPLETE"), more="2"))
    stub.add_response("describe_stack_events", events(("3", "s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), before))
    stub.add_response("describe_stacks", stacks("UPDATE_COMPLETE"), {"StackName": STACK})
    reported: list[StackEvent] = []
    slept: list[float] = []
    assert execute(ChangeSet(ARN, STACK, ()), clients, reported.append, slept.append)["StackId"] == STACK
    assert [(event.resource, event.status) for event in reported] == [
        ("s", "UPDATE_IN_PROGRESS"),
        ("A", "CREATE_COMPLETE"),
        ("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("s", "UPDATE_COMPLETE"),
    ]
    assert slept == [5.0, 5.0]


def test_the_cause_of_a_failure_is_reported_without_its_consequences(clients: Clients, stub: Stubber) -> None:
    stub.add_response("describe_stack_events", events())
    stub.add_response("execute_change_set", {})
    page = events(
        ("6", "s", "ROLLBACK_COMPLETE"),
        ("5", "A", "DELETE_COMPLETE"),
        ("4", "s", "ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [A, B]."),
        ("3", "B", "CREATE_FAILED: Resource creation cancelled"),
        ("2", "A", "CREATE_FAILED: You have reached the limit of 50 compute environments"),
        ("1", "s", "CREATE_IN_PROGRESS: User Initiated"),
    )
    stub.add_response("describe_stack_events", page)
    stub.add_response("describe_stacks", stacks("ROLLBACK_COMPLETE"))
    with pytest.raises(RunError) as error:
        execute(ChangeSet(ARN, STACK, ()), clients, lambda _: None, no_wait)
    assert str(error.value) == (
        "stack s: ROLLBACK_COMPLETE: A (AWS::S3::Bucket): You have reached the limit of 50 compute environments"
    )


def test_a_failed_deletion_is_reported(clients: Clients, stub: Stubber) -> None:
    stub.add_response("describe_stack_events", events())
    stub.add_response("delete_stack", {}, {"StackName": STACK})
    stub.add_response(
        "describe_stack_events", events(("2", "s", "DELETE_FAILED"), ("1", "A", "DELETE_FAILED: it is in use"))
    )
    stub.add_response("describe_stacks", stacks("DELETE_FAILED"))
    (stack,) = stacks("CREATE_COMPLETE")["Stacks"]
    with pytest.raises(RunError, match=r"^stack s: DELETE_FAILED: A \(AWS::S3::Bucket\): it is in use$"):
        delete(stack, clients, lambda _: None, no_wait)
