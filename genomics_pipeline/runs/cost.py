"""The costs of a run: each record of its items is read once, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.planning.run_cost import ItemCost, RunCost, SpendingAccount, state_transitions
from genomics_pipeline.prices.load import SHIPPED_REGION, load_prices
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.plan import read_planned_figures
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.record_run import RecordRun
from genomics_pipeline.runs.run_files import RunFiles, StageGroup


def run_cost(
    run: RunBackend,
    prices_folder: Path | None,
    per_core_hour: float | None = None,
    on_item: Callable[[ItemCost], object] = lambda _: None,
) -> RunCost:
    """Return the costs of a run.

    Args:
        run: The run.
        prices_folder: The folder of the user's own prices.
        per_core_hour: US dollars for a core-hour of a machine that is not a host of AWS.
        on_item: Called with the cost of each item.

    Raises:
        UsageError: for a run over records.
        DataError: for a Region without prices.
        RunError: if the run cannot be read.
    """
    if isinstance(run, RecordRun):
        raise UsageError(
            f"{run.files.shown}: expected a run over samples, whose tasks record their hosts; found one over records"
        )
    files, groups = run.files, run.files.groups()
    account = SpendingAccount(
        lambda region: load_prices(region or SHIPPED_REGION, prices_folder),
        int(PARAMETERS["VolumeGiB"]["Default"]),
        per_core_hour,
    )
    for group in groups:
        for item, stages in files.ended(group):
            costs = {}
            for stage, record in stages.items():
                if isinstance(record, CompletionRecord):
                    costs[stage] = account.add(record)
                else:
                    account.add_failure(stage, record)
            if costs:
                on_item(ItemCost(item, group.scope, costs))
    transitions = _transitions(run, files, groups) if files.is_on_aws else None
    return RunCost(
        files.shown,
        account.lines(transitions),
        account.stages,
        account.waste,
        list(account.not_counted(transitions, files.is_on_aws)),
        read_planned_figures(files.store, files.place.uri(run_layout.PLAN)),
    )


def _transitions(run: RunBackend, files: RunFiles, groups: Sequence[StageGroup]) -> int | None:
    """Return the number of state transitions; None where Step Functions does not know the executions any more."""
    try:
        executions, children = run.started_children()
    except RunError:
        return None
    counted = state_transitions(((one.label, len(one.stages)) for one in groups), children, executions)
    parts = read_input(files.store, files.place.uri(run_layout.INPUT)).parts
    return counted + sum(parts + executions - 1 for one in groups if one.in_parts)
