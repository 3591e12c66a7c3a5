"""A disk of its own for a run, and what a power cut leaves of it: an ext4 image, mounted from a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("mkfs.ext4", "e2fsck", "mount", "umount", "cp")
SIZE_BYTES = 128 << 20
REPAIRED = (0, 1)  # exit codes of e2fsck: no errors; errors that were corrected


def obstacle(folder: Path) -> str | None:
    """Return why this machine cannot mount images; None if it can."""
    if os.geteuid() != 0:
        return "needs root"
    if missing := [name for name in PROGRAMS if _program(name) is None]:
        return f"needs {', '.join(missing)}"
    try:
        disk = DiskImage.make(folder / "trial")
        disk.unmount()
    except subprocess.CalledProcessError as error:
        return f"needs loop devices: {error.stderr.strip()}"
    return None


@dataclass
class DiskImage:
    """A file system in a file.

    Attributes:
        file: The file.
        root: Where it is mounted.
    """

    file: Path
    root: Path

    @classmethod
    def make(cls, folder: Path) -> DiskImage:
        """Make and mount an empty file system."""
        folder.mkdir()
        disk = cls(folder / "disk.img", folder / "disk")
        disk.root.mkdir()
        with disk.file.open("wb") as file:
            file.truncate(SIZE_BYTES)
        _call("mkfs.ext4", "-q", "-F", disk.file)
        disk.mount()
        return disk

    def mount(self) -> None:
        """Make the mount, with the usual options."""
        _call("mount", "-o", "loop", self.file, self.root)

    def unmount(self) -> None:
        """Remove the mount, also where a process still has files open."""
        _call("umount", "--lazy", self.root)

    def save(self) -> None:
        """Save what is on the disk now; what the kernel has not written yet is not on it."""
        _call("cp", "--sparse=always", self.file, self._saved)

    def restore(self) -> None:
        """Return to what was saved, as after a power cut and the check of the file system at the next start."""
        self.unmount()
        self._saved.replace(self.file)
        check = subprocess.run([_program("e2fsck") or "", "-fy", self.file], capture_output=True, check=False)
        assert check.returncode in REPAIRED, check.stdout
        self.mount()

    @property
    def _saved(self) -> Path:
        return self.file.with_suffix(".saved")


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _call(name: str, *arguments: str | Path) -> None:
    subprocess.run([_program(name) or name, *arguments], check=True, capture_output=True, text=True)
