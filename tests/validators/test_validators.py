"""Two public validators over every golden definition, and over planted errors.

Neither raises an alarm. Without node and npm this is skipped; in continuous integration it fails.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"

pytestmark = pytest.mark.validators

Opinions = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="session")
def validate(node: Callable[[Path], str]) -> Callable[..., Opinions]:
    """Return `validate(file, …)`, which returns the report of each validator on each file."""
    program = node(HERE)

    def call(*files: Path) -> Opinions:
        command = [program, "validate.js", *map(str, files)]
        ended = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == 0, ended.stderr
        found: Opinions = json.loads(ended.stdout)
        return found

    return call


def test_golden_definitions_raise_no_alarm(validate: Callable[..., Opinions]) -> None:
    files = sorted(GOLDEN.glob("*.json"))
    found = validate(*files)
    assert sorted(found) == [file.name for file in files]
    alarms = [
        (name, validator, message)
        for name, opinions in found.items()
        for validator, messages in opinions.items()
        for message in messages
    ]
    assert alarms == []


def plant(change: Callable[[dict[str, Any]], None], folder: Path) -> Path:
    document = json.loads((GOLDEN / "germline.json").read_bytes())
    change(document["States"])
    file = folder / "planted.json"
    file.write_text(json.dumps(document, indent=2))
    return file


def _next_to_nowhere(states: dict[str, Any]) -> None:
    states["Sample"]["ItemProcessor"]["States"]["alignment"]["Next"] = "nowhere"


def _start_at_nowhere(states: dict[str, Any]) -> None:
    states["Interval"]["ItemProcessor"]["StartAt"] = "nowhere"


def _catch_to_nowhere(states: dict[str, Any]) -> None:
    states["gather"]["Catch"][0]["Next"] = "nowhere"


def _unknown_type(states: dict[str, Any]) -> None:
    states["gather"]["Type"] = "Tsk"


def _percentage_101(states: dict[str, Any]) -> None:
    states["Sample"]["ToleratedFailurePercentage"] = 101


def _unknown_field(states: dict[str, Any]) -> None:
    states["Sample"]["MaxConcurency"] = 3


@pytest.mark.parametrize(
    "change",
    [_next_to_nowhere, _start_at_nowhere, _catch_to_nowhere, _unknown_type, _percentage_101, _unknown_field],
    ids=lambda change: change.__name__.strip("_"),
)
def test_both_report_a_planted_error(
    change: Callable[[dict[str, Any]], None], validate: Callable[..., Opinions], tmp_path: Path
) -> None:
    found = validate(plant(change, tmp_path))["planted.json"]
    assert {validator for validator, messages in found.items() if messages} == {
        "asl-validator",
        "amazon-states-language-service",
    }, found


def test_a_name_that_two_states_share_is_reported(validate: Callable[..., Opinions], tmp_path: Path) -> None:
    """AWS refuses such a document; only one of the two validators does."""

    def change(states: dict[str, Any]) -> None:
        machine = states["Interval"]["ItemProcessor"]
        machine["States"] = {"alignment": machine["States"].pop("aggregation"), **machine["States"]}
        machine["States"]["aggregationFailed"]["Choices"][0]["Next"] = machine["StartAt"] = "alignment"

    found = validate(plant(change, tmp_path))["planted.json"]
    assert found["asl-validator"] == ["DUPLICATE_STATE_NAMES: A state with this name already exists: alignment"]


def test_without_node_it_fails_in_continuous_integration_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[str], None]
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="must run in continuous integration"):
        missing("no node/npm on this machine")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match=r"^SKIPPED: no node/npm on this machine$"):
        missing("no node/npm on this machine")
