"""IUPAC ambiguity codes as bases: VCF files hold the one that is first alphabetically (VCF specification 4.3, 1.6.1).

`steps/common/calling_reference.py` does the same for variant calling.
"""

from __future__ import annotations

_FIRST_BASE = str.maketrans("RYSWKMBDHV", "ACCAGACAAA")


def reduce_codes(bases: str) -> str:
    """Return bases in upper case without ambiguity codes but N.

    >>> reduce_codes("acgtnRYSWKMBDHV")
    'ACGTNACCAGACAAA'
    """
    return bases.upper().translate(_FIRST_BASE)
