"""The check of documents before their execution: all problems are reported, with AWS's code and their path."""

from __future__ import annotations

from typing import Any

import pytest

from genomics_pipeline.engine.check_document import check_document
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.model.errors import DataError, Problem

END = {"Type": "Pass", "End": True}
SCHEMA = "SCHEMA_VALIDATION_FAILED"
MISSING = "MISSING_TRANSITION_TARGET"
ECHO, SUBMIT = "arn:aws:lambda:us-east-1:000000000000:function:echo", "arn:aws:states:::batch:submitJob.sync"
GLUE = "arn:aws:states:::glue:startJobRun"


NO_END = "MISSING_END_STATE: Workflow has no terminal state"


async def nothing(arguments: Any, context: Any) -> None: ...


TASKS = Handlers({ECHO: nothing, SUBMIT: nothing})


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": states}


def problems(document: Any) -> list[str]:
    with pytest.raises(DataError) as raised:
        check_document(document, "machine", TASKS)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], [f"{SCHEMA}: Definition must be a valid JSON object"]),
        ({}, [f"/: {SCHEMA}: These fields are required: [States, StartAt]"]),
        (
            {"StartAt": "A", "States": {}},
            [
                f"/StartAt: {MISSING}: Missing 'Next' target: A",
                f"/States: {SCHEMA}: Value cannot be empty",
                NO_END,
            ],
        ),
        ({"StartAt": "A", "States": []}, [f"/States: {SCHEMA}: Expected value of type [OBJECT]"]),
        ({"States": {"A": END}}, [f"/: {SCHEMA}: These fields are required: [StartAt]"]),
        (
            {"StartAt": "Aa", "States": {"Ab": END}},
            [
                f"/StartAt: {MISSING}: Missing 'Next' target: Aa",
                f'/States/Ab: {MISSING}: State "Ab" is not reachable.',
            ],
        ),
        (
            machine(A={"Type": "Task", "Resource": ECHO[:-1], "End": True}),
            [f"/States/A/Resource: there is no handler for '{ECHO[:-1]}'; did you mean '{ECHO}'?"],
        ),
        (
            machine(A={"Type": "Task", "Resource": GLUE, "End": True}),
            [
                f"/States/A: {SCHEMA}: Parameters field is required for resource ARN: {GLUE}",
                f"/States/A/Resource: there is no handler for '{GLUE}'; did you mean '{SUBMIT}'?",
            ],
        ),
        (machine(A={"Type": "Task", "End": True}), [f"/States/A: {SCHEMA}: These fields are required: [Resource]"]),
        (
            machine(
                A={
                    "Type": "Parallel",
                    "Branches": [
                        {"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": ECHO[:-1], "End": True}}}
                    ],
                    "End": True,
                }
            ),
            [
                f"/States/A/Branches[0]/States/B/Resource: there is no handler for '{ECHO[:-1]}'; "
                f"did you mean '{ECHO}'?",
            ],
        ),
    ],
)
def test_an_invalid_document_is_refused(document: Any, expected: list[str]) -> None:
    assert problems(document) == expected


def test_all_problems_are_reported_in_the_documents_order() -> None:
    lines = problems(
        {"States": {"A": {"Type": "Pass"}, "B": {"Type": "Task", "Resource": ECHO[:-1], "Next": "Y"}}, "X": 1}
    )
    assert [line.split(": ")[0] for line in lines] == ["/", "/", "/States/A", "/States/B/Resource"]


def test_a_problem_names_its_place() -> None:
    with pytest.raises(DataError) as raised:
        check_document(machine(A={"Type": "Pass"}), "machine", Handlers())
    message = f"{SCHEMA}: This object should have only one of the following fields: [Next, End]"
    assert raised.value.problems == (Problem(message, column="/States/A"), Problem(NO_END))


def test_both_query_languages_are_accepted() -> None:
    check_document(machine(A={"Type": "Pass", "InputPath": "$.a", "End": True}), "machine", TASKS)
    jsonata = machine(A={"Type": "Pass", "Output": "{% 1 %}", "End": True})
    check_document({"QueryLanguage": "JSONata", **jsonata}, "machine", TASKS)


def test_a_refused_document_leaves_no_journal(harness: Any) -> None:
    with pytest.raises(DataError):
        harness.run({"A": {"Type": "Pass"}})
    assert not harness.journal.exists()
