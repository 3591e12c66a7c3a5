"""The cache folder that a command was given, which click keeps in its context."""

from __future__ import annotations

from pathlib import Path

import click

_CACHE = "genomics_pipeline.cache"


def choose_cache(context: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    """Keep the folder of the option ``--cache``; its callback."""
    context.meta[_CACHE] = folder


def chosen_cache(context: click.Context | None = None) -> Path | None:
    """Return the folder that the running command, or that of a context, was given; None for the usual one."""
    context = context or click.get_current_context(silent=True)
    folder: Path | None = context.meta.get(_CACHE) if context else None
    return folder
