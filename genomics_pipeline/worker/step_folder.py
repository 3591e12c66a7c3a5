"""A step on this machine: its declaration and the folder of its program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.step import StepSpec, parse_step


@dataclass(frozen=True, slots=True)
class StepFolder:
    """A step and where its files lie."""

    spec: StepSpec
    path: Path


def read_step(folder: Path) -> StepFolder:
    """Read a step's folder.

    Raises:
        DataError: if it has no readable ``step.toml``, or for all that is wrong in that file.
    """
    file = folder / "step.toml"
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        raise DataError(f"expected a step's folder with a step.toml, found none in {folder}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8, found byte {error.start} that is not") from None
    return StepFolder(parse_step(text, file=str(file)), folder.absolute())
