"""The changes that would save most, as plans show them: lines, JSON, rows of pages, explanations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from genomics_pipeline.planning.savings import LEAST_DOLLARS, PricedChange

HEAD = "would save most"
NONE = f"none of the changes that are priced saves ${LEAST_DOLLARS:g}: docs/plan.md"


def savings_json(savings: Sequence[PricedChange]) -> list[dict[str, Any]]:
    """Return the member ``savings`` of a plan's JSON object."""
    return [
        {
            "name": one.name,
            "dollars": round(one.dollars, 4),
            "change": one.change,
            "why": one.why,
            "by_line": {line: round(dollars, 4) for line, dollars in one.by_line.items()},
        }
        for one in savings
    ]


def savings_lines(savings: Sequence[PricedChange]) -> Iterator[str]:
    """Yield the lines of the screen."""
    yield HEAD if savings else f"{HEAD:<32}{'':>14}  {NONE}"
    for one in savings:
        yield f"  {one.name:<30}{-one.dollars:>+14,.2f}  {one.change}: {one.why}"


def savings_rows(savings: Sequence[PricedChange]) -> list[tuple[str, ...]]:
    """Return the rows of a table: name, dollars, change, reason."""
    return [(one.name, f"{-one.dollars:+,.2f}", one.change, one.why) for one in savings]


def savings_explanations(savings: Sequence[PricedChange]) -> dict[str, list[str]]:
    """Return where each figure comes from, by the name of its line."""
    return {
        HEAD: [f"{one.name}: ${-one.dollars:+,.4f}" for one in savings] or [NONE],
        **{one.name: _explanation(one) for one in savings},
    }


def _explanation(one: PricedChange) -> list[str]:
    return [
        f"${-one.dollars:+,.4f}: the expected work of this plan, without failures, priced once more with the change",
        f"{one.change}: {one.why}",
        *(f"{line}: ${-dollars:+,.4f}" for line, dollars in one.by_line.items()),
    ]
