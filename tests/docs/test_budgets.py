"""The page of budgets lists exactly those that the code has, in their order."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.model.budgets import all_budgets

PAGE = Path(__file__).parents[2] / "docs" / "budgets.md"


def test_the_page_lists_every_budget() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "at most" not in line]
    assert rows == [f"| {budget} | {budget.what} |" for budget in all_budgets().values()]
