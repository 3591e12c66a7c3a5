"""The rules for loops, Pass and Choice states, payloads, secrets and conventions, with and without findings."""

from __future__ import annotations

import pytest

from tests.planning.advice.examples import (
    BATCH,
    END,
    INVOKE,
    Example,
    State,
    check,
    choice,
    distributed,
    inline,
    jsonata,
    machine,
    task,
)

T, CHILD = "/States/T", "/States/M/ItemProcessor/States/T"
START = "arn:aws:states:::states:startExecution"
WRITE = "arn:aws:states:::aws-sdk:s3:putObject"


def polling(resource: str) -> State:
    """Return a machine that waits until a status is Done."""
    return machine(
        W={"Type": "Wait", "Seconds": 30, "Next": "T"},
        T=task(resource, Next="C"),
        C=choice("Done", Default="W"),
        Done=END,
    )


def turning(condition: State) -> State:
    """Return a machine with a loop of a task and a Choice."""
    return machine(
        T=task(Next="C"), C={"Type": "Choice", "Choices": [{**condition, "Next": "T"}], "Default": "D"}, D=END
    )


def reshaping(**after: State) -> State:
    """Return a machine with a Pass between a task and the states after it."""
    return machine(
        T=task(Next="P"), P={"Type": "Pass", "Parameters": {"a.$": "$.b"}, "Next": next(iter(after))}, **after
    )


def two(first: State, second: State) -> State:
    """Return a machine of a Choice with two rules and no Default."""
    return machine(C={"Type": "Choice", "Choices": [{**first, "Next": "A"}, {**second, "Next": "B"}]}, A=END, B=END)


V = {"Variable": "$.v"}
EXAMPLES = [
    Example("polling-loop", polling("arn:aws:states:::aws-sdk:batch:describeJobs"), ((T, "warning"),)),
    Example("polling-loop", polling("arn:aws:states:::aws-sdk:ec2:describeSnapshots"), ((T, "note"),)),
    Example("polling-loop", polling(INVOKE), ((T, "note"),)),
    Example("polling-loop", polling("arn:aws:states:::aws-sdk:batch:describeJobs"), express=True),
    Example("polling-loop", turning({**V, "IsPresent": True})),
    Example(
        "job-not-awaited",
        machine(T=task("arn:aws:states:::glue:startJobRun", Next="U"), U=task()),
        ((f"{T}/Resource", "note"),),
    ),
    Example("job-not-awaited", machine(T=task("arn:aws:states:::glue:startJobRun"))),
    Example("job-not-awaited", machine(T=task(BATCH, Next="U"), U=task())),
    Example(
        "job-not-awaited",
        machine(
            T=task("arn:aws:states:::glue:startJobRun", Next="U"), U=task("arn:aws:states:::aws-sdk:glue:getJobRun")
        ),
    ),
    Example("loop-history", turning({**V, "IsPresent": True}), ((T, "note"),)),
    Example("loop-history", turning({**V, "NumericLessThan": 3_572}), ((T, "warning"),)),  # 7 events a turn
    Example("loop-history", turning({**V, "NumericLessThan": 3_571})),
    Example("loop-history", jsonata(**turning({"Condition": "{% $n < $most %}"})["States"])),
    Example("loop-history", turning({**V, "IsPresent": True}), express=True),
    Example("loop-history", machine(T=task(Next="D"), D=END)),
    Example("inline-map-history", machine(M=inline(machine(T=task(Next="U"), U=task()))), (("/States/M", "note"),)),
    Example("inline-map-history", machine(M=inline(machine(T=task())))),
    Example("inline-map-history", machine(M=inline(machine(T=task(Next="U"), U=task()))), express=True),
    Example("inline-map-history", machine(M=distributed(machine(T=task(Next="U"), U=task())))),
    Example(
        "inline-map-history",
        machine(
            M=distributed(machine(I=inline(machine(T=task(Next="U"), U=task()))), ItemBatcher={"MaxItemsPerBatch": 100})
        ),
    ),
    Example("reshaping-pass", reshaping(U=task()), (("/States/P", "note"),)),
    Example(
        "reshaping-pass",
        machine(M=distributed(reshaping(U=task()))),
        (("/States/M/ItemProcessor/States/P", "warning"),),
    ),
    Example("reshaping-pass", machine(M=distributed(reshaping(U=task()), "EXPRESS"))),
    Example(
        "reshaping-pass", machine(P={"Type": "Pass", "Result": 1, "Next": "T"}, T=task()), (("/States/P", "note"),)
    ),
    Example(
        "reshaping-pass", machine(P={"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}, "Next": "T"}, T=task())
    ),
    Example("reshaping-pass", machine(P={"Type": "Pass", "End": True})),
    Example("reshaping-pass", machine(C=choice("P", Default="D"), P={"Type": "Pass", "End": True}, D=END)),
    Example("reshaping-pass", machine(P={"Type": "Pass", "Next": "T"}, **turning({**V, "IsPresent": True})["States"])),
    Example(
        "large-literal",
        machine(P={"Type": "Pass", "Result": "x" * 131_072, "End": True}),
        (("/States/P/Result", "warning"),),
    ),
    Example("large-literal", machine(P={"Type": "Pass", "Result": "x" * 131_070, "End": True})),
    Example("gathered-results", machine(M=inline(machine(T=task(BATCH)))), ((CHILD, "note"),)),
    Example("gathered-results", machine(M=inline(machine(T=task(BATCH, ResultSelector={"Id.$": "$.JobId"}))))),
    Example("gathered-results", machine(M=inline(machine(T=task(BATCH)), ResultPath=None))),
    Example("gathered-results", machine(M=inline(machine(T=task())))),
    Example(
        "fixed-object-key",
        machine(M=distributed(machine(T=task(WRITE, Parameters={"Bucket": "b", "Key": "out.json"})))),
        ((f"{CHILD}/Parameters/Key", "warning"),),
    ),
    Example(
        "fixed-object-key",
        jsonata(T=task(WRITE, Arguments={"Bucket": "b", "Key": "latest.json"})),
        ((f"{T}/Arguments/Key", "note"),),
    ),
    Example("fixed-object-key", machine(T=task(WRITE, Parameters={"Bucket": "b", "Key.$": "$$.Execution.Name"}))),
    Example("fixed-object-key", jsonata(T=task(WRITE, Arguments={"Bucket": "b", "Key": "{% $states.input.key %}"}))),
    Example("fixed-object-key", machine(T=task(WRITE, Parameters={"Bucket": "b", "Key": "${Key}"}))),
    Example("choice-default", two({**V, "StringEquals": "a"}, {**V, "StringEquals": "b"}), (("/States/C", "warning"),)),
    Example(
        "choice-default",
        two({**V, "NumericLessThan": 1}, {**V, "NumericGreaterThanEquals": 2}),
        (("/States/C", "warning"),),
    ),
    Example("choice-default", two({**V, "BooleanEquals": True}, {**V, "BooleanEquals": False})),
    Example("choice-default", two({**V, "NumericGreaterThanEquals": 1}, {**V, "NumericLessThan": 1})),
    Example("choice-default", two({"Not": {**V, "StringEquals": "a"}}, {**V, "StringEquals": "a"})),
    Example("choice-default", two({"Condition": "{% $x %}"}, {"Condition": "{% $not($x) %}"})),
    Example("choice-default", machine(C=choice("A", Default="B"), A=END, B=END)),
    Example(
        "dead-choice-rule",
        two({**V, "StringEquals": "a", "Comment": "first"}, {"StringEquals": "a", **V}),
        (("/States/C/Choices[1]", "warning"),),
    ),
    Example("dead-choice-rule", two({**V, "StringEquals": "a"}, {**V, "StringEquals": "b"})),
    Example(
        "unevaluated-expression",
        machine(T=task(Parameters={"a": ["$.b"], "c": "States.UUID()", "d.$": "$.d", "e": "$5"})),
        ((f"{T}/Parameters/a[0]", "warning"), (f"{T}/Parameters/c", "warning")),
    ),
    Example(
        "unevaluated-expression",
        machine(P={"Type": "Pass", "Result": {"a": "$.b"}, "End": True}),
        (("/States/P/Result/a", "warning"),),
    ),
    Example(
        "unevaluated-expression",
        jsonata(T=task(Arguments={"a": "s3://{% $b %}", "c": "$states.input.c"})),
        ((f"{T}/Arguments/a", "warning"), (f"{T}/Arguments/c", "warning")),
    ),
    Example("unevaluated-expression", jsonata(T=task(Arguments={"a": "{% 's3://' & $b %}", "c": "$"}))),
    Example(
        "deprecated-field",
        machine(M={"Type": "Map", "Iterator": machine(T=task()), "Parameters": {"a.$": "$"}, "End": True}),
        (("/States/M/Iterator", "note"), ("/States/M/Parameters", "note")),
    ),
    Example("deprecated-field", machine(M=inline(machine(T=task(Parameters={"a.$": "States.UUID()"}))))),
    Example("started-by", machine(T=task(START, Parameters={"Input": {"a": 1}})), ((f"{T}/Parameters/Input", "note"),)),
    Example(
        "started-by",
        machine(
            T=task(START, Parameters={"Input": {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id"}})
        ),
    ),
    Example("started-by", machine(T=task(START, Parameters={"Input.$": "$"}))),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_a_rule_finds_what_it_should(example: Example) -> None:
    check(example)


GITHUB, SLACK = f"ghp_{'a1B2' * 9}", "xoxb-123456789012-abcdef"
KEY_ID = f"AKIA{'Q3EG' * 4}"
JWT = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0{'5' * 8}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", GITHUB),
        ("Url", f"https://hooks.example.org/?access={SLACK}"),
        ("Env", f"key is {KEY_ID}"),
        ("Header", f"Bearer {JWT}"),
        ("Key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow"),
        ("DbPassword", "hunter2"),
        ("api-key", "0123456789abcdef"),
        ("Authorization", "Basic-dXNlcjpwYXNzd29yZA1"),
        ("Uri", "jdbc:postgres://ann:s3cret@host/db"),
        ("Uri", "https://bucket.s3.amazonaws.com/a?X-Amz-Date=20260101&X-Amz-Signature=0f3c"),
    ],
)
def test_a_secret_is_found(name: str, value: str) -> None:
    check(Example("secret", machine(T=task(Parameters={name: value})), ((f"{T}/Parameters/{name}", "error"),)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Password.$", "$.password"),
        ("Password", "{% $password %}"),
        ("Password", "${DbPassword}"),
        ("Password", "{{resolve:secretsmanager:db:SecretString:password}}"),
        ("SecretId", "prod/database-1/password"),
        ("Secret", "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-1"),
        ("ClientToken", "0123456789abcdef"),
        ("NextToken", "0123456789abcdef"),
        ("Token", "a word"),
        ("ConnectionArn", "arn:aws:events:us-east-1:000000000000:connection/c/0123456789abcdef"),
        ("Env", "AKIAIOSFODNN7EXAMPLE"),
        ("ResetPassword", "true"),
        ("Repository", "ssh://git@host:22/repository"),
        ("Url", "https://host/path?code=1&key={}"),
        ("Password", ""),
    ],
)
def test_what_is_no_secret_is_not_found(name: str, value: str) -> None:
    check(Example("secret", machine(T=task(Parameters={name: value}))))
