"""Input that cannot be used."""


class BadInput(Exception):
    """``FILE: what was expected, found``."""
