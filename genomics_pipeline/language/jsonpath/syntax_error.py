"""The error of a text that is not a path."""

from __future__ import annotations


class PathSyntaxError(ValueError):
    """A syntax error in a path; its text explains it."""
