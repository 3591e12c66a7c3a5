"""The folders for configuration of the XDG Base Directory Specification.

https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NAME = "genomics-pipeline"  # of our folder in each


def config_folders(environment: Mapping[str, str], home: Path | None) -> list[Path]:
    """Return the folders of the user's and of the site's configuration of this program, which may be missing.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.

    >>> [str(folder) for folder in config_folders({"XDG_CONFIG_DIRS": "/a"}, Path("/home/ann"))]
    ['/home/ann/.config/genomics-pipeline', '/a/genomics-pipeline']
    """
    own = environment.get("XDG_CONFIG_HOME") or (str(home / ".config") if home is not None else "")
    folders = [own, *(environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")]
    return [Path(folder) / NAME for folder in folders if folder.startswith("/")]
