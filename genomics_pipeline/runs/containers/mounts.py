"""Mounts of a container: the files that it needs, each at its own path, and no others."""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from genomics_pipeline.reference.index_kinds import INDEX_KINDS
from genomics_pipeline.stores.local import LocalStore


def mount(source: Path, target: Path, *, readonly: bool = True) -> str:
    """Return a value of ``--mount``, which unlike ``--volume`` can name any path.

    >>> mount(Path("/a:1,2"), Path("/b"))
    'type=bind,"source=/a:1,2",target=/b,readonly'
    """
    text = io.StringIO()
    words = ["type=bind", f"source={source}", f"target={target}", *(["readonly"] if readonly else [])]
    csv.writer(text, lineterminator="").writerow(words)
    return text.getvalue()


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
    """Yield a file, the files beside it that begin with its name, and a FASTA file's dictionary; not the whole folder.

    A folder may be one that the image has as well, such as /scratch or /opt.
    """
    yield file
    yield from (beside for beside in file.parent.glob(f"{glob.escape(file.name)}.*") if beside.is_file())
    yield from (index for index in INDEX_KINDS["dict"].files(file) if index.is_file())


def read_only(values: Iterable[Any], apart_from: Path) -> list[str]:
    """Return mounts of the files that JSON values name, except those below a folder."""
    found = {each for value in values for file in files_in(value) for each in with_indexes(file)}
    return [mount(file.resolve(), file) for file in sorted(found) if not file.is_relative_to(apart_from)]


def aws_options(environment: Mapping[str, str], home: Path, home_there: Path) -> list[str]:
    """Return options that give a container the user's rights on AWS: variables by name, so that no list shows values.

    Args:
        environment: The user's.
        home: The user's home folder.
        home_there: Home in the container.
    """
    names = [name for name in environment if name.startswith("AWS_")]
    files = [Path(value) for name in names if (value := environment[name]).startswith("/") and Path(value).is_file()]
    mounts = [mount(file.resolve(), file) for file in files]
    if (home / ".aws").is_dir():
        mounts.append(mount((home / ".aws").resolve(), home_there / ".aws"))
    return [*(f"--env={name}" for name in names), *(f"--mount={each}" for each in mounts)]
