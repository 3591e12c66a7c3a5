"""The pages on the architecture: the layers are those of the import contracts, and the files they name exist."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "genomics_pipeline"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
WHERE_TO_CHANGE = (ROOT / "docs" / "where-to-change.md").read_text("utf-8")
CHOICE_RULES = re.compile(r"(String|Numeric|Boolean|Timestamp)[A-Z]\w*|Is[A-Z]\w*")


def schema_fields(node: Any) -> Iterator[str]:
    """Yield every property that the schema of documents names."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for value in node.values():
            yield from schema_fields(value)
    elif isinstance(node, list):
        for value in node:
            yield from schema_fields(value)


def field_rows() -> dict[str, list[str]]:
    """Return the files that each field's row of the table names."""
    table = WHERE_TO_CHANGE[WHERE_TO_CHANGE.index("| field | where |") :].split("\n\n")[0].splitlines()[2:]
    files_by_field: dict[str, list[str]] = {}
    for row in table:
        fields, where = row.strip("|").split("|")
        for field in re.split(r",\s*", fields.strip()):
            files_by_field.setdefault(field, []).extend(re.findall(r"`([\w/.]+)`", where))
    return files_by_field


SCHEMA = json.loads((PACKAGE / "schemas" / "asl.schema.json").read_text())
TABLE = field_rows()


@pytest.mark.parametrize("field", sorted(set(schema_fields(SCHEMA))))
def test_a_field_has_a_row(field: str) -> None:
    known = field in TABLE or CHOICE_RULES.fullmatch(field) or (field.endswith("Path") and field[:-4] in TABLE)
    assert known, f"no row of docs/where-to-change.md names {field}"


def test_the_files_of_a_field_name_it() -> None:
    silent: list[str] = []
    for field, files in TABLE.items():
        if not re.fullmatch(r"[A-Za-z]+", field):
            continue  # the row of all fields that end in Path
        texts = []
        for file in files:
            paths = sorted(PACKAGE.glob(f"engine/{file}*.py" if file.endswith("/") else f"**/{file}"))
            assert paths, f"{field}: no {file} in the package"
            texts += [path.read_text() for path in paths]
        silent += [] if any(field in text for text in texts) else [f"{field}: none of {files} names it"]
    assert silent == []


@pytest.mark.parametrize("page", [ARCHITECTURE, WHERE_TO_CHANGE], ids=["architecture", "where-to-change"])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+(?:\.py|\.toml|/))`", page)) - {"results/", "items/"}
    paths = [path for folder in (PACKAGE, ROOT / "steps") for path in folder.rglob("*")]
    missing = [name for name in named if not (ROOT / name).exists() and not any(path.match(name) for path in paths)]
    assert missing == []


def test_the_diagram_of_the_layers_is_that_of_the_import_contracts() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", "utf-8")
    layers = contracts["importlinter:contract:layers"]["layers"].split("\n")
    diagram = ARCHITECTURE.split("## Layers")[1].split("```")[1].splitlines()
    drawn = [line for line in (re.findall(r"\w+", line) for line in diagram) if line]
    position = 0
    for layer in filter(None, layers):
        packages = set(re.findall(r"\w+", layer))
        below = [number for number, words in enumerate(drawn) if number >= position and packages <= set(words)]
        assert below, f"{layer}: not in the diagram, or not below the layer above it"
        position = below[0] + 1
