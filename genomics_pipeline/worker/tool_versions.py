"""The versions of the tools of a step, which its program writes to a file for its completion record."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from genomics_pipeline import __version__
from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.printable import has_control
from genomics_pipeline.stores.bounded_file import read_plain_file
from genomics_pipeline.stores.protocol import IrregularFile, OversizedObject

MOST_TOOLS, LONGEST = 100, 100  # tools of a step; characters of a name and of a version

PACKAGE, PYTHON = "genomics-pipeline", "python"
WORKER_TOOLS = {PACKAGE, PYTHON}  # which every step has


def worker_versions() -> dict[str, str]:
    """Return the versions of the software around every step's program."""
    return {PACKAGE: __version__, PYTHON: platform.python_version()}


def read_tool_versions(file: Path) -> dict[str, str]:
    """Return the version of each tool by name; empty if the program has written none.

    Raises:
        DataError: for a file that cannot be used.
    """
    if not file.is_file():
        return {}
    try:
        versions: Any = parse_json(read_plain_file(file, budgets.TOOLS_SIZE))
    except OversizedObject as error:
        expected = f"expected at most {error.budget} of names and versions"
        raise DataError(f"{file.name}: {expected}, found {file.stat().st_size:,} bytes") from None
    except (OSError, IrregularFile, ValueError):
        versions = None
    if not isinstance(versions, dict) or len(versions) > MOST_TOOLS or not all(map(_is_pair, versions.items())):
        expected = (
            f"expected a JSON object of at most {MOST_TOOLS} names and versions, each of 1 to {LONGEST} characters"
        )
        raise DataError(f"{file.name}: {expected}, found others")
    return dict(sorted(versions.items()))


def _is_pair(pair: tuple[str, Any]) -> bool:
    return all(isinstance(text, str) and 0 < len(text) <= LONGEST and not has_control(text) for text in pair)
