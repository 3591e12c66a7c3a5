"""Profiles: options of commands for a machine or a cluster, in a TOML file."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.toml_file import TomlFile

SUMMARY = "summary"
FOLDERS = ("cache", "slurm-scratch")


@dataclass(frozen=True, slots=True)
class SiteProfile:
    """The options of a profile.

    Attributes:
        file: The file.
        summary: What the profile is for; empty if it does not say.
        options: The values of options, by their long names without ``--``.
        lines: The line of each option.
    """

    file: str
    summary: str
    options: Mapping[str, Any]
    lines: Mapping[str, int | None]


def parse_profile(text: str, *, file: str, home: str) -> SiteProfile:
    r"""Return the profile in a TOML file.

    Args:
        text: The file's text.
        file: Its name, for messages.
        home: The user's home folder, for ``~/``; empty for none.

    Raises:
        DataError: with all problems, in source order.

    >>> parse_profile('cpus = 8\ncache = "~/cache"', file="lab.toml", home="/home/ann").options
    {'cpus': 8, 'cache': '/home/ann/cache'}
    """
    parsed = TomlFile(text, file=file, schema="profile")
    options = {name: value for name, value in parsed.data.items() if name != SUMMARY}
    for name in FOLDERS:
        if str(options.get(name, "")).startswith("~/"):
            if not home:
                parsed.refuse([parsed.problem([name], "expected an absolute path, since the user has no home folder")])
            options[name] = posixpath.join(home, options[name][2:])
    lines = {name: parsed.problem([name], "").line for name in options}
    return SiteProfile(file, parsed.data.get(SUMMARY, ""), options, lines)
