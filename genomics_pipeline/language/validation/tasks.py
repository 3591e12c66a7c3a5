"""Checks of Task states: the Resource, and the fields that it requires."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genomics_pipeline.language.validation.diagnostics import Diagnostic, schema_violation
from genomics_pipeline.language.walker import JSONATA, JSONPATH, StateNode

NOT_AN_ARN = "Value is not a valid resource ARN"

_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:")
_PATTERN = re.compile(r"\.(sync|waitForTaskToken)(:2)?$")
_INTEGRATION = re.compile(r"arn:[^:]+:states:::(?P<action>(aws-sdk:)?[^:]+:[^:.]+)(\.sync|\.waitForTaskToken)?(:2)?")

# Required members of requests. Batch's are from botocore's model, the others measured on AWS (badmintoncryer/
# cdk-preflight, pf-sfn-asl-integration-parameters).
_REQUIRED = {
    "batch:submitJob": ("JobDefinition", "JobName", "JobQueue"),
    "dynamodb:getItem": ("TableName", "Key"),
    "dynamodb:putItem": ("TableName", "Item"),
    "ecs:runTask": ("TaskDefinition",),
    "events:putEvents": ("Entries",),
    "glue:startJobRun": ("JobName",),
    "lambda:invoke": ("FunctionName",),
    "sns:publish": ("Message",),
    "sqs:sendMessage": ("QueueUrl", "MessageBody"),
    "states:startExecution": ("StateMachineArn",),
}


def check_task(state: StateNode) -> Iterator[Diagnostic]:
    """Yield the problems of a Task that its fields' schema does not describe."""
    if state.kind != "Task":
        return
    resource = state.node.get("Resource")
    if isinstance(resource, str):
        yield from _check_resource(resource, f"{state.path}/Resource", express=state.machine.express)
        yield from _check_request(state, resource)
    yield from _check_credentials(state, resource)
    yield from _check_heartbeat(state)


def _check_resource(resource: str, path: str, *, express: bool) -> Iterator[Diagnostic]:
    # Source: badmintoncryer/cdk-preflight, pf-sfn-asl-resource-arn and pf-sfn-express-unsupported.
    if not resource.startswith("arn:"):
        yield schema_violation(NOT_AN_ARN, path)
    elif express and (pattern := _PATTERN.search(resource)):
        # localstack/localstack test_sfn_api_validation, ILLEGAL_WFTT; AWS's sentence ends in a blank.
        yield schema_violation(f"Express state machine does not support '.{pattern[1]}' service integration", path)
    elif express and _ACTIVITY.match(resource):
        yield schema_violation("Express state machine does not support Activity ARN", path)


def _check_request(state: StateNode, resource: str) -> Iterator[Diagnostic]:
    # Messages: badmintoncryer/cdk-preflight; paths: radkawar/stackd, testdata/aws/stepfunctions/sdk_admission.json.
    integration = _INTEGRATION.fullmatch(resource)
    field = {JSONATA: "Arguments", JSONPATH: "Parameters"}.get(state.language)
    if integration is None or field is None:
        return
    if field not in state.node:
        yield schema_violation(f"{field} field is required for resource ARN: {resource}", state.path)
    arguments = state.node.get(field)
    if not isinstance(arguments, dict):
        return
    for name in _REQUIRED.get(integration["action"], ()):
        if name not in arguments and f"{name}.$" not in arguments:
            yield schema_violation(f"The field '{name}' is required but was missing", f"{state.path}/{field}")


def _check_credentials(state: StateNode, resource: object) -> Iterator[Diagnostic]:
    # Source: badmintoncryer/cdk-preflight, pf-sfn-asl-credentials.
    credentials = state.node.get("Credentials")
    path = f"{state.path}/Credentials"
    if isinstance(credentials, dict) and not {"RoleArn", "RoleArn.$"} & credentials.keys():
        yield schema_violation("The field 'RoleArn' is required but was missing", path)
    if credentials is not None and isinstance(resource, str) and _ACTIVITY.match(resource):
        yield schema_violation("The field 'Credentials' is not supported for activities", path)


def _check_heartbeat(state: StateNode) -> Iterator[Diagnostic]:
    # States Language, "Task state": the heartbeat must be shorter than the timeout.
    beat, limit = state.node.get("HeartbeatSeconds"), state.node.get("TimeoutSeconds")
    if type(beat) is int and type(limit) is int and beat >= limit >= 1:
        message = f"HeartbeatSeconds must be smaller than TimeoutSeconds, which is {limit}; found {beat}"
        yield schema_violation(message, f"{state.path}/HeartbeatSeconds")
