"""The intervals of a run: of its whole reference, or of the regions that its stages over intervals work on."""

from __future__ import annotations

from collections.abc import Iterable

from genomics_pipeline.asl.interval_limits import interval_limits
from genomics_pipeline.model.regions import interval_regions
from genomics_pipeline.reference.bed import read_bed
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.reference.intervals import interval_lines, merged_targets
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.stores.protocol import Store


def intervals_text(planned: RunInputs, contigs: Iterable[Contig], store: Store) -> str:
    """Return the intervals of a run, one JSON line each, within the limits of its pipeline.

    Args:
        planned: The plan of the run.
        contigs: The contigs of the reference.
        store: The store of the BED file, which has no problems.

    Raises:
        DataError: for a BED file that cannot be read.
    """
    bed = interval_regions(planned.pipeline, planned.overrides)
    targets = None if bed is None else merged_targets(read_bed(bed, store))
    return interval_lines(contigs, interval_limits(planned.pipeline.maps["interval"]), targets)
