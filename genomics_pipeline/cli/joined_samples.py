"""The samples of the runs that `--joint-with` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.report.output import echo_line


def joined_arguments(runs: Sequence[str], stack: str = DEFAULT_STACK) -> dict[str, Any]:
    """Return the arguments of a request for the samples of runs, and report samples without a gVCF.

    Args:
        runs: The values of the option.
        stack: The stack in which names of runs are looked up.

    Raises:
        RunError: for a run that does not exist, or has no gVCF.
    """
    if not runs:
        return {}
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.earlier_runs import earlier_runs

    found = earlier_runs(runs, stack, adapters(), lambda text: echo_line(f"warning: {text}", err=True))
    return {"joined": found.samples, "earlier": found.packed}
