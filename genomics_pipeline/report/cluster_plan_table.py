"""The part of a plan that only a run on a Slurm cluster has: limits of the partition, and dollars of core-hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.planning.cluster_figures import ClusterFigures
from genomics_pipeline.planning.cost_names import COMPUTE
from genomics_pipeline.report.plan_table import limit_rows, usage_json


def cluster_json(figures: ClusterFigures) -> dict[str, Any]:
    """Return the members of the object that ``plan --slurm --json`` prints beside those of a plan of this machine."""
    dollars = figures.dollars
    return {
        "arrays": figures.arrays,
        "quotas": [usage_json(one) for one in figures.usages],
        **(
            {}
            if dollars is None
            else {"dollars": {"total": round(sum(dollars.values()), 4), "by_line": _by_line(figures)}}
        ),
    }


def _by_line(figures: ClusterFigures) -> dict[str, float]:
    return {COMPUTE.format(stage): round(value, 4) for stage, value in (figures.dollars or {}).items()}


def cluster_lines(figures: ClusterFigures) -> Iterator[str]:
    """Yield the lines of the screen after those of the core-hours."""
    yield ""
    yield from limit_rows(figures.usages)
    if figures.dollars is not None:
        yield ""
        yield f"{'dollars':<32}{sum(figures.dollars.values()):>14,.2f}  core-hours times their price"
        for name, value in _by_line(figures).items():
            yield f"  {name:<30}{value:>14,.2f}"


def cluster_explanations(figures: ClusterFigures) -> dict[str, list[str]]:
    """Return where each figure comes from, by the name of its line."""
    found = {
        one.name: [f"{one.used:,.6g} of {one.limit:,.6g} {one.unit}: {one.source}", *([one.basis] if one.basis else [])]
        for one in figures.usages
    }
    if figures.dollars is not None:
        found["dollars"] = [
            f"{name}: {value:,.4f}, core-hours times their price" for name, value in _by_line(figures).items()
        ]
    return found
