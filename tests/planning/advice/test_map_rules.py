"""The rules for Maps, each with definitions in which it finds something and others in which it finds nothing."""

from __future__ import annotations

import pytest

from tests.planning.advice.examples import (
    BATCH,
    FUNCTION,
    INVOKE,
    PUT,
    RETRY,
    Example,
    check,
    distributed,
    inline,
    machine,
    task,
)

M, T = "/States/M", "/States/M/ItemProcessor/States/T"
ONE = machine(T=task(Retry=[RETRY]))
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "F"}]
FAIL = {"Type": "Fail"}
THROTTLED = [{"ErrorEquals": ["Batch.AWSBatchException"]}]
EMPTY = machine(T={"Type": "Succeed", "QueryLanguage": "JSONata", "Output": {}})
EMPTY_PATH, WHOLE_PATH = (machine(T={**task(Retry=[RETRY]), "OutputPath": path}) for path in (None, "$.Payload"))
INNER = machine(M2=distributed(ONE))

EXAMPLES = [
    Example(
        "map-retry",
        machine(M=distributed(ONE, Retry=[{"ErrorEquals": ["States.ALL"]}])),
        ((f"{M}/Retry[0]", "warning"),),
    ),
    Example(
        "map-retry",
        machine(M=inline(ONE, Retry=[{"ErrorEquals": ["A"], "MaxAttempts": 0}, {"ErrorEquals": ["B"]}])),
        ((f"{M}/Retry[1]", "warning"),),
    ),
    Example("map-retry", machine(M=distributed(ONE, Retry=[{"ErrorEquals": ["States.ItemReaderFailed"]}]))),
    Example("map-retry", machine(M=distributed(ONE))),
    Example("map-label", machine(M=distributed(ONE, Label=None)), ((M, "note"),)),
    Example("map-label", machine(M=inline(ONE))),
    Example("map-result-writer", machine(M=distributed(ONE, ResultWriter=None)), ((M, "warning"),)),
    Example(
        "map-result-writer",
        machine(M=distributed(ONE, ResultWriter={"WriterConfig": {"Transformation": "COMPACT"}})),
        ((M, "warning"),),
    ),
    Example("map-result-writer", machine(M=distributed(ONE, ResultWriter=None, ItemReader=None)), ((M, "note"),)),
    Example("map-result-writer", machine(M=distributed(EMPTY, ResultWriter=None)), ((M, "note"),)),
    Example("map-result-writer", machine(M=distributed(EMPTY_PATH, ResultWriter=None)), ((M, "note"),)),
    Example("map-result-writer", machine(M=distributed(WHOLE_PATH, ResultWriter=None)), ((M, "warning"),)),
    Example(
        "map-result-writer",
        machine(M=distributed(ONE, ResultWriter=None, ItemReader={"ReaderConfig": {"MaxItems": 10}})),
    ),
    Example("map-tolerated-failure", machine(M=distributed(ONE, ToleratedFailurePercentage=None)), ((M, "warning"),)),
    Example("map-tolerated-failure", machine(M=distributed(ONE, ToleratedFailurePercentage=0))),
    Example(
        "map-tolerated-failure",
        machine(M=distributed(ONE, ToleratedFailurePercentage=None, ToleratedFailureCountPath="$.n")),
    ),
    Example(
        "map-tolerated-failure",
        machine(M=distributed(machine(T=task(Catch=CATCH), F=FAIL), ToleratedFailurePercentage=None)),
    ),
    Example("map-item-retry", machine(M=distributed(machine(T=task()))), ((T, "warning"),)),
    Example(
        "map-item-retry",
        machine(M=distributed(machine(T=task(Retry=[{"ErrorEquals": ["A"], "MaxAttempts": 0}])))),
        ((T, "warning"),),
    ),
    Example("map-item-retry", machine(M=distributed(ONE))),
    Example("map-item-retry", machine(M=inline(machine(T=task())))),
    Example(
        "map-item-retry",
        machine(
            M=distributed(
                machine(P={"Type": "Parallel", "Branches": [machine(T=task())], "Retry": [RETRY], "End": True})
            )
        ),
    ),
    Example("map-concurrency", machine(M=distributed(machine(T=task(BATCH)), MaxConcurrency=None)), ((M, "warning"),)),
    Example("map-concurrency", machine(M=distributed(machine(T=task(INVOKE)), MaxConcurrency=0)), ((M, "warning"),)),
    Example("map-concurrency", machine(M=distributed(ONE, MaxConcurrency=None)), ((M, "note"),)),
    Example(
        "map-concurrency",
        machine(M=distributed(machine(T=task(FUNCTION)), MaxConcurrency=1_001)),
        ((f"{M}/MaxConcurrency", "warning"),),
    ),
    Example("map-concurrency", machine(M=distributed(ONE, MaxConcurrency=10_001)), ((f"{M}/MaxConcurrency", "note"),)),
    Example(
        "map-concurrency",
        machine(M=distributed(machine(T=task(BATCH)), MaxConcurrency=51)),
        ((f"{M}/MaxConcurrency", "warning"),),
    ),
    Example("map-concurrency", machine(M=inline(ONE, MaxConcurrency=41)), ((f"{M}/MaxConcurrency", "note"),)),
    Example("map-concurrency", machine(M=distributed(machine(T=task(BATCH)), MaxConcurrency=50))),
    Example("map-concurrency", machine(M=distributed(machine(T=task(BATCH, Retry=THROTTLED)), MaxConcurrency=51))),
    Example("map-concurrency", machine(M=distributed(machine(T=task(FUNCTION)), MaxConcurrency=1_000))),
    Example(
        "map-concurrency",
        machine(M=distributed(machine(T=task(BATCH)), MaxConcurrency=None, MaxConcurrencyPath="$.most")),
    ),
    Example("map-concurrency", machine(M=inline(ONE))),
    Example(
        "nested-maps",
        machine(M=distributed(INNER, MaxConcurrency=None)),
        ((f"{M}/ItemProcessor/States/M2", "warning"),),
    ),
    Example(
        "nested-maps",
        machine(M=distributed(INNER, MaxConcurrency=1_001)),
        ((f"{M}/ItemProcessor/States/M2", "warning"),),
    ),
    Example("nested-maps", machine(M=distributed(INNER, MaxConcurrency=1_000))),
    Example("nested-maps", machine(M=distributed(INNER, MaxConcurrency="{% $most %}"))),
    Example("nested-maps", machine(M=inline(INNER))),
    Example("map-batches", machine(M=distributed(machine(T=task(INVOKE)))), ((M, "note"),)),
    Example("map-batches", machine(M=distributed(machine(T=task(INVOKE)), ItemBatcher={"MaxItemsPerBatch": 10}))),
    Example("map-batches", machine(M=distributed(machine(T=task(INVOKE, TimeoutSeconds=300)))), ((M, "note"),)),
    Example("map-batches", machine(M=distributed(machine(T=task(INVOKE, TimeoutSeconds=301))))),
    Example("map-batches", machine(M=distributed(machine(T=task(BATCH))))),
    Example("map-batches", machine(M=distributed(machine(T=task(PUT))))),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.rule)
def test_a_rule_finds_what_it_should(example: Example) -> None:
    check(example)
