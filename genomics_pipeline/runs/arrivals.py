"""Manifests that arrive in a folder or below an S3 prefix, looked for at a cost that old ones hardly add to."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from genomics_pipeline.stores.protocol import MissingObject, ObjectInfo, Store

STARTED = ".started"  # the folder of the records of starts, beside the manifests
BEGUN = ".json"  # ends the name of the record of a start
FULL_S = 30.0  # between two looks at all files of a folder: for changed ones, and for records that were removed
_RECENT_NS = 50_000_000  # more than the resolution of the times of files: a folder may change again within it
_KINDS = r"\.(csv|tsv|jsonl|ndjson)(\.(gz|bgz|bz2|xz|zst))?"
_MANIFEST = re.compile(rf"[^./][^/]*{_KINDS}", re.IGNORECASE)
_SUFFIXES = re.compile(rf"{_KINDS}$", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_CHARACTERS, _DIGEST_CHARACTERS, _PIECE = 40, 12, 1 << 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """A complete manifest.

    Attributes:
        info: The object.
        name: The name of its run: of its file, and the beginning of its digest.
        sha256: The digest of its content.
    """

    info: ObjectInfo
    name: str
    sha256: str

    @property
    def uri(self) -> str:
        """The path or URI."""
        return self.info.uri


class Arrivals(Protocol):
    """A place where manifests arrive."""

    def look(self) -> Iterator[ObjectInfo]:
        """Yield the manifests that may be new, in the order of their names."""

    def is_started(self, name: str) -> bool:
        """Return whether the last look found a record of a start under a run's name."""

    def remember(self, arrival: Arrival) -> None:
        """Pass a manifest over from now on, since a record of its start exists."""


class WatchedPrefix:
    """A prefix of S3, all of which each look lists: names arrive in any order.

    Args:
        store: The store of the manifests.
        prefix: The prefix, with a slash at its end.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._names: dict[tuple[str, str], str] = {}  # of runs by URI and version, so that each object is read once
        self._records: set[str] = set()

    def look(self) -> Iterator[ObjectInfo]:
        """List the prefix; see `Arrivals`."""
        infos = list(self._store.list(self._prefix))
        records = f"{self._prefix}{STARTED}/"
        self._records = {info.uri.removeprefix(records) for info in infos if info.uri.startswith(records)}
        keys = ((info.uri, info.version) for info in infos)
        self._names = {key: self._names[key] for key in keys if key in self._names}
        for info in infos:
            name = self._names.get((info.uri, info.version))
            if _is_manifest(info.uri.removeprefix(self._prefix)) and (name is None or not self.is_started(name)):
                yield info

    def is_started(self, name: str) -> bool:
        """Return whether there is a record; see `Arrivals`."""
        return f"{name}{BEGUN}" in self._records

    def remember(self, arrival: Arrival) -> None:
        """Keep the name of a manifest's run; see `Arrivals`."""
        self._names[arrival.uri, arrival.info.version] = arrival.name


class _Known(NamedTuple):
    size_bytes: int
    modified_ns: int
    record: str


class WatchedFolder:
    """A folder, of which a look costs nothing unless its time has changed; then it reads the names, and stats new ones.

    A file that changes in its place does not change the folder. So all files are looked at every `FULL_S` seconds.

    Args:
        store: The store of the manifests.
        prefix: The folder, with a slash at its end.
        now: Returns the time in seconds since the epoch.
    """

    def __init__(self, store: Store, prefix: str, now: Callable[[], float]) -> None:
        self._store = store
        self._prefix = prefix
        self._now = now
        self._known: dict[str, _Known] = {}
        self._open: list[str] = []  # names that the last look yielded, of manifests that may still be written
        self._records: set[str] = set()
        self._time: int | None = None
        self._full_at = float("-inf")

    def look(self) -> Iterator[ObjectInfo]:
        """Look at what is new; see `Arrivals`."""
        now = self._now()
        try:
            time = Path(self._prefix).stat().st_mtime_ns
            if not 0 <= now - self._full_at < FULL_S:
                self._full_at = now
                self._open = self._all_names()
            else:
                self._records.clear()
                self._open = (
                    self._new_names() if time != self._time else [one for one in self._open if self._is_new(one)]
                )
        except FileNotFoundError:  # the folder may come back
            return
        self._time = time if now - time / 1e9 > _RECENT_NS / 1e9 else None
        for name in self._open:
            if info := self._store.stat(f"{self._prefix}{name}"):
                yield info

    def _is_new(self, name: str) -> bool:
        return name not in self._known

    def _new_names(self) -> list[str]:
        """Return the names of manifests that are not known, sorted."""
        return sorted(name for name in _names(self._prefix) if name not in self._known and _is_manifest(name))

    def _all_names(self) -> list[str]:
        """Return the names of manifests that are new, have changed, or whose record was removed, sorted."""
        records = Path(self._prefix, STARTED)
        self._records = _names(records) if records.is_dir() else set()
        before, self._known = self._known, {}
        names = []
        with os.scandir(self._prefix) as entries:
            for entry in entries:
                known = before.get(entry.name)
                if known and self._is_unchanged(entry, known):
                    self._known[entry.name] = known
                elif _is_manifest(entry.name):
                    names.append(entry.name)
        return sorted(names)

    def _is_unchanged(self, entry: os.DirEntry[str], known: _Known) -> bool:
        if known.record not in self._records:
            return False
        try:
            status = entry.stat()
        except FileNotFoundError:
            return False
        return (status.st_size, status.st_mtime_ns) == (known.size_bytes, known.modified_ns)

    def is_started(self, name: str) -> bool:
        """Return whether there is a record; see `Arrivals`. Only a look at all files finds those of other watchers."""
        return f"{name}{BEGUN}" in self._records

    def remember(self, arrival: Arrival) -> None:
        """Keep size and time of a manifest; see `Arrivals`."""
        size_bytes, modified_ns = map(int, arrival.info.version.split("-"))
        name = arrival.uri.removeprefix(self._prefix)
        self._known[name] = _Known(size_bytes, modified_ns, f"{arrival.name}{BEGUN}")


def arrivals_in(store: Store, prefix: str, now: Callable[[], float]) -> Arrivals:
    """Return the place that a prefix names.

    Args:
        store: The store of the manifests.
        prefix: The folder or S3 prefix, with a slash at its end.
        now: Returns the time in seconds since the epoch.
    """
    return WatchedPrefix(store, prefix) if "://" in prefix else WatchedFolder(store, prefix, now)


def read_arrival(info: ObjectInfo, store: Store) -> Arrival | None:
    """Return a manifest with its digest; None if it is gone."""
    digest = hashlib.sha256()
    try:
        with store.open(info.uri) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except MissingObject:
        return None
    sha256 = digest.hexdigest()
    stem = _SUFFIXES.sub("", info.uri.rpartition("/")[2])
    clean = _NOT_IN_NAMES.sub("-", stem).strip("-")[:_NAME_CHARACTERS] or "manifest"
    return Arrival(info, f"{clean}-{sha256[:_DIGEST_CHARACTERS]}", sha256)


def _names(folder: Path | str) -> set[str]:
    """Return the names in a folder: as text, since a path for each of 100,000 would take longer than the look."""
    return set(os.listdir(folder))  # noqa: PTH208


def _is_manifest(name: str) -> bool:
    return _MANIFEST.fullmatch(name) is not None
