"""The costs of a run: its tasks by stage, from completion records and prices of hosts; storage, requests, transitions.

The lines have the names of a plan's, so that both can be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.planning.cost_names import COMPUTE, GETS, PUTS, STORAGE, TRANSITIONS, VOLUMES
from genomics_pipeline.planning.transfers import WRITTEN_RECORDS, downloads, uploads
from genomics_pipeline.prices.core_hours import NO_PRICES, OPTION, PARTITION, CoreHourPrices, charged_cores
from genomics_pipeline.prices.price import GB, Price, Prices, UnknownPrice
from genomics_pipeline.prices.task_cost import region_of, task_cost
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.records.failure import FailureRecord
from genomics_pipeline.records.plan import PlannedFigures

_HOUR_S, _MONTH_HOURS = 3600, 730


@dataclass(slots=True)
class CostTally:
    """A sum over tasks.

    Attributes:
        tasks: The number of tasks.
        core_hours: Their durations times the cores that they could use.
        dollars: US dollars for their shares of hosts; of local tasks, by the price of a core-hour if there is one.
        low: With low Spot prices.
        high: With high Spot prices.
        host_hours: Their durations times their shares of hosts.
    """

    tasks: int = 0
    core_hours: float = 0
    dollars: float = 0
    low: float = 0
    high: float = 0
    host_hours: float = 0

    def add(self, other: CostTally) -> None:
        """Add another sum."""
        self.tasks += other.tasks
        self.core_hours += other.core_hours
        self.dollars += other.dollars
        self.low += other.low
        self.high += other.high
        self.host_hours += other.host_hours


@dataclass(frozen=True, slots=True)
class SpentLine:
    """A line of the costs.

    Attributes:
        name: Its name, as in plans.
        dollars: US dollars.
        low: With low Spot prices.
        high: With high Spot prices.
        count: The number of units.
        unit: The unit.
        dates: The dates of its prices.
        verified: Whether all of its prices are verified.
    """

    name: str
    dollars: float
    low: float
    high: float
    count: float
    unit: str
    dates: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class ItemCost:
    """The cost of an item.

    Attributes:
        item: The item.
        scope: Its scope: sample, interval or cohort.
        stages: Of its tasks that are done, by stage.
    """

    item: str
    scope: str
    stages: Mapping[str, CostTally]


@dataclass(frozen=True, slots=True)
class RunCost:
    """The costs of a run.

    Attributes:
        run: Its place, as users know it.
        lines: The lines.
        stages: The tasks that are done, by stage.
        waste: The attempts that failed, by stage.
        not_counted: What is not in the costs, and why.
        predicted: The figures of the run's plan.
        partitions: All tasks by the partition of a Slurm cluster that they ran in; none elsewhere.
    """

    run: str
    lines: Sequence[SpentLine]
    stages: Mapping[str, CostTally]
    waste: Mapping[str, CostTally]
    not_counted: Sequence[str]
    predicted: PlannedFigures
    partitions: Mapping[str, CostTally] = field(default_factory=dict)

    @property
    def wasted(self) -> CostTally:
        """All attempts that failed."""
        total = CostTally()
        for one in self.waste.values():
            total.add(one)
        return total

    @property
    def is_priced(self) -> bool:
        """Return whether a part of it has a price."""
        return bool(self.dollars or self.predicted.dollars) or any(one.dates for one in self.lines)

    @property
    def dollars(self) -> float:
        """The sum of the lines and of what failed."""
        return sum(one.dollars for one in self.lines) + self.wasted.dollars


@dataclass(slots=True)
class _Basis:
    """The dates of prices, and whether all are verified."""

    dates: set[str] = field(default_factory=set)
    verified: bool = True

    def add(self, price: Price) -> None:
        self.dates.add(price.date)
        self.verified &= price.verified


class SpendingAccount:
    """The costs of the tasks of a run, summed in bounded memory.

    Args:
        find_prices: Returns the prices of a Region.
        volume_gib: The size of the EBS volume of each host.
        core_hour_prices: The prices of tasks without a host of AWS.

    Attributes:
        stages: The tasks that are done, by stage.
        waste: The attempts that failed, by stage.
        partitions: Both together, by the partition of a Slurm cluster that they ran in.
    """

    def __init__(
        self, find_prices: Callable[[str], Prices], volume_gib: int, core_hour_prices: CoreHourPrices = NO_PRICES
    ) -> None:
        self._find_prices, self._volume_gib, self._core_hour_prices = find_prices, volume_gib, core_hour_prices
        self.stages: dict[str, CostTally] = {}
        self.waste: dict[str, CostTally] = {}
        self.partitions: dict[str, CostTally] = {}
        self._basis: dict[str, _Basis] = {}
        self._regions: dict[str, Prices] = {}
        self._unpriced: Counter[str] = Counter()
        self._bytes, self._expiring_bytes, self._puts, self._gets = 0, 0, 0, 0

    def add(self, record: CompletionRecord) -> CostTally:
        """Add a task that is done, with the attempts that failed before, and return its cost."""
        for one in record.failed_attempts:
            self.waste.setdefault(record.stage, CostTally()).add(self._task(record.stage, one))
        cost = self._task(record.stage, record)
        self.stages.setdefault(record.stage, CostTally()).add(cost)
        sizes = [file.size_bytes for output in record.outputs.values() for file in output.files]
        self._bytes += sum(sizes)
        self._expiring_bytes += sum(sizes) if record.intermediate else 0
        self._puts += WRITTEN_RECORDS + sum(map(uploads, sizes))
        self._gets += len(record.sources) + downloads(record.input_bytes)
        return cost

    def add_failure(self, stage: str, record: FailureRecord) -> None:
        """Add the attempts over an item that is not done."""
        for one in record.attempts:
            self.waste.setdefault(stage, CostTally()).add(self._task(stage, one))

    def _task(self, stage: str, record: CompletionRecord | FailureRecord) -> CostTally:
        core_hours = max(0.0, record.seconds) * charged_cores(record.host, record.vcpus) / _HOUR_S
        partition = record.host.get(PARTITION, "")
        if partition or not record.host:
            dollars = core_hours * (self._core_hour_prices.of(partition) or 0)
            spent = CostTally(1, core_hours, dollars, dollars, dollars)
            if partition:
                self.partitions.setdefault(partition, CostTally()).add(spent)
            return spent
        region = region_of(record.host) or ""
        try:
            prices = self._prices(region)
            cost = task_cost(record.host, max(0.0, record.seconds), record.vcpus, record.memory_mib, prices)
        except UnknownPrice as error:
            self._unpriced[str(error)] += 1
            return CostTally(1, core_hours)
        self._basis.setdefault(stage, _Basis()).add(cost.price)
        hours = max(0.0, record.seconds) * cost.share / _HOUR_S
        return CostTally(1, core_hours, cost.dollars, cost.low, cost.high, hours)

    def _prices(self, region: str) -> Prices:
        if region not in self._regions:
            self._regions[region] = self._find_prices(region)
        return self._regions[region]

    def lines(self, transitions: int | None) -> list[SpentLine]:
        """Return the lines of the costs; of a run without hosts of AWS, the compute alone.

        Args:
            transitions: The number of state transitions; None where it is not known.

        Raises:
            UnknownPrice: for a service without a price.
        """
        found = [self._compute(stage, cost) for stage, cost in self.stages.items()]
        if not self._regions:
            return found
        prices = next(iter(self._regions.values()))
        tallies = [*self.stages.values(), *self.waste.values()]
        volumes = sum(one.host_hours for one in tallies) * self._volume_gib / _MONTH_HOURS
        for name, count, item in (
            (VOLUMES, volumes, "EBS/gp3-storage"),
            (STORAGE, self._bytes / GB, "S3/standard-storage"),
            (PUTS, self._puts, "S3/standard-put"),
            (GETS, self._gets, "S3/standard-get"),
            (TRANSITIONS, transitions, "StepFunctions/standard-transition"),
        ):
            if count is not None:
                rate = prices.rate(item)
                dollars, price = rate.total(count), rate.price
                found.append(
                    SpentLine(name, dollars, dollars, dollars, count, price.unit, (price.date,), rate.verified)
                )
        return found

    def _compute(self, stage: str, cost: CostTally) -> SpentLine:
        basis = self._basis.get(stage, _Basis())
        name, unit = COMPUTE.format(stage), "host-hour" if cost.host_hours else "core-hour"
        count = cost.host_hours or cost.core_hours
        return SpentLine(
            name, cost.dollars, cost.low, cost.high, count, unit, tuple(sorted(basis.dates)), basis.verified
        )

    def not_counted(self, transitions: int | None, is_on_aws: bool) -> Iterator[str]:
        """Yield what is not in the costs, and why.

        Args:
            transitions: See `lines`.
            is_on_aws: Whether the run is one on AWS.
        """
        for problem, tasks in self._unpriced.items():
            yield f"{quantity(tasks, 'task')}: {problem}"
        if not is_on_aws:
            yield from self._without_price()
            return
        tallies = (*self.stages.values(), *self.waste.values())
        if self._core_hour_prices.general is None and (
            hostless := sum(one.tasks for one in tallies if not one.host_hours)
        ):
            yield f"{quantity(hostless, 'task')} whose host is not known"
        if transitions is None:
            yield "state transitions: nothing tells the number of child executions any more"
        else:
            yield "state transitions of retries: the records do not have them"
        if self._expiring_bytes:
            expiring = f"{self._expiring_bytes / GB:,.2f} GB that only later stages need, and which expire then"
            yield f"storage beyond the month, also of {expiring}"
        yield "attempts on lost hosts, and of killed containers: the records do not have their ends"
        yield "hosts while no job runs on them, and what jobs leave free of them"
        yield "logs, metrics, the dashboard, ECR, and transfer to other Regions: the run does not record their bytes"

    def _without_price(self) -> Iterator[str]:
        """Yield the partitions whose core-hours have no price, or this machine."""
        for partition in sorted(self.partitions) or [""]:
            if self._core_hour_prices.of(partition) is None:
                where, price = (
                    (f"the partition {partition}", f" {partition}=DOLLARS") if partition else ("this machine", "")
                )
                yield f"dollars of {where}: give {OPTION}{price}"


def state_transitions(groups: Iterable[tuple[str | None, int]], children: Mapping[str, int], executions: int) -> int:
    """Return the number of state transitions of a run, without those of retries.

    Each child execution costs one transition for its start, and one for each of its states (aws.amazon.com,
    "AWS Step Functions pricing").

    Args:
        groups: The Label of each Map Run, None for a stage that runs once, with its number of stages.
        children: The number of child executions by Label.
        executions: The number of executions of the run.

    >>> state_transitions([("Sample", 2), (None, 1)], {"Sample": 10}, 1)
    32
    """
    groups = list(groups)
    inner = sum(children.get(label, 0) * (1 + stages) for label, stages in groups if label is not None)
    return inner + executions * len(groups)
