"""The architecture page leads to the code of every field of the States Language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "genomics_pipeline"
CHOICE_RULES = re.compile(r"(String|Numeric|Boolean|Timestamp)[A-Z]\w*|Is[A-Z]\w*")


def fields(node: Any) -> Iterator[str]:
    """Yield every property that the schema of documents names."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for value in node.values():
            yield from fields(value)
    elif isinstance(node, list):
        for value in node:
            yield from fields(value)


def rows() -> dict[str, list[str]]:
    """Return the files that each field's row of the table names."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page[page.index("| field | where |") :].split("\n\n")[0].splitlines()[2:]
    found: dict[str, list[str]] = {}
    for row in table:
        names, where = row.strip("|").split("|")
        files = re.findall(r"`([\w/.]+)`", where)
        for name in re.split(r",\s*", names.strip()):
            found.setdefault(name, []).extend(files)
    return found


SCHEMA = json.loads((PACKAGE / "schemas" / "asl.schema.json").read_text())
TABLE = rows()


@pytest.mark.parametrize("field", sorted(set(fields(SCHEMA))))
def test_a_field_has_a_row(field: str) -> None:
    known = field in TABLE or CHOICE_RULES.fullmatch(field) or (field.endswith("Path") and field[:-4] in TABLE)
    assert known, f"no row of docs/architecture.md names {field}"


def test_what_the_table_names_is_there_and_speaks_of_the_field() -> None:
    silent: list[str] = []
    for name, files in TABLE.items():
        if not re.fullmatch(r"[A-Za-z]+", name):
            continue  # the row of all fields that end so
        texts = []
        for file in files:
            found = sorted(PACKAGE.glob(f"engine/{file}*.py" if file.endswith("/") else f"**/{file}"))
            assert found, f"{name}: no {file} in the package"
            texts += [path.read_text() for path in found]
        silent += [] if any(name in text for text in texts) else [f"{name}: none of {files} speaks of it"]
    assert silent == []
