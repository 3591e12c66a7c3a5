"""Quantities in messages."""

from __future__ import annotations


def quantity(number: int, noun: str, form: str = "") -> str:
    """Return a number and its noun, which is in the plural unless the number is 1.

    Args:
        number: The number.
        noun: The noun in the singular.
        form: The format of the number, such as ``,`` for groups of three digits.

    >>> quantity(1, "sample"), quantity(2000, "sample"), quantity(2000, "sample", ",")
    ('1 sample', '2000 samples', '2,000 samples')
    """
    return f"{number:{form}} {noun}{'' if number == 1 else 's'}"
