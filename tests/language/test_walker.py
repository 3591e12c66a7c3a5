"""The walk through a document: machines and states in order, with path, query language and type of execution."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.walker import JSONATA, JSONPATH, NEITHER, walk_machines, walk_states


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


PASS = {"Type": "Pass", "End": True}
DOCUMENT = {
    "QueryLanguage": "JSONata",
    **machine(
        P={"Type": "Parallel", "Branches": [machine(A=PASS), "no object", machine(B=PASS, C=PASS)]},
        M={
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                **machine(D={"Type": "Map", "Iterator": machine(E={**PASS, "QueryLanguage": "JSONPath"})}, X=1),
            },
        },
        Z=PASS,
    ),
}


def test_machines_come_before_those_within_them() -> None:
    assert [(each.kind, each.path, each.express) for each in walk_machines(DOCUMENT)] == [
        ("StateMachine", "", False),
        ("Branch", "/States/P/Branches[0]", False),
        ("Branch", "/States/P/Branches[2]", False),
        ("ItemProcessor", "/States/M/ItemProcessor", True),
        ("ItemProcessor", "/States/M/ItemProcessor/States/D/Iterator", True),
    ]


def test_states_have_their_machine_and_path() -> None:
    states = list(walk_states(DOCUMENT))
    assert [state.name for state in states] == ["P", "M", "Z", "A", "B", "C", "D", "E"]
    assert [state.path for state in states[4:]] == [
        "/States/P/Branches[2]/States/B",
        "/States/P/Branches[2]/States/C",
        "/States/M/ItemProcessor/States/D",
        "/States/M/ItemProcessor/States/D/Iterator/States/E",
    ]
    assert [state.machine.kind for state in states] == ["StateMachine"] * 3 + ["Branch"] * 3 + ["ItemProcessor"] * 2


def test_states_have_their_query_language() -> None:
    assert {state.name: state.language for state in walk_states(DOCUMENT)} == {
        **dict.fromkeys("PMZABCD", JSONATA),
        "E": NEITHER,
    }
    assert [state.language for state in walk_states(machine(A=PASS, B={**PASS, "QueryLanguage": "JSONata"}))] == [
        JSONPATH,
        JSONATA,
    ]


def test_distributed_maps_and_their_configuration() -> None:
    states = {state.name: state for state in walk_states(DOCUMENT)}
    assert [name for name, state in states.items() if state.is_distributed] == ["M"]
    assert states["M"].processor_config["ExecutionType"] == "EXPRESS"
    assert states["D"].processor_config == {}
    assert states["Z"].processor is None


def test_all_machines_of_an_express_execution_are_express() -> None:
    assert all(each.express for each in walk_machines(DOCUMENT, express=True))


def test_members_of_another_type_are_skipped() -> None:
    assert [each.path for each in walk_machines({"States": [1]})] == [""]
    (state,) = walk_states({"States": {"A": 1, "B": {"Type": 5, "Branches": [machine(C=PASS)]}}})
    assert (state.kind, state.language) == ("", JSONPATH)
    assert len(list(walk_machines(machine(A={"Type": "Pass", "ItemProcessor": machine(B=PASS)})))) == 1
