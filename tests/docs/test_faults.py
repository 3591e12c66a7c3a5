"""The page on faults: it names every class, and its example is a valid file."""

from __future__ import annotations

import json
import re
from pathlib import Path

from genomics_pipeline.model.faults import parse_faults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text()


def test_the_example() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    plan = parse_faults(text, file="f", stages={"alignment": "sample"}, samples=["NA12878", "NA12879"])
    assert [fault.kind for fault in plan.faults] == ["host_lost", "out_of_memory", "bad_input"]


def test_the_table_has_every_class() -> None:
    schema = json.loads((ROOT / "genomics_pipeline" / "schemas" / "faults.schema.json").read_text())
    classes = schema["properties"]["faults"]["items"]["properties"]["class"]["enum"]
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == sorted(classes)
