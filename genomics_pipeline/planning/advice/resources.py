"""Kinds of tasks, by their Resource: what is known of their duration, their errors and their retries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from genomics_pipeline.language.errors import StatesError, matches
from genomics_pipeline.language.walker import StateNode
from genomics_pipeline.planning.advice.fields import PLACEHOLDER, attempts, error_names, objects

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_INTEGRATION = re.compile(
    r"arn:[^:]*:states:::(aws-sdk:)?(?P<action>[^:]+:[^:.]+)(?P<pattern>\.sync|\.waitForTaskToken)?(:2)?"
)
_FUNCTION = re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:.*")
_ACTIVITY = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:activity:.*")
_NAMED_FUNCTION = re.compile(r"\$\{[^}]*(lambda|function)[^}]*\}", re.IGNORECASE)


class TaskKind(Enum):
    """The way in which a task ends."""

    FUNCTION = "a Lambda function, of 15 minutes at most"
    CALL = "a request that is answered at once"
    JOB = "a job that is waited for (.sync)"
    CALLBACK = "a task token that comes back (.waitForTaskToken)"
    ACTIVITY = "a worker that asks for work"
    UNKNOWN = "a Resource that is put in when the definition is deployed"


@dataclass(frozen=True, slots=True)
class TaskResource:
    """The Resource of a task.

    Attributes:
        kind: The way in which the task ends.
        action: The service and the API action, ``batch:submitJob``; empty for function and activity ARNs.
        is_function: True if it calls a Lambda function, also with a task token.
    """

    kind: TaskKind
    action: str = ""
    is_function: bool = False

    @property
    def waits(self) -> bool:
        """True if the task may never end by itself."""
        return self.kind in (TaskKind.JOB, TaskKind.CALLBACK, TaskKind.ACTIVITY)

    @property
    def is_short(self) -> bool:
        """True for Lambda functions and requests."""
        return self.kind in (TaskKind.FUNCTION, TaskKind.CALL)


def task_resource(state: StateNode) -> TaskResource:
    """Return the Resource of a Task.

    A Resource that is only a placeholder is a Lambda function if it is called one, as in SAM: ``${SortFunctionArn}``.
    """
    resource = state.node.get("Resource")
    if not isinstance(resource, str):
        return TaskResource(TaskKind.UNKNOWN)
    plain = _PLACEHOLDER.sub("x", resource)
    if match := _INTEGRATION.fullmatch(plain):
        is_function = match["action"] == "lambda:invoke"
        if match["pattern"]:
            kind = TaskKind.JOB if match["pattern"] == ".sync" else TaskKind.CALLBACK
        else:
            kind = TaskKind.FUNCTION if is_function else TaskKind.CALL
        return TaskResource(kind, match["action"], is_function)
    if _ACTIVITY.fullmatch(plain):
        return TaskResource(TaskKind.ACTIVITY)
    if _FUNCTION.fullmatch(plain) or (PLACEHOLDER in resource and _NAMED_FUNCTION.search(resource)):
        return TaskResource(TaskKind.FUNCTION, is_function=True)
    return TaskResource(TaskKind.UNKNOWN)


def is_retried(state: StateNode, error: str) -> bool:
    """Return whether a state's own Retry has a retrier for an error."""
    failure = StatesError(error)
    first = next((entry for _, entry in objects(state.node, "Retry") if matches(failure, error_names(entry))), None)
    return first is not None and attempts(first) != 0
