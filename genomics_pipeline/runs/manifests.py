"""Sample sheets, read and checked."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path

from genomics_pipeline.model.checked_sheet import CheckedSheet, check_sheet
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.sheet import ignore
from genomics_pipeline.runs.sheet_file import read_sheet
from genomics_pipeline.stores.real_parents import follow_parents


def read_manifest(uri: str, warn: Callable[[Problem], None] = ignore) -> list[Sample]:
    """Return the samples of a sheet at a path or any URI that smart-open reads.

    Args:
        uri: The path or URI.
        warn: Takes what is not used of the sheet.

    Raises:
        DataError: if the sheet cannot be read; with all problems in it.
    """
    return list(checked_sheet(uri, warn))


def checked_sheet(uri: str, warn: Callable[[Problem], None] = ignore) -> CheckedSheet:
    """Return a sheet at a path or URI after all checks.

    Args:
        uri: The path or URI.
        warn: Takes what is not used of the sheet.

    Raises:
        DataError: if the sheet cannot be read; with all problems in it.
    """
    shown = without_secrets(uri)
    base = posixpath.dirname(shown) if "://" in uri else str(Path(uri).absolute().parent)
    return check_sheet(read_sheet(uri), shown, base, warn, follow_parents)
