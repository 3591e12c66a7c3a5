"""The quality control of one sample: a reader of the sorted alignments, which writes its files and some metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.bed import read_regions

from qc import mosdepth_files, samtools_files
from qc.batches import Batch
from qc.sex import sex_metrics
from qc.tally import tally

DEPTHS = (10, 20, 30)


def write_quality(task: Mapping[str, Any], contigs: Mapping[str, int], batches: Iterable[Batch], metrics: Path) -> None:
    """Read sorted alignments, and write the files of quality control.

    Args:
        task: The task.
        contigs: The length of each contig in bp, by name.
        batches: The alignments.
        metrics: The file for the metrics, a JSON object.

    Raises:
        BadInput: for a BED file that cannot be used.
    """
    bed, outputs = task["parameters"].get("regions"), task["outputs"]
    regions = read_regions(bed, contigs) if bed else []
    counts = tally(batches, contigs, regions)
    for name, text in {**samtools_files.texts(counts), **mosdepth_files.texts(counts)}.items():
        Path(outputs[name]).write_text(text)
    for name, text in mosdepth_files.tables(counts).items():
        write_table(text, outputs[name])
    target = mosdepth_files.target_depths(counts)
    everywhere, there = (mosdepth_files.bases_of(one) for one in (mosdepth_files.all_depths(counts), target))
    length = max(1, int(target.sum()))
    values = {
        "duplicates": samtools_files.primary_duplicates(counts),
        "mean_depth": round(there / length, 3),
        **{f"coverage_{depth}x_fraction": round(int(target[depth:].sum()) / length, 6) for depth in DEPTHS},
        "on_target_fraction": round(there / everywhere, 6) if regions and everywhere else None,
        **sex_metrics(counts, task["item"].get("sex", "NA")),
    }
    metrics.write_text(json.dumps(values))


def write_table(text: str, path: str) -> None:
    """Write a BED file, compressed, with its index."""
    import pysam

    with pysam.BGZFile(path, "wb", None) as file:
        file.write(text.encode())
    pysam.tabix_index(path, preset="bed", csi=True, force=True)
