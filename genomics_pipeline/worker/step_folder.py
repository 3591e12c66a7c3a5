"""A step on this machine: its declaration and its folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.step_file import parse_step
from genomics_pipeline.stores.bounded_file import read_bounded_text

COMMON = "common"  # the folder of modules that several steps share, beside their own folders

PIECE_BYTES = 1 << 20
_CACHE = "__pycache__"
_NO_PROGRAM = ("test_", "conftest.", ".")  # tests and hidden files


@dataclass(frozen=True, slots=True)
class StepFolder:
    """A step and its folder.

    Attributes:
        spec: Its declaration.
        path: Its folder.
        files: The files of its program, as (name in the folder, path); those of ``common`` have names below it.
        digest: sha256 of these files, which identifies the program.
    """

    spec: StepSpec
    path: Path
    files: tuple[tuple[str, Path], ...]
    digest: str


def read_step(folder: Path, is_checked: bool = False) -> StepFolder:
    """Read a step's folder.

    Args:
        folder: The folder.
        is_checked: See `parse_step`.

    Raises:
        DataError: if it has no readable ``step.toml``, with all problems of that file, or if it declares ``common``
            and there is no such folder.
    """
    file = folder / "step.toml"
    try:
        text = read_bounded_text(file, budgets.TOML_SIZE)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"expected a step's folder with a step.toml, found none in {folder}") from None
    spec = parse_step(text, file=str(file), is_checked=is_checked)
    files = _files_below(folder)
    if spec.common and not (folder / COMMON).is_dir():  # in an image, ``common`` is within the step's folder
        common = folder.absolute().parent / COMMON
        if not common.is_dir():
            raise DataError(f"{file}: expected the folder {common}, which common = true declares, found none")
        files |= {f"{COMMON}/{name}": path for name, path in _files_below(common).items()}
    ordered = tuple(sorted(files.items()))
    return StepFolder(spec, folder.absolute(), ordered, _digest(ordered))


def _files_below(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by name, without tests, caches and hidden files."""
    files = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != _CACHE]
        paths = [Path(place, name) for name in names if not name.startswith(_NO_PROGRAM)]
        files.update({path.relative_to(folder).as_posix(): path for path in paths if path.is_file()})
    return files


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    digest = sha256()
    for name, file in files:
        digest.update(f"{name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                digest.update(piece)
    return digest.hexdigest()
