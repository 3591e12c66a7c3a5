"""The syntax error of paths."""

from __future__ import annotations


class PathSyntaxError(ValueError):
    """A syntax error in a path, explained by its text."""
