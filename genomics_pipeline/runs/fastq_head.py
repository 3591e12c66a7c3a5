"""The first records of a FASTQ file, in any store."""

from __future__ import annotations

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.runs.shared_modules import fastq_head
from genomics_pipeline.stores.compression import open_decompressed, reported_damage
from genomics_pipeline.stores.protocol import Store


def read_head(uri: str, store: Store, records: int) -> fastq_head.FastqHead:
    """Return the first records of a file; fewer where the file or the budget of bytes ends.

    Raises:
        DataError: if the file does not exist or cannot be read, is damaged, or has a line beyond the budget.
    """
    try:
        with store.open(uri) as raw, reported_damage():
            return fastq_head.head_of(open_decompressed(raw), records, budgets.FASTQ_HEAD.value)
    except fastq_head.UnusableReads as error:
        raise DataError(str(error)) from None
    except OSError as error:
        raise DataError(f"expected a readable file: {error.strerror or error}") from None
