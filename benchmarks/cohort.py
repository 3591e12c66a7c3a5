"""A cohort to its joint VCF: `genomics-pipeline run` compared with Snakemake 9 and native tools, and its own steps.

All build the reference's indexes, align, mark duplicates, call each sample and genotype jointly, on the same cores, in
turns in one session. The goal is for the bare workflow. Ours writes quality control at the same time, so that a second
line is for the workflow with statistics of samtools and bcftools and, if it is on the PATH, mosdepth, as nf-core/sarek
has them. Contamination, relatedness, sexes and digests are only ours. Ratios are medians over the rounds; memory is
sampled in a round of its own, since that slows down a run with many processes. bwa, samtools and bcftools must be on
the PATH, and Snakemake in its own environment: ``SNAKEMAKE=/path/to/snakemake``.
"""

from __future__ import annotations

import heapq
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Measurement, measure

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "1000g-3sample-chr21-chr22"
SNAKEFILE = Path(__file__).with_name("Snakefile")
COMMAND = Path(sys.executable).with_name("genomics-pipeline")
OURS = "ours"
ROUNDS = 5


def missing_tools() -> list[str]:
    """Return the tools and data that this machine lacks."""
    tools = ["bwa", "samtools", "bcftools", os.environ.get("SNAKEMAKE", "snakemake")]
    return [tool for tool in tools if shutil.which(tool) is None] + ([] if DATA.is_dir() else [str(DATA)])


def measure_run(folder: Path, memory: bool = False) -> Measurement:
    """Measure `genomics-pipeline run` with an empty cache."""
    rows = [f"{name},{DATA}/{name}_R1.fastq.gz,{DATA}/{name}_R2.fastq.gz" for name in samples()]
    (folder / "cohort.csv").write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    argv = [str(COMMAND), "run", "cohort.csv", "--reference", str(DATA / "reference.fa.gz"), "--out", "run"]
    return measure(argv, env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}, cwd=folder, memory=memory)


def quality_tools() -> list[str]:
    """Return the tools of quality control that the second workflow runs."""
    return [tool for tool in ("samtools", "bcftools", "mosdepth") if shutil.which(tool)]


def measure_snakemake(folder: Path, quality: Sequence[str] = (), memory: bool = False) -> Measurement:
    """Measure Snakemake with native tools on the same cohort.

    Args:
        folder: An empty folder.
        quality: The tools of quality control.
        memory: Sample the memory, see `measure`.
    """
    config = ["--config", f"samples={','.join(samples())}", f"reads={DATA}", f"reference={DATA}/reference.fa.gz"]
    config += [f"quality={','.join(quality)}"] if quality else []
    argv = [os.environ.get("SNAKEMAKE", "snakemake"), "--cores", str(os.cpu_count()), "--snakefile", str(SNAKEFILE)]
    return measure([*argv, *config], env=os.environ, cwd=folder, memory=memory)


def measure_all(folder: Path, memory: bool = False) -> list[Measurement]:
    """Measure our run, and Snakemake without and with quality control, each in a folder of its own.

    Args:
        folder: An empty folder.
        memory: Sample the memory, see `measure`.
    """
    ours, bare, controlled = (folder / name for name in (OURS, "bare", "controlled"))
    for each in (ours, bare, controlled):
        each.mkdir()
    return [
        measure_run(ours, memory),
        measure_snakemake(bare, memory=memory),
        measure_snakemake(controlled, quality_tools(), memory),
    ]


def samples() -> list[str]:
    """Return the names of the cohort's samples."""
    return sorted(file.name.removesuffix("_R1.fastq.gz") for file in DATA.glob("*_R1.fastq.gz"))


def packed_seconds(run: Path, cores: int) -> float:
    """Return the minimum of seconds that a run's tasks need on the cores, given the time of each task.

    A sample's tasks follow each other; a stage over intervals or the cohort begins after the stage before it.
    """
    total = 0.0
    for group in (("alignment", "variant_calling"), ("aggregation",), ("gather",)):
        chains: dict[str, list[float]] = {}
        for stage in group:
            for file in sorted((run / "steps" / stage).glob("*/step.json")):
                record = json.loads(file.read_bytes())
                chains.setdefault(file.parent.name, []).append(record["seconds"] * record["vcpus"])
        free = [0.0] * cores
        for chain in sorted(chains.values(), key=sum, reverse=True):
            heapq.heappush(free, heapq.heappop(free) + sum(chain))
        total += max(sum(map(sum, chains.values())) / cores, max(free) if len(chains) >= cores else 0.0)
    return total


def main() -> None:
    """Print the ratios."""
    if missing := missing_tools():
        print(f"SKIPPED cohort: not on this machine: {', '.join(missing)}")
        return
    rounds: list[list[Measurement]] = []
    packed: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            rounds.append(measure_all(Path(name)))
            packed.append(rounds[-1][0].seconds / packed_seconds(Path(name) / OURS / "run", os.cpu_count() or 1))
    with tempfile.TemporaryDirectory() as name:
        peaks = measure_all(Path(name), memory=True)
    names = (
        "genomics-pipeline run",
        "Snakemake, native tools",
        f"  with quality control: {', '.join(quality_tools())}",
    )
    for name, column, peak in zip(names, zip(*rounds, strict=True), peaks, strict=True):
        seconds = statistics.median(one.seconds for one in column)
        print(f"{name:53}  {seconds:6.2f} s  peak {peak.peak_mib:6.0f} MiB")
    bare, controlled = (
        statistics.median(ours.seconds / theirs[place].seconds for ours, *theirs in rounds) for place in range(2)
    )
    print(f"ratio to Snakemake                       {bare:.2f}  (goal: at most 0.6)")
    print(f"ratio to Snakemake with quality control  {controlled:.2f}")
    print(f"ratio to its own steps                   {statistics.median(packed):.2f}  (goal: at most 1.05)")


if __name__ == "__main__":
    main()
