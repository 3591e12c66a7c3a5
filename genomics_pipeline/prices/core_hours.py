"""Prices of core-hours on machines that are no hosts of AWS, which may differ by the partition of a Slurm cluster."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genomics_pipeline.model.errors import Problem, UsageError

OPTION = "--core-hour-price"
MOST_DIGITS = 7  # of a number of cores
# Facts of a node of a Slurm cluster, which records keep as those of the host.
PARTITION, NODE, CORES = "partition", "node", "cores"


@dataclass(frozen=True, slots=True)
class CoreHourPrices:
    """Prices of core-hours in US dollars.

    Attributes:
        general: That of partitions without their own, and of this machine; None for none.
        by_partition: That of each partition that has its own.
    """

    general: float | None = None
    by_partition: Mapping[str, float] = field(default_factory=dict)

    def of(self, partition: str) -> float | None:
        """Return the price in a partition, empty for this machine; None where it is not known."""
        return self.by_partition.get(partition, self.general)


NO_PRICES = CoreHourPrices()


def charged_cores(facts: Mapping[str, str], vcpus: int) -> int:
    """Return the cores that a task is charged for: those that were allocated, which may be more than it could use.

    Args:
        facts: The facts of its host.
        vcpus: The cores that it could use.

    >>> charged_cores({"partition": "long", "cores": "16"}, 6), charged_cores({}, 6)
    (16, 6)
    """
    cores = facts.get(CORES, "")
    return max(vcpus, int(cores)) if cores.isdecimal() and len(cores) < MOST_DIGITS else vcpus


def parse_core_hour_prices(texts: Sequence[str]) -> CoreHourPrices:
    """Return the prices that are given as ``DOLLARS`` or ``PARTITION=DOLLARS``; of the same one, the last counts.

    Raises:
        UsageError: with a problem for each malformed argument.

    >>> parse_core_hour_prices(["0.04", "gpu=0.2"]).of("gpu"), parse_core_hour_prices(["0.04"]).of("long")
    (0.2, 0.04)
    """
    found: dict[str, float] = {}
    problems = []
    for text in texts:
        partition, equals, number = text.rpartition("=")
        price = _dollars(number)
        if price is None or (equals and not partition):
            expected = "expected DOLLARS or PARTITION=DOLLARS, such as 0.04 or long=0.04"
            problems.append(Problem(f"{OPTION}: {expected}, found {text!r}"))
        else:
            found[partition] = price
    if problems:
        raise UsageError(problems)
    return CoreHourPrices(found.pop("", None), found)


def _dollars(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None
