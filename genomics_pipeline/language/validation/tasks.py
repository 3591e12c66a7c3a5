"""Task states: the Resource, and what must go with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genomics_pipeline.language.validation.diagnostics import Diagnostic, refused
from genomics_pipeline.language.walker import JSONATA, JSONPATH, StateNode

NO_ARN = "Value is not a valid resource ARN"

_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:")
_PATTERN = re.compile(r"\.(sync|waitForTaskToken)(:2)?$")
_INTEGRATION = re.compile(r"arn:[^:]+:states:::(?P<action>(aws-sdk:)?[^:]+:[^:.]+)(\.sync|\.waitForTaskToken)?(:2)?")

# What a request cannot do without; Batch's from botocore's model, the others measured on AWS (badmintoncryer/
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
    """Yield what is wrong with a Task beyond the shape of its fields."""
    if state.kind != "Task":
        return
    resource = state.node.get("Resource")
    if isinstance(resource, str):
        yield from _resource(resource, f"{state.path}/Resource", express=state.machine.express)
        yield from _request(state, resource)
    yield from _credentials(state, resource)
    yield from _heartbeat(state)


def _resource(resource: str, path: str, *, express: bool) -> Iterator[Diagnostic]:
    """badmintoncryer/cdk-preflight, pf-sfn-asl-resource-arn and pf-sfn-express-unsupported."""
    if not resource.startswith("arn:"):
        yield refused(NO_ARN, path)
    elif express and (pattern := _PATTERN.search(resource)):
        # localstack/localstack test_sfn_api_validation, ILLEGAL_WFTT; AWS leaves a blank at the end of it.
        yield refused(f"Express state machine does not support '.{pattern[1]}' service integration", path)
    elif express and _ACTIVITY.match(resource):
        yield refused("Express state machine does not support Activity ARN", path)


def _request(state: StateNode, resource: str) -> Iterator[Diagnostic]:
    """The same repository; where it stands: radkawar/stackd, testdata/aws/stepfunctions/sdk_admission.json."""
    integration = _INTEGRATION.fullmatch(resource)
    field = {JSONATA: "Arguments", JSONPATH: "Parameters"}.get(state.language)
    if integration is None or field is None:
        return
    if field not in state.node:
        yield refused(f"{field} field is required for resource ARN: {resource}", state.path)
    given = state.node.get(field)
    if not isinstance(given, dict):
        return
    for name in _REQUIRED.get(integration["action"], ()):
        if name not in given and f"{name}.$" not in given:
            yield refused(f"The field '{name}' is required but was missing", f"{state.path}/{field}")


def _credentials(state: StateNode, resource: object) -> Iterator[Diagnostic]:
    """badmintoncryer/cdk-preflight, pf-sfn-asl-credentials."""
    credentials = state.node.get("Credentials")
    path = f"{state.path}/Credentials"
    if isinstance(credentials, dict) and not {"RoleArn", "RoleArn.$"} & credentials.keys():
        yield refused("The field 'RoleArn' is required but was missing", path)
    if credentials is not None and isinstance(resource, str) and _ACTIVITY.match(resource):
        yield refused("The field 'Credentials' is not supported for activities", path)


def _heartbeat(state: StateNode) -> Iterator[Diagnostic]:
    """The States Language asks the heartbeat to be shorter than the timeout ("Task state")."""
    beat, limit = state.node.get("HeartbeatSeconds"), state.node.get("TimeoutSeconds")
    if type(beat) is int and type(limit) is int and beat >= limit >= 1:
        message = f"HeartbeatSeconds must be smaller than TimeoutSeconds, which is {limit}; found {beat}"
        yield refused(message, f"{state.path}/HeartbeatSeconds")
