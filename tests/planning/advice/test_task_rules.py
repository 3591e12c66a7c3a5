"""The rules for tasks, their errors and their executions' type, with and without findings."""

from __future__ import annotations

import pytest

from tests.planning.advice.examples import (
    ACTIVITY,
    BATCH,
    END,
    FUNCTION,
    INVOKE,
    RETRY,
    TRANSIENT,
    Example,
    State,
    check,
    distributed,
    inline,
    jsonata,
    machine,
    task,
)

T, CHILD = "/States/T", "/States/M/ItemProcessor/States/T"
ALL, FAILED = ["States.ALL"], ["States.TaskFailed"]
TOKEN = f"{INVOKE}.waitForTaskToken"
FAIL = {"Type": "Fail"}
ERRORS = f"{T}/Catch[0]/ErrorEquals"


def failing(*catch: State, **states: State) -> State:
    """Return a machine whose task has catchers, and the states that they lead to."""
    return machine(T=task(Catch=list(catch), Next="Done"), Done=END, **states)


TO_OOPS = {"ErrorEquals": ALL, "Next": "Oops"}

EXAMPLES = [
    Example("task-timeout", machine(T=task(BATCH)), ((T, "warning"),)),
    Example("task-timeout", machine(T=task(TOKEN)), ((T, "warning"),)),
    Example("task-timeout", machine(T=task(ACTIVITY)), ((T, "warning"),)),
    Example(
        "task-timeout",
        {"TimeoutSeconds": 60, **machine(M=distributed(machine(T=task(BATCH))))},
        ((CHILD, "warning"),),
    ),
    Example("task-timeout", {"TimeoutSeconds": 60, **machine(T=task(BATCH))}),
    Example("task-timeout", machine(T=task(BATCH, TimeoutSeconds="{% $limit %}"))),
    Example("task-timeout", machine(T=task(TOKEN, HeartbeatSecondsPath="$.beat"))),
    Example("task-timeout", machine(T=task(INVOKE))),
    Example("task-heartbeat", machine(T=task(ACTIVITY, TimeoutSeconds=3_601)), ((T, "note"),)),
    Example("task-heartbeat", machine(T=task(ACTIVITY, TimeoutSeconds=3_600))),
    Example("task-heartbeat", machine(T=task(ACTIVITY, TimeoutSeconds=7_200, HeartbeatSeconds=60))),
    Example("task-heartbeat", machine(T=task(BATCH, TimeoutSeconds=7_200))),
    Example(
        "retry-of-everything",
        machine(T=task(BATCH, Retry=[{"ErrorEquals": ALL}])),
        ((f"{T}/Retry[0]/ErrorEquals", "warning"),),
    ),
    Example(
        "retry-of-everything",
        machine(T=task(Retry=[RETRY, {"ErrorEquals": FAILED}])),
        ((f"{T}/Retry[1]/ErrorEquals", "note"),),
    ),
    Example("retry-of-everything", machine(T=task(Retry=[RETRY]))),
    Example(
        "retry-of-everything",
        machine(T=task(Retry=[{"ErrorEquals": ["Bad"], "MaxAttempts": 0}, {"ErrorEquals": ALL}])),
    ),
    Example("retry-jitter", machine(T=task(Retry=[{"ErrorEquals": ALL}])), ((f"{T}/Retry[0]", "note"),)),
    Example(
        "retry-jitter",
        machine(M=inline(machine(T=task(Retry=[{"ErrorEquals": ["DynamoDB.ThrottlingException"]}])))),
        ((f"{CHILD}/Retry[0]", "warning"),),
    ),
    Example("retry-jitter", machine(T=task(Retry=[{"ErrorEquals": ALL, "JitterStrategy": "FULL"}]))),
    Example("retry-jitter", machine(T=task(Retry=[{"ErrorEquals": ["States.Timeout"]}]))),
    Example(
        "retry-delay",
        machine(T=task(Retry=[{"ErrorEquals": ALL, "IntervalSeconds": 2, "MaxAttempts": 13}])),
        ((f"{T}/Retry[0]", "note"),),
    ),
    Example(
        "retry-delay",
        machine(T=task(Retry=[{"ErrorEquals": ALL, "MaxAttempts": 99_999_999}])),
        ((f"{T}/Retry[0]", "note"),),
    ),
    Example("retry-delay", machine(T=task(Retry=[{"ErrorEquals": ALL, "MaxAttempts": 12}]))),
    Example("retry-delay", machine(T=task(Retry=[{"ErrorEquals": ALL, "MaxAttempts": 20, "MaxDelaySeconds": 60}]))),
    Example("lambda-service-errors", machine(T=task(INVOKE)), ((T, "warning"),)),
    Example("lambda-service-errors", machine(T=task("${SortFunctionArn}")), ((T, "warning"),)),
    Example("lambda-service-errors", machine(T=task(FUNCTION, Retry=[{"ErrorEquals": TRANSIENT}])), ((T, "note"),)),
    Example("lambda-service-errors", machine(T=task(INVOKE, Retry=[RETRY]))),
    Example("lambda-service-errors", machine(T=task(INVOKE, Retry=[{"ErrorEquals": FAILED}]))),
    Example("lambda-service-errors", machine(M=inline(machine(T=task(INVOKE)), Retry=[{"ErrorEquals": ALL}]))),
    Example("lambda-service-errors", machine(M=distributed(machine(T=task(INVOKE))))),  # of map-item-retry
    Example("lambda-service-errors", machine(T=task("${QueueArn}"))),
    Example("swallowed-error", failing({**TO_OOPS, "ResultPath": None}, Oops=END), ((f"{T}/Catch[0]", "warning"),)),
    Example(
        "swallowed-error",
        failing(TO_OOPS, Oops={"Type": "Pass", "Result": "failed", "End": True}),
        ((f"{T}/Catch[0]", "warning"),),
    ),
    Example(
        "swallowed-error",
        jsonata(T=task(Catch=[{**TO_OOPS, "Output": {"failed": True}}]), Oops=END),
        ((f"{T}/Catch[0]", "warning"),),
    ),
    Example(
        "swallowed-error",
        machine(M=distributed(machine(T=task(Catch=[TO_OOPS]), Oops=END))),
        ((f"{CHILD}/Catch[0]", "note"),),
    ),
    Example("swallowed-error", failing(TO_OOPS, Oops=END)),  # the error is the output
    Example("swallowed-error", failing({**TO_OOPS, "ResultPath": None}, Oops=FAIL)),
    Example("swallowed-error", failing({**TO_OOPS, "ResultPath": None}, Oops=task())),
    Example("swallowed-error", failing({"ErrorEquals": ["Gone"], "ResultPath": None, "Next": "Oops"}, Oops=END)),
    Example(
        "swallowed-error",
        jsonata(T=task(Catch=[{**TO_OOPS, "Output": {"why": "{% $states.errorOutput.Error %}"}}]), Oops=END),
    ),
    Example(
        "dead-handler",
        failing({"ErrorEquals": FAILED, "Next": "Oops"}, {"ErrorEquals": ["Bad"], "Next": "Oops"}, Oops=FAIL),
        ((f"{T}/Catch[1]/ErrorEquals", "warning"),),
    ),
    Example(
        "dead-handler", failing({"ErrorEquals": ["States.Runtime"], "Next": "Oops"}, Oops=FAIL), ((ERRORS, "warning"),)
    ),
    Example(
        "dead-handler",
        machine(T=task(Retry=[RETRY, {"ErrorEquals": TRANSIENT[:1]}])),
        ((f"{T}/Retry[1]/ErrorEquals", "warning"),),
    ),
    Example(
        "dead-handler",
        failing(
            {"ErrorEquals": FAILED, "Next": "Oops"}, {"ErrorEquals": ["States.Timeout"], "Next": "Oops"}, Oops=FAIL
        ),
    ),
    Example(
        "unknown-error-name",
        failing({"ErrorEquals": ["States.Timout"], "Next": "Oops"}, Oops=FAIL),
        ((ERRORS, "warning"),),
    ),
    Example(
        "unknown-error-name",
        machine(T=task(Retry=[{"ErrorEquals": ["Lambda.TooManyRequestException"]}])),
        ((f"{T}/Retry[0]/ErrorEquals", "warning"),),
    ),
    Example("unknown-error-name", failing({"ErrorEquals": ["States.Http.StatusCode.404"], "Next": "Oops"}, Oops=FAIL)),
    Example(
        "unknown-error-name",
        failing({"ErrorEquals": ["States.Mine"], "Next": "Oops"}, Oops={"Type": "Fail", "Error": "States.Mine"}),
    ),
    Example("unknown-error-name", failing({"ErrorEquals": ["Lambda.Mine"], "Next": "Oops"}, Oops=FAIL)),
    Example("standard-for-short-work", machine(T=task(INVOKE)), (("/", "note"),)),
    Example(
        "standard-for-short-work",
        machine(M=distributed(machine(T=task(INVOKE)))),
        (("/States/M/ItemProcessor/ProcessorConfig/ExecutionType", "note"),),
    ),
    Example("standard-for-short-work", machine(M=distributed(machine(T=task(BATCH))))),
    Example("standard-for-short-work", machine(M=distributed(machine(T=task(INVOKE)), "EXPRESS"))),
    Example("standard-for-short-work", machine(T=task(INVOKE)), express=True),
    Example("standard-for-short-work", machine(T=task(INVOKE, TimeoutSeconds=301))),
    Example("standard-for-short-work", machine(W={"Type": "Wait", "Seconds": 1, "Next": "T"}, T=task(INVOKE))),
    Example(
        "express-too-long",
        machine(M=distributed(machine(W={"Type": "Wait", "Seconds": 300, "Next": "T"}, T=task()), "EXPRESS")),
        (("/States/M/ItemProcessor/States/W/Seconds", "error"),),
    ),
    Example(
        "express-too-long",
        machine(T=task(INVOKE, TimeoutSeconds=301)),
        ((f"{T}/TimeoutSeconds", "warning"),),
        express=True,
    ),
    Example("express-too-long", machine(T=task(INVOKE, TimeoutSeconds=300)), express=True),
    Example("express-too-long", machine(T=task(INVOKE, TimeoutSeconds=301))),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_a_rule_finds_what_it_should(example: Example) -> None:
    check(example)
