"""All lanes of a sample, whatever files hold their reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from given_alignments import GivenFile, open_given
from lanes import Lane, open_lanes
from read_groups import with_own_ids


def open_sample(task: dict[str, Any]) -> list[Lane]:
    """Open the lanes of a task's sample.

    Raises:
        BadInput: if the first reads of a lane cannot be used.
        ForkFailed: if samtools failed.
    """
    parameters = task["parameters"]
    layout, encoding, fraction = (parameters[name] for name in ("read_layout", "quality_encoding", "subsample"))
    lanes: list[Lane] = []
    for number, lane in enumerate(task["inputs"]["reads"]):
        if path := lane.get("bam") or lane.get("cram"):
            opened = open_given(task, GivenFile(path, lane["lane"], lane.get("library")), number)
        else:
            opened = open_lanes(task["item"]["sample"], [lane], layout, encoding, fraction)
        groups = with_own_ids([one.read_group for one in opened], read_groups(lanes), lane["lane"])
        lanes += [one._replace(read_group=group) for one, group in zip(opened, groups, strict=True)]
    return lanes


def read_groups(lanes: Sequence[Lane]) -> list[dict[str, str]]:
    """Return the read groups of lanes, each once."""
    return list({lane.read_group["ID"]: lane.read_group for lane in lanes}.values())
