"""The costs of a run: each record of its items is read once, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.planning.run_cost import CostTally, ItemCost, RunCost, SpendingAccount, state_transitions
from genomics_pipeline.prices.core_hours import NO_PRICES, CoreHourPrices
from genomics_pipeline.prices.load import SHIPPED_REGION, load_prices
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.records.failure import FailureRecord
from genomics_pipeline.records.plan import read_planned_figures
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.record_run import RecordRun
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import StageGroup


def run_cost(
    run: ReadableRun,
    prices_folder: Path | None,
    core_hour_prices: CoreHourPrices = NO_PRICES,
    on_item: Callable[[ItemCost], object] = lambda _: None,
) -> RunCost:
    """Return the costs of a run.

    Args:
        run: The run.
        prices_folder: The folder of the user's own prices.
        core_hour_prices: The prices of machines that are no hosts of AWS.
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
    files = run.files
    spending = RunSpending(run, prices_folder, core_hour_prices)
    for group in files.groups():
        for item, stages in files.ended(group):
            costs = {}
            for stage, record in stages.items():
                if isinstance(record, CompletionRecord):
                    costs[stage] = spending.add(record)
                else:
                    spending.add_failure(stage, record)
            if costs:
                on_item(ItemCost(item, group.scope, costs))
    return spending.cost()


class RunSpending:
    """The costs of a run, summed while its records are read.

    Args:
        run: The run.
        prices_folder: The folder of the user's own prices.
        core_hour_prices: The prices of machines that are no hosts of AWS.

    Attributes:
        prices: Returns the prices of a Region; of that of the shipped ones for an empty name.
    """

    def __init__(
        self, run: ReadableRun, prices_folder: Path | None, core_hour_prices: CoreHourPrices = NO_PRICES
    ) -> None:
        self._run = run
        self.prices = cache(lambda region: load_prices(region or SHIPPED_REGION, prices_folder))
        self._account = SpendingAccount(
            self.prices,
            int(PARAMETERS["VolumeGiB"]["Default"]),
            core_hour_prices,
        )

    def add(self, record: CompletionRecord) -> CostTally:
        """Add a task that is done, and return its cost.

        Raises:
            DataError: for a Region without prices.
        """
        return self._account.add(record)

    def add_failure(self, stage: str, record: FailureRecord) -> None:
        """Add the attempts over an item that is not done.

        Raises:
            DataError: for a Region without prices.
        """
        self._account.add_failure(stage, record)

    def cost(self) -> RunCost:
        """Return the costs of all that was added."""
        files, account = self._run.files, self._account
        transitions = _transitions(self._run, files, files.groups()) if files.is_on_aws else None
        return RunCost(
            files.shown,
            account.lines(transitions),
            account.stages,
            account.waste,
            list(account.not_counted(transitions, files.is_on_aws)),
            read_planned_figures(files.store, files.place.uri(run_layout.PLAN)),
            account.partitions,
        )


def _transitions(run: ReadableRun, files: RunFiles, groups: Sequence[StageGroup]) -> int | None:
    """Return the number of state transitions; None where Step Functions does not know the executions any more."""
    try:
        executions, children = run.started_children()
    except RunError:
        return None
    counted = state_transitions(((one.label, len(one.stages)) for one in groups), children, executions)
    parts = read_input(files.store, files.place.uri(run_layout.INPUT)).parts
    return counted + sum(parts + executions - 1 for one in groups if one.in_parts)
