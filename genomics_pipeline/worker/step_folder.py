"""A step on this machine: its declaration and its folder."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.step import StepSpec, parse_step


@dataclass(frozen=True, slots=True)
class StepFolder:
    """A step and its folder.

    Attributes:
        spec: Its declaration.
        path: Its folder.
        digest: sha256 of its files, without tests and caches: another program makes other outputs.
    """

    spec: StepSpec
    path: Path
    digest: str


def read_step(folder: Path) -> StepFolder:
    """Read a step's folder.

    Raises:
        DataError: if it has no readable ``step.toml``, or with all problems of that file.
    """
    file = folder / "step.toml"
    try:
        text = file.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"expected a step's folder with a step.toml, found none in {folder}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected UTF-8, found byte {error.start} that is not") from None
    return StepFolder(parse_step(text, file=str(file)), folder.absolute(), _digest(folder))


def step_files(folder: Path) -> list[Path]:
    """Return the files of a step, sorted: all below its folder but tests, caches and hidden files."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(("test_", "."))
    ]


def _digest(folder: Path) -> str:
    digest = sha256()
    for file in step_files(folder):
        digest.update(f"{file.relative_to(folder)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()
