"""`definition --svg`: the image of a pipeline and of any document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.report.definition_graph import GraphMachine, definition_graph
from tests.cli.conftest import Ended
from tests.small_project import COPY, COPY_DECLARATIONS, SmallProject, stage_toml

Cli = Callable[..., Ended]
SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).parents[1] / "golden"
HOSTILE = 'A <script>alert(1)</script> & "x"'


def texts(image: str) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(image).iter(f"{SVG}text")]


def machines(graph: GraphMachine) -> Iterator[GraphMachine]:
    yield graph
    for node in graph.nodes.values():
        for machine in node.machines:
            yield from machines(machine)


def test_a_pipeline_is_drawn_without_what_handles_failures(cli: Cli) -> None:
    ended = cli("definition", "germline", "--svg")
    assert ended.code == 0
    assert [one for one in texts(ended.out) if not one.startswith(("Task", "Distributed", "Choice", "Succeed"))] == [
        "Pipeline germline",
        "Sample",
        "alignment",
        "variant_calling",
        "Interval",
        "aggregation",
        "gather",
        "annotationChosen",
        "annotationLeftOut",
        "annotation",
    ]
    assert cli("definition", "germline", "--svg").out == ended.out
    root = ElementTree.fromstring(ended.out)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "title desc"
    description = root.find(f"{SVG}desc")
    assert description is not None
    assert "alignment (Task, batch:submitJob.sync), then variant_calling" in str(description.text)


@pytest.mark.parametrize("document", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_a_document_is_drawn_with_all_of_its_states(cli: Cli, document: Path) -> None:
    image = cli("definition", document, "--svg").out
    states = [state.name for state in walk_states(json.loads(document.read_bytes()))]
    assert sorted(one for one in texts(image) if one in states) == sorted(one for one in states if len(one) <= 40)


def test_names_are_text_and_bad_members_are_left_out(cli: Cli, tmp_path: Path) -> None:
    states = {
        HOSTILE: {"Type": "Pass", "Next": "loop\x1b[2J", "Catch": [1, {"Next": 2}], "Branches": {}},
        "loop\x1b[2J": {"Type": "Choice", "Choices": "none", "Default": "loop\x1b[2J"},
        "odd": {"Type": '"><x', "Next": "nowhere"},
        "number": 7,
        "x" * 80: {"Type": "Map", "ItemProcessor": {"StartAt": "in", "States": {"in": {"Type": "Succeed"}}}},
    }
    file = tmp_path / "hostile.asl.json"
    file.write_text(json.dumps({"StartAt": HOSTILE, "States": states}))
    ended = cli("definition", file, "--svg")
    assert ended.code == 0
    assert "<script" not in ended.out
    assert "\x1b" not in ended.out
    found = texts(ended.out)
    assert found[0] == "State machine hostile"
    assert HOSTILE in found
    assert "loop\\u001b[2J" in found
    assert "x" * 39 + "…" in found
    assert ("number" in found, "odd" in found) == (False, True)


@pytest.mark.parametrize(
    ("content", "options", "code", "message"),
    [
        ("[]", ["--svg"], 1, "expected a state machine, an object with States"),
        ("{}", [], 2, "expected a pipeline, found a document; --svg draws it, `advise` checks it"),
        ("{", ["--svg"], 1, "expected JSON"),
    ],
)
def test_what_cannot_be_drawn(
    cli: Cli, tmp_path: Path, content: str, options: list[str], code: int, message: str
) -> None:
    file = tmp_path / "machine.json"
    file.write_text(content)
    ended = cli("definition", file, *options)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err


@st.composite
def documents(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    states: dict[str, Any] = {}
    for name in names:
        targets = draw(st.lists(st.sampled_from(names), max_size=3))
        states[name] = {"Type": "Choice", "Choices": [{"Next": one} for one in targets]}
        if depth and draw(st.integers(0, 3)) == 0:
            states[name] = {
                "Type": "Map",
                "ItemProcessor": draw(documents(depth - 1)),
                "Next": draw(st.sampled_from(names)),
            }
    return {"StartAt": names[0], "States": states}


@given(documents(), st.booleans())
@settings(max_examples=60)
def test_boxes_do_not_overlap_and_stay_within(document: dict[str, Any], failures: bool) -> None:
    for machine in machines(definition_graph(document, failures=failures)):
        nodes = list(machine.nodes.values())
        for one, other in combinations(nodes, 2):
            is_beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert is_beside or one.y + one.height <= other.y or other.y + other.height <= one.y
        for node in nodes:
            assert node.x >= 0
            assert node.x + node.width <= machine.width + 1e-6
            assert node.y + node.height <= machine.height
            for inner in node.machines:
                assert inner.x + inner.width <= node.width
                assert inner.y + inner.height <= node.height
        assert all(edge.source in machine.nodes and edge.target in machine.nodes for edge in machine.edges)


def test_states_without_a_cycle_are_below_those_that_lead_to_them(cli: Cli) -> None:
    states = {"a": {"Next": "d"}, "b": {"Next": "d"}, "c": {"Next": "b"}, "d": {"Next": "a"}}
    graph = definition_graph({"StartAt": "c", "States": states}, failures=True)
    tops = {name: node.y for name, node in graph.nodes.items()}
    assert tops["c"] < tops["b"] < tops["d"] < tops["a"]
    assert [edge.lane for edge in graph.edges if (edge.source, edge.target) == ("a", "d")] == [1]


def test_a_run_has_the_image_of_its_definition(project: SmallProject, cli: Cli) -> None:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": "@r\nA\n+\nI\n"})
    assert cli(*project.arguments()).code == 0
    image = (project.run / "results/pipeline_info/pipeline.svg").read_text()
    assert texts(image)[0] == "Pipeline small"
    assert "copying" in texts(image)
