"""The page on advice lists exactly the rules that there are."""

from __future__ import annotations

import re
from pathlib import Path

from genomics_pipeline.planning.advice.rules import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "advice.md").read_text("utf-8")


def test_the_page_has_a_section_for_each_rule() -> None:
    assert sorted(re.findall(r"^### (.+)$", PAGE, re.MULTILINE)) == sorted(rule.id for rule in RULES)
