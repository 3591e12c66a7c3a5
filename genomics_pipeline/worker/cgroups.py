"""The limits of this process's control groups and of all groups above them (cgroups(7), versions 1 and 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OCTAL = re.compile(r"\\([0-7]{3})")  # a blank in a mount point
MEMORY_V2 = ("memory.max", "memory.high")
MEMORY_V1 = "memory.limit_in_bytes"
_MISSING = ("",) * 5  # fields of a damaged line
UNLIMITED_V1 = 1 << 60  # version 1 writes a number near 2^63 where there is no limit


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of this machine.

    Attributes:
        value: Cores, or bytes.
        source: The file, variable or function that it is from.
    """

    value: float
    source: str


def memory_limits(proc: Path) -> Iterator[Limit]:
    """Yield the limits of memory, in bytes.

    Args:
        proc: ``/proc``, whose files name the groups and where they are mounted.
    """
    for folder, controllers in _folders(proc):
        names = MEMORY_V2 if not controllers else (MEMORY_V1,) if "memory" in controllers else ()
        for name in names:
            text = _read(folder / name)
            if text.isdigit() and int(text) < UNLIMITED_V1:
                yield Limit(int(text), str(folder / name))


def cpu_limits(proc: Path) -> Iterator[Limit]:
    """Yield the limits of processor time, in cores.

    Args:
        proc: See `memory_limits`.
    """
    for folder, controllers in _folders(proc):
        if not controllers:
            quota, period = [*_read(folder / "cpu.max").split(), "", ""][:2]
            source = folder / "cpu.max"
        elif "cpu" in controllers:
            source = folder / "cpu.cfs_quota_us"
            quota, period = _read(source), _read(folder / "cpu.cfs_period_us")
        else:
            continue
        if quota.isdigit() and period.isdigit() and int(period):  # else "max", or -1
            yield Limit(int(quota) / int(period), str(source))


def _folders(proc: Path) -> Iterator[tuple[Path, frozenset[str]]]:
    """Yield the folder of each group of this process, and of each group above it, with its controllers of version 1."""
    paths: dict[frozenset[str], str] = {}
    for line in _read(proc / "self/cgroup").splitlines():
        _, names, path = [*line.split(":", 2), "", ""][:3]
        paths[frozenset(filter(None, names.split(",")))] = path
    for line in _read(proc / "self/mountinfo").splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = [*head.split(), *_MISSING], [*tail.split(), *_MISSING]
        if kind[0] not in ("cgroup", "cgroup2"):
            continue
        options = frozenset(kind[2].split(",")) if kind[0] == "cgroup" else frozenset[str]()
        for controllers, path in paths.items():
            is_mounted = not controllers if kind[0] == "cgroup2" else controllers and controllers <= options
            if is_mounted:
                for folder in _upwards(Path(_plain(fields[4])), _plain(fields[3]), path):
                    yield folder, controllers


def _upwards(mount: Path, root: str, path: str) -> Iterator[Path]:
    """Yield the folder of a group and those above it, as far as they are mounted.

    A container without a namespace of its own for control groups has its group at the root of the mount.
    """
    below = path.removeprefix(root.rstrip("/")).strip("/") if path.startswith(root) else ""
    folder = mount / below if ".." not in below.split("/") else mount
    while True:
        yield folder
        if folder == mount:
            return
        folder = folder.parent


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _read(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""
