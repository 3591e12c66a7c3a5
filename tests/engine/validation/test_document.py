"""What cannot be run is refused before anything happens: every problem, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.validation.document import JSONPATH, STATE_TYPES, check
from genomics_pipeline.model.errors import DataError

END = {"Type": "Pass", "End": True}


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": states}


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(DataError) as raised:
        check({"QueryLanguage": "JSONata", **document}, ["echo", "arn:submit"])
    return [str(problem) for problem in raised.value.problems]


NONE = "expected the name of a state, found none"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ["$.States: expected an object of states, found none"]),
        ({"StartAt": "A", "States": {}}, ["$.States: expected an object of states, found none"]),
        ({"StartAt": "A", "States": []}, ["$.States: expected an object of states, found none"]),
        ({"States": {"A": END}}, [f"$.StartAt: {NONE}"]),
        (
            {"StartAt": "Aa", "States": {"Ab": END}},
            ["$.StartAt: expected a state of the same States, found 'Aa'; known: Ab"],
        ),
        (machine(A={"Type": "Pass"}), [f"$.States.A.Next: {NONE}"]),
        (machine(A={"Type": "Pass", "End": False}), [f"$.States.A.Next: {NONE}"]),
        (
            machine(A={"Type": "Pass", "Next": "Last"}, Lost=END),
            ["$.States.A.Next: expected a state of the same States, found 'Last'; did you mean 'Lost'?"],
        ),
        (machine(A={}), [f"$.States.A.Type: expected a state type, found None; known: {', '.join(STATE_TYPES)}"]),
        (
            machine(A={"Type": "Tsk", "End": True}),
            ["$.States.A.Type: expected a state type, found 'Tsk'; did you mean 'Task'?"],
        ),
        (machine(A={**END, "QueryLanguage": "JSONPath"}), [f"$.States.A: {JSONPATH}"]),
        (
            {"QueryLanguage": "JSONPath", **machine(A=END, B={**END, "QueryLanguage": "JSONata"})},
            [f"$.States.A: {JSONPATH}"],
        ),
        (
            machine(A={"Type": "Task", "Resource": "ecco", "End": True}),
            ["$.States.A.Resource: nothing here runs 'ecco'; did you mean 'echo'?"],
        ),
        (
            machine(A={"Type": "Task", "End": True}),
            ["$.States.A.Resource: nothing here runs None; known: arn:submit, echo"],
        ),
        (
            machine(A={"Type": "Task", "Resource": "echo", "End": True, "Catch": [{"ErrorEquals": ["x"]}]}),
            [f"$.States.A.Catch[0].Next: {NONE}"],
        ),
        (machine(A={"Type": "Choice"}), ["$.States.A.Choices: expected at least one rule, found none"]),
        (
            machine(A={"Type": "Choice", "Choices": [{"Next": "A"}, {"Condition": "{% true %}"}], "Default": "B"}),
            [
                "$.States.A.Choices[0]: expected a Condition, found none",
                f"$.States.A.Choices[1].Next: {NONE}",
                "$.States.A.Default: expected a state of the same States, found 'B'; known: A",
            ],
        ),
        (
            machine(A={"Type": "Parallel", "Branches": [machine(A=END), machine(B=END)], "End": True}),
            ["$.States.A.Branches[1].StartAt: expected a state of the same States, found 'A'; known: B"],
        ),
        (
            machine(A={"Type": "Map", "End": True}),
            ["$.States.A.ItemProcessor.States: expected an object of states, found none"],
        ),
        (
            machine(A={"Type": "Map", "ItemProcessor": machine(A={"Type": "Map", "End": True}), "Next": "A"}),
            ["$.States.A.ItemProcessor.States.A.ItemProcessor.States: expected an object of states, found none"],
        ),
    ],
)
def test_refused(document: dict[str, Any], expected: list[str]) -> None:
    assert problems(document) == expected


def test_without_a_query_language_each_state_is_refused() -> None:
    with pytest.raises(DataError) as raised:
        check(machine(A={"Type": "Pass", "Next": "B"}, B=END), [])
    assert [str(problem) for problem in raised.value.problems] == [f"$.States.{name}: {JSONPATH}" for name in "AB"]


def test_all_problems_come_at_once_in_the_documents_order() -> None:
    found = problems({"StartAt": "X", "States": {"A": {"Type": "Pass"}, "B": {"Type": "Task", "Next": "Y"}}})
    assert [line.split(": ")[0] for line in found] == [
        "$.StartAt",
        "$.States.A.Next",
        "$.States.B.Next",
        "$.States.B.Resource",
    ]


def test_states_that_end_need_no_next() -> None:
    states = {"A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "B"}], "Default": "C"}}
    check({"QueryLanguage": "JSONata", **machine(**states, B={"Type": "Succeed"}, C={"Type": "Fail"})}, [])


def test_a_refused_document_leaves_no_journal(bench: Any) -> None:
    with pytest.raises(DataError):
        bench.run({"A": {"Type": "Pass"}})
    assert not bench.journal.exists()
