"""Genetic maps: the distance of sites in centimorgans, from which probabilities of recombination follow.

Two formats are read, plain or gzip, told apart by the number of columns: PLINK's (contig, ID, cM, position; no header;
https://www.cog-genomics.org/plink/1.9/formats#map) and SHAPEIT's (position, contig, cM, with a header line, or
position, rate, cM of a single contig; https://odelaneau.github.io/shapeit4/#gmap).
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np
from common.program import BadInput
from numpy.typing import NDArray

CM_PER_MB = 1.0  # where there is no map: the mean of the human genome is 1.2
MIN_CM = 1e-7  # between two sites, so that each can follow a switch
POPULATION_SIZE = 20_000  # effective size of a population; as in GLIMPSE (Rubinacci et al. 2021)
GZIP = b"\x1f\x8b"

Positions = tuple[list[int], list[float]]


class GeneticMap:
    """The centimorgans at positions of contigs.

    Args:
        path: The map; None for a constant rate.

    Raises:
        BadInput: for a line that cannot be read, and for positions or distances that decrease.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._contigs = _read(path) if path else {}

    def switches(self, contig: str, positions: Sequence[int], haplotypes: int) -> NDArray[np.float64]:
        """Return the probability of a switch to a random haplotype since the site before; 0 for the first.

        The probability of d Morgans is 1 - exp(-4 N d / H) (Li and Stephens 2003), N being the effective size of the
        population and H the number of haplotypes.

        Args:
            contig: The contig.
            positions: The positions of the sites, in order.
            haplotypes: The number of haplotypes of the panel.
        """
        steps = np.maximum(np.diff(self._centimorgans(contig, np.array(positions, dtype=float))), MIN_CM)
        switches: NDArray[np.float64] = -np.expm1(-0.04 * POPULATION_SIZE * steps / haplotypes)
        return np.concatenate([np.zeros(min(1, len(positions))), switches])

    def _centimorgans(self, contig: str, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        known = self._contigs.get(contig.removeprefix("chr"), self._contigs.get(""))
        if known is None:
            return positions * (CM_PER_MB / 1e6)
        bases, distances = np.array(known[0], dtype=float), np.array(known[1])
        inside = np.interp(positions, bases, distances)
        before = np.minimum(positions - bases[0], 0)
        after = np.maximum(positions - bases[-1], 0)
        distance: NDArray[np.float64] = inside + (before + after) * (CM_PER_MB / 1e6)
        return distance


def _read(path: str) -> dict[str, Positions]:
    """Return positions and centimorgans by contig, without ``chr``; of a map without contigs, by the empty name.

    Raises:
        BadInput: see `GeneticMap`.
    """
    data = Path(path).read_bytes()
    try:
        lines = (gzip.decompress(data) if data.startswith(GZIP) else data).decode().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected a genetic map, found a file that cannot be read: {error}") from None
    contigs: dict[str, Positions] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or (number == 1 and not _is_number(words[-1])):
            continue
        try:
            contig, position, distance = _parse(words)
        except ValueError:
            expected = "expected contig, ID, cM and position (PLINK), or position, contig and cM (SHAPEIT)"
            raise BadInput(f"{path}:{number}: {expected}, found {' '.join(words)[:60]!r}") from None
        bases, distances = contigs.setdefault(contig, ([], []))
        if bases and (position <= bases[-1] or distance < distances[-1]):
            found = f"found {position}, {distance} after {bases[-1]}, {distances[-1]}"
            raise BadInput(f"{path}:{number}: expected increasing positions and cM, {found}")
        bases.append(position)
        distances.append(distance)
    if not contigs:
        raise BadInput(f"{path}: expected a genetic map, found no positions")
    return contigs


def _parse(words: Sequence[str]) -> tuple[str, int, float]:
    """Return contig, position and centimorgans of a line.

    >>> _parse(["chr1", ".", "0.5", "1000"]), _parse(["1000", "chr1", "0.5"]), _parse(["1000", "1.25", "0.5"])
    (('1', 1000, 0.5), ('1', 1000, 0.5), ('', 1000, 0.5))
    """
    if len(words) == 4:
        contig, _, distance, position = words
    elif len(words) == 3:
        position, contig, distance = words
        contig = "" if "." in contig else contig  # a rate: the file is of one contig
    else:
        raise ValueError
    if not isfinite(float(distance)):
        raise ValueError
    return contig.removeprefix("chr"), int(position), float(distance)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
