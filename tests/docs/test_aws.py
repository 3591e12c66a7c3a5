"""The table of the stack's parameters in docs/aws.md: every parameter of the template, with its default and a cost."""

from __future__ import annotations

import re
from pathlib import Path

from genomics_pipeline.aws.template.parameters import PARAMETERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "aws.md"
HEADING = "## Parameters of the stack"
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str, str]]:
    section = PAGE.read_text("utf-8").partition(HEADING)[2].partition("\n## ")[0]
    return [match.groups() for match in ROW.finditer(section)]  # type: ignore[misc]


def test_every_parameter_is_in_the_table_with_its_default() -> None:
    shown = {name: default for name, default, _, _ in rows()}
    expected = {name: f"`{spec['Default']}`" if spec["Default"] != "" else "–" for name, spec in PARAMETERS.items()}
    assert shown == expected
    assert len(rows()) == len(shown)


def test_every_parameter_has_an_effect_and_a_cost() -> None:
    for name, _, effect, cost in rows():
        assert len(effect) > 20, name
        assert "$" in cost or "free" in cost, name
