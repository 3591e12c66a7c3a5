"""The page of ten petabytes a month is what `make petabytes` makes; here of a small part, whose numbers are masked."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.petabytes.page import SECTIONS, fingerprint, page, section

PAGE = Path(__file__).parents[2] / "docs/petabytes.md"
RENEW = "run `make petabytes`, which takes some minutes, and commit docs/petabytes.md"
SMALL = 10_000  # by which genomes and vCPUs are divided


def test_the_page_is_of_the_present_rates_quotas_and_prices() -> None:
    (data,) = re.findall(r"<!-- data -->`(\w+)`", PAGE.read_text())
    assert data == fingerprint(), f"rates, quotas, prices or steps have changed since: {RENEW}"


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_of_fewer_genomes_has_the_same_text_and_tables(name: str) -> None:
    lacking = masked(section(name, SMALL)) - masked(PAGE.read_text())
    assert not lacking, f"text or tables have changed: {RENEW}"


@pytest.mark.petabytes
def test_the_page_is_made_again() -> None:
    assert page() == PAGE.read_text(), RENEW


def masked(text: str) -> Counter[str]:
    """Return the lines of a page without their numbers and units; of a row of a table, whose order varies, one cell."""
    lines = (line.split(" | ")[0] if line.startswith("| ") else line for line in text.splitlines())
    return Counter(re.sub(r"[\d.,]+( [dh]\b)?", "#", line) for line in lines)
