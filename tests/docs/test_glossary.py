"""The glossary: each term once, in alphabetical order, with links that lead to pages."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "glossary.md"


def test_each_term_is_defined_once_in_alphabetical_order() -> None:
    terms = [term.lower() for term in re.findall(r"^- \*\*(.+?)\*\*", PAGE.read_text(), re.MULTILINE)]
    assert len(terms) > 40
    assert terms == sorted(set(terms))


def test_links_lead_to_pages() -> None:
    for target in re.findall(r"\]\((.+?)\)", PAGE.read_text()):
        assert (PAGE.parent / target).is_file()
