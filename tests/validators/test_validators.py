"""Two public validators, which accept every golden definition and report planted errors.

Without node and npm the tests are skipped; in continuous integration they fail.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.aws.template.report_definition import report_definition
from genomics_pipeline.model.resource_names import ResourceNames
from tests.patience import PATIENCE_S

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"

pytestmark = pytest.mark.validators

Reports = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="session")
def validate(node: Callable[[Path], str]) -> Callable[..., Reports]:
    """Return `validate(file, …)`, which returns the report of each validator on each file."""
    program = node(HERE)

    def call(*files: Path) -> Reports:
        command = [program, "validate.js", *map(str, files)]
        process = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert process.returncode == 0, process.stderr
        reports: Reports = json.loads(process.stdout)
        return reports

    return call


def test_golden_definitions_and_the_report_of_runs_are_accepted(
    validate: Callable[..., Reports], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    report.write_text(canonical_json(report_definition(ResourceNames(), "arn:aws:sns:us-east-1:000000000000:topic")))
    files = [*sorted(GOLDEN.glob("*.json")), report]
    reports = validate(*files)
    assert sorted(reports) == [file.name for file in files]
    problems = [
        (name, validator, message)
        for name, report in reports.items()
        for validator, messages in report.items()
        for message in messages
    ]
    assert problems == []


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
def test_both_validators_report_a_planted_error(
    change: Callable[[dict[str, Any]], None], validate: Callable[..., Reports], tmp_path: Path
) -> None:
    reports = validate(plant(change, tmp_path))["planted.json"]
    assert {validator for validator, messages in reports.items() if messages} == {
        "asl-validator",
        "amazon-states-language-service",
    }, reports


def test_a_name_that_two_states_share_is_reported(validate: Callable[..., Reports], tmp_path: Path) -> None:
    """Only one of the validators refuses such a document, as AWS does."""

    def change(states: dict[str, Any]) -> None:
        machine = states["Interval"]["ItemProcessor"]
        machine["States"] = {"alignment": machine["States"].pop("aggregation"), **machine["States"]}
        machine["States"]["aggregationFailed"]["Choices"][0]["Next"] = machine["StartAt"] = "alignment"

    reports = validate(plant(change, tmp_path))["planted.json"]
    assert reports["asl-validator"] == ["DUPLICATE_STATE_NAMES: A state with this name already exists: alignment"]


def test_without_node_it_fails_in_continuous_integration_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[str], None]
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="must run in continuous integration"):
        missing("no node/npm on this machine")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match=r"^SKIPPED: no node/npm on this machine$"):
        missing("no node/npm on this machine")
