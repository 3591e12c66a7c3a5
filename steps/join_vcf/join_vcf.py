"""The shards of a VCF as one file: blocks of bgzip are copied as they are, after the header of the first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysam

PART_BYTES = 8 << 20
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # the empty block of the end
MOST_BYTES = 9 << 30  # of /tmp, whose most is 10 GiB on Lambda, beside the index


def handle(gathered: Any) -> dict[str, Any]:
    """Write the joined file with its index and counts, and return the counts."""
    shards = sorted(gathered.results(), key=lambda one: int(one.value["shard"]))
    numbers = [one.value["shard"] for one in shards]
    if numbers != list(range(1, shards[0].value["shards"] + 1)):
        raise ValueError(f"expected each of {shards[0].value['shards']} shards once, found {numbers}")
    records, expected = sum(one.value["records"] for one in shards), shards[0].value["of_records"]
    if expected not in (None, records):
        raise ValueError(f"expected {expected:,} records, as the index of the VCF counts them, found {records:,}")
    files = [gathered.file(one.files["vcf"]) for one in shards]
    if (size := sum(one.size_bytes for one in files)) > MOST_BYTES:
        advice = "annotate the contigs of the VCF in runs of their own"
        raise ValueError(f"expected at most {MOST_BYTES:,} bytes, which a function can join, found {size:,}; {advice}")
    target = gathered.output("vcf")
    join(files, [one.value["records_at"] for one in shards], target)
    pysam.tabix_index(target, preset="vcf", force=True, csi=shards[0].value["csi"])
    counts = added([one.value["counts"] for one in shards])
    Path(gathered.output("metrics")).write_text(json.dumps(counts, indent=2) + "\n")
    return {"shards": len(shards), "records": records, "bytes": Path(target).stat().st_size, **counts}


def join(files: Sequence[Any], begins: Sequence[int], target: str) -> None:
    """Write the header of the first file, the records of all, and the end.

    Args:
        files: The files of the shards, in order.
        begins: The byte of each with which its records begin.
        target: The file to write.
    """
    with Path(target).open("wb") as out:
        for number, (file, begin) in enumerate(zip(files, begins, strict=True)):
            end = file.size_bytes - len(END)
            for start in range(begin if number else 0, end, PART_BYTES):
                out.write(file.read(start, min(PART_BYTES, end - start)))
        out.write(END)


def added(counts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums of counts, in their order.

    >>> added([{"variants": 1, "consequences": {"missense": 1}}, {"variants": 2, "consequences": {"intron": 3}}])
    {'variants': 3, 'consequences': {'intron': 3, 'missense': 1}}
    """
    sums: dict[str, Any] = {}
    for name, value in counts[0].items():
        values = [one[name] for one in counts]
        if isinstance(value, dict):
            kinds = sum(map(Counter, values), Counter[str]())
            sums[name] = dict(sorted(kinds.items()))
        else:
            sums[name] = sum(values)
    return sums
