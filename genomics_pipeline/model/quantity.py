"""Quantities in messages."""

from __future__ import annotations

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


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


def binary_size(size_bytes: int) -> str:
    """Return a size in words.

    >>> binary_size(512), binary_size(3 << 29)
    ('512 bytes', '1.5 GiB')
    """
    power = min(max(size_bytes.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    return f"{size_bytes / (1 << 10 * power):.{1 if power else 0}f} {_UNITS[power]}"
