"""The page about the first day on AWS quotes only messages that the package contains."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-day-on-aws.md"
TABLES = ("| message |", "| you see |")
LEAST = 5  # letters of a part of a message that is searched for


def quoted_messages() -> Iterator[str]:
    """Yield the messages in the first column of the tables."""
    is_message = False
    for line in PAGE.read_text().splitlines():
        if line.startswith("|"):
            is_message = is_message or line.startswith(TABLES)
            if is_message:
                yield from re.findall(r"`([^`]+)`", line.split("|")[1])
        else:
            is_message = False


def texts() -> list[str]:
    """Return all texts in the sources of the package, with adjacent literals joined."""
    sources = (ROOT / "genomics_pipeline").rglob("*.py")
    trees = (ast.parse(source.read_text()) for source in sources)
    return [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_quoted_message_occurs_in_the_package() -> None:
    everything = "\0".join(texts())
    parts = {message: [one.strip() for one in message.split("…")] for message in quoted_messages()}
    assert len(parts) > 20
    for message, pieces in parts.items():
        searched = [piece for piece in pieces if len(piece) >= LEAST]
        assert searched, f"{message}: too short to be searched for"
        missing = [piece for piece in searched if piece not in everything]
        assert not missing, f"{PAGE.name}: no message of the package contains {missing[0]!r}"


@pytest.mark.parametrize("page", ["aws.md", "failures.md"])
def test_the_headings_that_it_links_to_exist(page: str) -> None:
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    linked = re.findall(rf"\({re.escape(page)}#([^)]+)\)", PAGE.read_text())
    assert set(linked) <= anchors
