"""Mounts of a container: the files that it needs, each at its own path, and no other files."""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.reference.index_kinds import INDEX_KINDS
from genomics_pipeline.stores.local import LocalStore


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """A file or folder of this machine that a container sees.

    Attributes:
        target: The path in the container.
        source: The path on this machine; None for an empty folder.
        readonly: Whether the container may only read it.
    """

    target: Path
    source: Path | None
    readonly: bool = True

    def __str__(self) -> str:
        """Return the value of the option ``--mount`` of container engines, which unlike ``--volume`` accepts any path.

        >>> str(Mount(source=Path("/a:1,2"), target=Path("/b")))
        'type=bind,"source=/a:1,2",target=/b,readonly'
        """
        kind = ["type=tmpfs"] if self.source is None else ["type=bind", f"source={self.source}"]
        return csv_row([*kind, f"target={self.target}", *(["readonly"] if self.readonly else [])])


def csv_row(words: list[str]) -> str:
    """Return words as a line of CSV, quoted where that is needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(words)
    return text.getvalue()


def of_run(run: Path) -> list[Mount]:
    """Return the mounts of a run's folder, which is one so that finished files are moved in it, not copied.

    What the execution keeps for itself is hidden, but for the names of the files that were verified; what it is made
    of, and what its maps wrote, cannot be changed.

    Args:
        run: The folder of the run, with a folder of verified files.
    """
    verified = run / run_layout.VERIFIED
    fixed = [path for name in run_layout.FIXED if (path := run / name).exists()]
    return [
        Mount(run, run, readonly=False),
        Mount(run / run_layout.ENGINE, None),
        Mount(verified, verified, readonly=False),
        *(Mount(path, path) for path in fixed),
    ]


def files_in(value: Any) -> Iterator[Path]:
    """Yield the files of this machine that a JSON value names by absolute paths or ``file://`` URIs."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from files_in(each)
    elif isinstance(value, str) and value.startswith(("/", "file://")):
        path = LocalStore().path(value)
        if path.is_file():
            yield path


def with_indexes(file: Path) -> Iterator[Path]:
    """Yield a file, the files beside it that begin with its name, and the dictionary of a FASTA file.

    The whole folder is not mounted, because the image may have a folder of the same path, such as /scratch or /opt.
    """
    yield file
    yield from (beside for beside in file.parent.glob(f"{glob.escape(file.name)}.*") if beside.is_file())
    yield from (index for index in INDEX_KINDS["dict"].files(file) if index.is_file())


def read_only(values: Iterable[Any], apart_from: Path) -> list[Mount]:
    """Return the mounts of the files that JSON values name, without those below the folder `apart_from`."""
    files = {each for value in values for file in files_in(value) for each in with_indexes(file)}
    return [Mount(file, file.resolve()) for file in sorted(files) if not file.is_relative_to(apart_from)]


def aws_access(
    environment: Mapping[str, str], home: Path | None, container_home: Path
) -> tuple[list[str], list[Mount]]:
    """Return what gives a container the user's credentials for AWS: the names of variables, and files.

    Variables are passed by name only, so that no list of processes shows their values.

    Args:
        environment: The environment variables of the user.
        home: The home folder of the user, if there is one.
        container_home: The home folder in the container.
    """
    names = [name for name in environment if name.startswith("AWS_")]
    files = [Path(value) for name in names if (value := environment[name]).startswith("/") and Path(value).is_file()]
    mounts = [Mount(file, file.resolve()) for file in files]
    if home is not None and (home / ".aws").is_dir():
        mounts.append(Mount(container_home / ".aws", (home / ".aws").resolve()))
    return names, mounts
