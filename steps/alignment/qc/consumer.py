"""The quality control of one sample: a reader of the sorted stream, which writes its files and some of the metrics."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.bed import read_regions

DEPTHS = (10, 20, 30)
STREAM = "/dev/fd/0"


def write_quality(task: Mapping[str, Any], contigs: Mapping[str, int], metrics: Path) -> None:
    """Read alignments from standard input, and write the files of quality control.

    Args:
        task: The task.
        contigs: The length of each contig in bp, by name.
        metrics: The file for the metrics, a JSON object.

    Raises:
        BadInput: for a BED file that cannot be used.
        OSError: if the stream is cut off.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else numpy starts a thread for each core, which none of this uses
    from qc import mosdepth_files, samtools_files
    from qc.batches import read_batches
    from qc.sex import sex_metrics
    from qc.tally import tally

    bed, outputs = task["parameters"].get("regions"), task["outputs"]
    regions = read_regions(bed, contigs) if bed else []
    counts = tally(read_batches(STREAM), contigs, regions)
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
