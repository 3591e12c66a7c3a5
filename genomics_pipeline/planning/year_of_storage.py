"""The price of a year of a run's outputs in the bucket of a stack with its default lifecycle rules."""

from __future__ import annotations

from genomics_pipeline.planning.cost_names import STORAGE_YEAR
from genomics_pipeline.planning.costs import CostLine
from genomics_pipeline.planning.workload import Workload
from genomics_pipeline.prices.price import GB, Prices

# The months of a year in which nobody reads the results, by storage class: one in Standard, then Intelligent-Tiering,
# whose objects leave the frequent tier after 30 days without a read and the infrequent one after 90 (S3 user guide,
# "How S3 Intelligent-Tiering works").
STANDARD = "S3/standard-storage"
MONTHS = {
    "S3/intelligent-tiering-frequent-storage": 1,
    "S3/intelligent-tiering-infrequent-access-storage": 2,
    "S3/intelligent-tiering-archive-instant-access-storage": 8,
}


def year_of_storage(work: Workload, prices: Prices) -> CostLine:
    """Return the line of a year of the outputs; those that only later stages need expire after their first month.

    Args:
        work: The tasks of the run.
        prices: The prices of its Region.

    Raises:
        UnknownPrice: for a price that is in no table.
    """
    all_bytes = sum(one.output_bytes for one in work.stages)
    kept = sum(one.output_bytes for one in work.stages if not one.stage.intermediate) / GB
    rate = prices.rate(STANDARD)
    later = {item: (prices.rate(item), months) for item, months in MONTHS.items()}
    dollars = rate.total(all_bytes / GB) + sum(tier.total(kept) * months for tier, months in later.values())
    parts = " and ".join(
        f"{months} at ${tier.price.value:g} ({item.removeprefix('S3/')})" for item, (tier, months) in later.items()
    )
    formula = (
        f"{all_bytes / GB:,.6g} GB for a month at ${rate.price.value:g} (standard-storage); then {kept:,.6g} GB of "
        f"results, which nobody reads, for months: {parts}"
    )
    return CostLine(STORAGE_YEAR, dollars, dollars, dollars, rate.price, formula)
