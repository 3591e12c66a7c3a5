"""The advice as a whole: every rule has examples, shipped pipelines have no finding, and no document makes it crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.planning.advice.finding import Finding, Severity
from genomics_pipeline.planning.advice.placeholders import quote_placeholders
from genomics_pipeline.planning.advice.problems import problems
from genomics_pipeline.planning.advice.rules import RULES, advise_on
from genomics_pipeline.planning.advice.secret_literals import secrets_of
from genomics_pipeline.prices.load import shipped_prices
from genomics_pipeline.runs.catalog import load_pipeline, pipeline_names
from tests.engine.damaged_documents import damaged_documents
from tests.engine.documents import documents
from tests.planning.advice import test_map_rules, test_state_rules, test_task_rules
from tests.planning.advice.examples import BATCH, END, INVOKE, PUT, choice, distributed, jsonata, machine, task

EXAMPLES = [*test_map_rules.EXAMPLES, *test_task_rules.EXAMPLES, *test_state_rules.EXAMPLES]
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["States", "Type", "Retry", "Next", "a"]), inner),
)


def advise(document: dict[str, Any], rule: str) -> list[Finding]:
    return [one for one in advise_on(document, shipped_prices()) if one.rule == rule]


def test_every_rule_has_examples_with_and_without_findings() -> None:
    ids = {rule.id for rule in RULES} - {"secret"}  # which has tests of its own
    assert {example.rule for example in EXAMPLES if example.findings} == ids
    assert {example.rule for example in EXAMPLES if not example.findings} == ids


def test_the_names_of_rules_are_different() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("pipeline", pipeline_names())
def test_shipped_pipelines_have_no_finding(pipeline: str) -> None:
    assert advise_on(generate(load_pipeline(pipeline)[0]), shipped_prices()) == []


@given(documents() | damaged_documents() | st.dictionaries(st.text(), JSON_VALUES), st.booleans())
@settings(max_examples=50)
def test_no_document_makes_it_crash(document: dict[str, Any], express: bool) -> None:
    for finding in advise_on(document, shipped_prices(), express=express):
        assert finding.path.startswith("/")
    secrets_of(document)


@given(JSON_VALUES)
@settings(max_examples=30)
def test_no_json_value_is_without_problems(value: Any) -> None:
    assert problems(value)  # none of them has a state with a Type


def test_the_severest_findings_come_first_then_the_order_of_the_document() -> None:
    document = machine(
        A=task(INVOKE, Next="B"), B=task(BATCH, Parameters={"Password": "hunter2"}, Next="C"), C=choice("D"), D=END
    )
    found = [(one.severity, one.path) for one in advise_on(document, shipped_prices())]
    assert found == [
        (Severity.ERROR, "/States/B/Parameters/Password"),
        (Severity.WARNING, "/States/A"),
        (Severity.WARNING, "/States/B"),
        (Severity.WARNING, "/States/C"),
    ]


def test_a_retry_of_a_map_costs_the_transitions_of_every_item() -> None:
    children = machine(T=task(Next="U"), U=task())
    (finding,) = advise(machine(M=distributed(children, Retry=[{"ErrorEquals": ["States.ALL"]}])), "map-retry")
    assert finding.saving is not None
    # The start of a child, and its two states: $0.025 per thousand.
    assert (finding.saving.transitions, finding.saving.per) == (3, "item")
    assert finding.saving.dollars_per_million == pytest.approx(75)


def test_an_express_child_costs_its_start_alone() -> None:
    children = machine(T=task(INVOKE, Next="U"), U=task(INVOKE))
    (finding,) = advise(machine(M=distributed(children, "EXPRESS")), "map-batches")
    assert finding.saving is not None
    assert finding.saving.transitions == pytest.approx(0.99)  # in batches of 100


def test_express_is_paid_for_by_request_and_duration() -> None:
    (finding,) = advise(machine(T=task(PUT, Next="U"), U=task(PUT)), "standard-for-short-work")
    assert finding.saving is not None
    # Two transitions, less a request and a second of 64 MB at $0.00001667 per GB-second.
    assert finding.saving.dollars_per_million == pytest.approx(50 - 1 - 1.041875)


def test_a_polling_loop_costs_its_turns() -> None:
    loop = machine(
        W={"Type": "Wait", "Seconds": 60, "Next": "T"},
        T=task("arn:aws:states:::aws-sdk:batch:describeJobs", Next="C"),
        C=choice("D", Default="W"),
        D=END,
    )
    (finding,) = advise(loop, "polling-loop")
    assert finding.saving is not None
    assert (finding.saving.transitions, finding.saving.per) == (180, "hour of waiting")
    assert "arn:aws:states:::batch:submitJob.sync " in finding.why


def test_placeholders_are_no_problem() -> None:
    document = jsonata(T=task("${SortFunctionArn}", TimeoutSeconds="${Limit}"))
    assert problems(document) == []
    (problem,) = problems(jsonata(T=task("sort")))
    assert problem.path == "/States/T/Resource"


@given(st.recursive(st.text(alphabet='{}$"\\ab:,'), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_has_no_bare_placeholders(value: Any) -> None:
    text = json.dumps(value)
    assert quote_placeholders(text) == text
