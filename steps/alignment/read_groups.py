"""The read groups of a BAM or CRAM file, as those of a sample's lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.program import BadInput


def given_groups(
    path: str, header: Mapping[str, Any], sample: str, lane: str, library: str | None
) -> list[dict[str, str]]:
    """Return the read groups of a file, complete; one of the lane where it has none.

    Args:
        path: The file, for messages.
        header: Its header.
        sample: The name of the sample, which read groups must name where they name one.
        lane: The lane's name.
        library: The library of read groups that name none; None for the sample's name.

    Raises:
        BadInput: for read groups of another sample.
    """
    groups: Sequence[Mapping[str, Any]] = header.get("RG") or [{"ID": f"{sample}.{lane}"}]
    names = sorted({str(group["SM"]) for group in groups if group.get("SM")} - {sample})
    if names:
        advice = "give the sample that name in the sheet, or rename it with `samtools reheader`"
        raise BadInput(f"{path}: expected read groups of sample {sample} (SM), found {', '.join(names)}; {advice}")
    defaults = {"LB": library or sample, "PL": "ILLUMINA"}
    return [
        {**defaults, **{key: str(value) for key, value in group.items() if value}, "SM": sample} for group in groups
    ]


def with_own_ids(
    groups: Sequence[dict[str, str]], before: Sequence[Mapping[str, str]], lane: str
) -> list[dict[str, str]]:
    """Return the read groups of a lane; the lane's name is added to the ID of one that differs from an earlier one.

    Args:
        groups: The read groups.
        before: The read groups of earlier lanes of the sample.
        lane: The lane's name, which no other lane has.

    >>> with_own_ids([{"ID": "1", "LB": "b"}], [{"ID": "1", "LB": "a"}], "L002")
    [{'ID': '1.L002', 'LB': 'b'}]
    """
    taken = {group["ID"]: group for group in before}
    return [
        group if taken.get(group["ID"], group) == group else {**group, "ID": f"{group['ID']}.{lane}"}
        for group in groups
    ]
