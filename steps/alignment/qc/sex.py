"""The sex chromosomes of a sample, from the depths of X and Y, compared with the sample sheet.

The depths are those of the regions where there are some, else of whole contigs. Y is half unknown bases in most human
references, and has its own reads in XY only, so that its share of the autosomes' depth is about 0.2 to 0.5 in XY, and
below 0.05 in XX. XXY, X0 and mosaics are neither; so are other species, whose contigs have other names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qc.mosdepth_files import bases_of
from qc.tally import ContigTally, Tally

AUTOSOMES = frozenset(map(str, range(1, 23)))
LEAST_READS = 1000  # on X: its depth is then known within some 3 percent
LEAST_XX, GREATEST_XY = 0.80, 0.65  # of X to the autosomes
LEAST_Y, GREATEST_NO_Y = 0.10, 0.08  # of Y to the autosomes


def sex_metrics(tally: Tally, given: str) -> dict[str, Any]:
    """Return the depths of X and Y as shares of the autosomes' depth, and the sex chromosomes that follow.

    Args:
        tally: The counts of the sample.
        given: What the sample sheet says: XX, XY or NA.

    Returns:
        The metrics; None each where the contigs, the regions or the reads do not tell.
    """
    contigs = {one.name.removeprefix("chr"): one for one in tally.contigs}
    autosomes = mean_depth((one for name, one in contigs.items() if name in AUTOSOMES), tally.has_regions)
    x, y = (contigs.get(name) for name in ("X", "Y"))
    if x is None or y is None or not autosomes or x.reads < LEAST_READS:
        return dict.fromkeys(("x_depth_ratio", "y_depth_ratio", "sex"))
    depths = [mean_depth([one], tally.has_regions) for one in (x, y)]
    if None in depths:
        return dict.fromkeys(("x_depth_ratio", "y_depth_ratio", "sex"))
    ratios = [round((depth or 0) / autosomes, 3) for depth in depths]
    return {"x_depth_ratio": ratios[0], "y_depth_ratio": ratios[1], "sex": judged_sex(ratios[0], ratios[1], given)}


def mean_depth(contigs: Iterable[ContigTally], in_regions: bool) -> float | None:
    """Return the mean depth of contigs, or of the regions on them; None where there are none."""
    counts = [one.region_depths if in_regions else one.depths for one in contigs]
    length = sum(int(one.sum()) for one in counts)
    return sum(bases_of(one) for one in counts) / length if length else None


def judged_sex(x: float, y: float, given: str) -> Any:
    """Return XX or XY, with a verdict where it is not what the sheet says or not clear.

    Args:
        x: The depth of X, of the autosomes' depth.
        y: The same of Y.
        given: What the sample sheet says.
    """
    found = None
    if x >= LEAST_XX and y <= GREATEST_NO_Y:
        found = "XX"
    elif x <= GREATEST_XY and y >= LEAST_Y:
        found = "XY"
    depths = f"depths of X and Y are {x:.2f} and {y:.2f} of the autosomes'"
    if found is None:
        return {"value": "unclear", "verdict": "warn", "reason": f"expected XX or XY, found neither: {depths}"}
    if given not in ("XX", "XY"):
        return found
    if found == given:
        return {"value": found, "verdict": "good"}
    reason = f"expected {given} as in the sample sheet, found {found}: {depths}; samples may have been swapped"
    return {"value": found, "verdict": "bad", "reason": reason}
