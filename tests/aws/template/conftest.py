"""Templates of the shipped pipelines, alone and with a user's pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.aws.template.template import first_template
from genomics_pipeline.cli.intake import arriving_sheets
from genomics_pipeline.runs.stack.template import StackTemplate, stack_template

GOLDEN = Path(__file__).parents[2] / "golden"
PIPELINES = {
    "shipped": [],
    "one": ["germline"],
    "own": ["germline", str(GOLDEN / "cohort.toml")],
    "records": [str(GOLDEN / f"{name}.toml") for name in ("records", "records-in-parts", "gathered")],
}


@pytest.fixture(scope="session")
def plan() -> StackTemplate:
    return stack_template([], "genomics-pipeline")


@pytest.fixture(scope="session")
def document(plan: StackTemplate) -> dict[str, Any]:
    return plan.document()


@pytest.fixture(scope="session", params=[*PIPELINES, "intake", "first"])
def any_document(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return each kind of template; `first` is that of a first deployment."""
    if request.param == "first":
        return first_template()
    if request.param == "intake":
        arriving = arriving_sheets("intake/", ["submit", "--reference", "s3://reads/hg38.fa"], "any-stack")
        return stack_template(["germline"], "any-stack", arriving).document()
    return stack_template(PIPELINES[request.param], "any-stack").document()


@pytest.fixture(scope="session")
def of_type(document: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """Return a function that returns the properties of the resources of a type, by logical id."""

    def call(kind: str) -> dict[str, Any]:
        resources = document["Resources"].items()
        return {name: resource.get("Properties", {}) for name, resource in resources if resource["Type"] == kind}

    return call
