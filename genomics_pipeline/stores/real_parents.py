"""Paths with ``..``, which the system resolves through symbolic links, unlike `os.path.normpath`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from genomics_pipeline.model.parameters import ParameterSpec, Value


def follow_parents(path: str) -> str:
    """Return a path without ``..``: each leads to the parent that the system finds, through symbolic links.

    What comes behind the last one is kept, and a URI is returned unchanged. So the path is the same in containers.

    >>> follow_parents("/proc/./../etc/hosts"), follow_parents("s3://b/../a")
    ('/etc/hosts', 's3://b/../a')
    """
    parts = path.split("/")
    if "://" in path or ".." not in parts:
        return path
    last = len(parts) - parts[::-1].index("..")
    return os.path.join(os.path.realpath("/".join(parts[:last])), *parts[last:])  # noqa: PTH118  # text, as given


def follow_parents_in(values: Mapping[str, Value], specs: Mapping[str, ParameterSpec]) -> dict[str, Value]:
    """Return the values of parameters, with the paths of files as `follow_parents` returns them."""
    return {
        name: follow_parents(value) if specs[name].type == "file" and isinstance(value, str) else value
        for name, value in values.items()
    }
