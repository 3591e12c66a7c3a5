"""The lock of suites that install Debian packages: they run beside each other, and apt-get refuses a second process."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock


def debian_packages() -> FileLock:
    """Return the lock that is held while packages are installed."""
    return FileLock(Path(gettempdir()) / "genomics-pipeline-debian-packages.lock")
