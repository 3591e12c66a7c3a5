"""Mounts of a container: the files that it needs, each at its own path, and no other files."""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.reference.index_kinds import INDEX_KINDS
from genomics_pipeline.stores.local import LocalStore


def mount(source: Path, target: Path, *, readonly: bool = True) -> str:
    """Return a value of the option ``--mount``, which unlike ``--volume`` accepts any path.

    Args:
        source: The path on this machine.
        target: The path in the container.
        readonly: Whether the container may only read it.

    >>> mount(Path("/a:1,2"), Path("/b"))
    'type=bind,"source=/a:1,2",target=/b,readonly'
    """
    return _row(["type=bind", f"source={source}", f"target={target}", *(["readonly"] if readonly else [])])


def _row(words: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(words)
    return text.getvalue()


def of_run(run: Path) -> list[str]:
    """Return the mounts of a run's folder, which is one so that finished files are moved in it, not copied.

    What the execution keeps for itself is hidden, but for the names of the files that were verified; what it is made
    of, and what its maps wrote, cannot be changed.

    Args:
        run: The folder of the run, with a folder of verified files.
    """
    engine, verified = run / run_layout.ENGINE, run / run_layout.VERIFIED
    fixed = [path for name in run_layout.FIXED if (path := run / name).exists()]
    return [
        mount(run, run, readonly=False),
        _row(["type=tmpfs", f"target={engine}", "readonly"]),
        mount(verified, verified, readonly=False),
        *(mount(path, path) for path in fixed),
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


def read_only(values: Iterable[Any], apart_from: Path) -> list[str]:
    """Return the mounts of the files that JSON values name, without those below the folder `apart_from`."""
    files = {each for value in values for file in files_in(value) for each in with_indexes(file)}
    return [mount(file.resolve(), file) for file in sorted(files) if not file.is_relative_to(apart_from)]


def aws_options(environment: Mapping[str, str], home: Path | None, container_home: Path) -> list[str]:
    """Return the options that give a container the user's credentials for AWS.

    Variables are passed by name only, so that no list of processes shows their values.

    Args:
        environment: The environment variables of the user.
        home: The home folder of the user, if there is one.
        container_home: The home folder in the container.
    """
    names = [name for name in environment if name.startswith("AWS_")]
    files = [Path(value) for name in names if (value := environment[name]).startswith("/") and Path(value).is_file()]
    mounts = [mount(file.resolve(), file) for file in files]
    if home is not None and (home / ".aws").is_dir():
        mounts.append(mount((home / ".aws").resolve(), container_home / ".aws"))
    return [*(f"--env={name}" for name in names), *(f"--mount={each}" for each in mounts)]
