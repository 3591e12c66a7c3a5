"""The samples of the runs that `--joint-with` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.report.output import echo_line

if TYPE_CHECKING:
    from genomics_pipeline.model.sample import Sample


def joined_samples(runs: Sequence[str], stack: str = DEFAULT_STACK) -> tuple[Sample, ...]:
    """Return the samples of runs, with their gVCFs, and report those that have none.

    Args:
        runs: The values of the option.
        stack: The stack in which names of runs are looked up.

    Raises:
        RunError: for a run that does not exist, or has no gVCF.
    """
    if not runs:
        return ()
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.earlier_runs import earlier_samples

    return earlier_samples(runs, stack, adapters(), lambda text: echo_line(f"warning: {text}", err=True))
