"""The counts of the records without a result, kept beside a run on AWS by the first command that counted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.records.missing_records import KeptFailure, MissingRecords, read_missing, write_missing
from genomics_pipeline.report.run_state import ItemFailure, Missing
from genomics_pipeline.runs.aws.run import AwsRun


def kept_counts(run: AwsRun, counted: str) -> tuple[Missing, list[ItemFailure]] | None:
    """Return the counts, and the first of the records; None if nothing was kept of just this.

    Args:
        run: The run.
        counted: The sha256 of what they were counted in.
    """
    kept = read_missing(run.store, run.place.uri(run_layout.MISSING), counted)
    if kept is None:
        return None
    by_class = Counter(kept.by_class)
    by_scope = Counter({RECORD: by_class.total()} if by_class else {})
    return Missing(kept.of_records, by_scope, by_class, list(kept.first)), list(map(_item, kept.failures))


def keep_counts(run: AwsRun, counted: str, missing: Missing, first: Iterable[ItemFailure]) -> None:
    """Keep counts, unless the user may only read the run.

    Args:
        run: The run.
        counted: The sha256 of what they were counted in.
        missing: The counts.
        first: The first of the records.
    """
    failures = tuple(map(_kept, first))
    kept = MissingRecords(counted, missing.samples, dict(missing.by_class), tuple(missing.first), failures)
    with suppress(PipelineError):
        write_missing(run.store, run.place.uri(run_layout.MISSING), kept)


def _kept(one: ItemFailure) -> KeptFailure:
    failure = one.failure
    return KeptFailure(one.item, failure.failure_class, failure.message, failure.stage, one.of_batch, one.pending)


def _item(one: KeptFailure) -> ItemFailure:
    failure = Failure(one.failure_class, one.message, stage=one.stage)
    return ItemFailure(one.item, failure, RECORD, of_batch=one.of_batch, pending=one.pending)
