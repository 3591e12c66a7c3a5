"""Rates of the shipped steps on this machine, measured and written to `genomics_pipeline/planning/calibration.toml`.

    python -m benchmarks.calibrate --gvcfs FOLDER --out genomics_pipeline/planning/calibration.toml
    python -m benchmarks.calibrate --steps alignment,variant_calling --out genomics_pipeline/planning/calibration.toml

With `--steps`, only these are measured, and the others keep their entries in the file.

Runs the shipped pipelines over real and simulated reads and over the gVCFs of 10, 100 and 1,000 people, which
`benchmarks.cohort_gvcfs` makes of the panel (`--gvcfs`), and fits each need of each step as a sum of terms with
coefficients of 0 or more, so that the squares of the relative errors are least. Times are those of processors, which
other work on the machine disturbs little; what a task takes beside its program (`worker_seconds`) needs an idle one.
Sizes of outputs are fitted to real reads only, and the panel's gVCFs.

`CARRIED` holds what cannot be measured on a small machine without a human genome, or without AWS; the file says so.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy_imputation import write_panel
from benchmarks.real_sets import DATA
from genomics_pipeline.planning.calibration import covered_bases, parse_calibration, terms_of
from genomics_pipeline.planning.history.observation import Observation
from genomics_pipeline.planning.resource_model import TaskFeatures
from genomics_pipeline.runs.catalog import load_step

COMMAND = [sys.executable, "-m", "genomics_pipeline"]
PEOPLE, CONTROLS = "1000g-3sample-chr21-chr22", "sarscov2-twist-controls"
PANEL_SAMPLES = (10, 100, 1000)
SIMULATED = ((20_000, 30), (100_000, 30), (300_000, 20), (2_000_000, 1))  # bp and depth
HAPLOID = 2  # the number of the one that a consensus is made of
BOTH_ALIGNERS = (1, 2)  # the numbers of those that bwa aligns, too
FRACTIONS = ("0.1", "0.5", "1")  # of the reads of the people
COPIES = (1, 3, 12)  # samples of a cohort of low depth

# Terms that a need may have, by step. The first ones are tried alone; see `fit`.
TIME = {
    "alignment": ("fixed", "per_gb"),
    "variant_calling": ("fixed", "per_gb", "per_gigabase", "per_read_gigabase"),
    "aggregation": ("fixed", "per_sample", "per_gigabase", "per_gigabase_sample"),
    "gather": ("fixed", "per_gb"),
    "annotation": ("fixed", "per_gb"),
    "imputation": ("fixed", "per_gigabase", "per_gigabase_sample"),
    "consensus": ("fixed", "per_gb", "per_gigabase"),
}
# Terms of the size of each output that grows; all others together are fixed.
SIZE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "alignment": {"alignment": ("per_gb",)},
    "variant_calling": {"vcf": ("per_gb",), "gvcf": ("per_gb",)},
    "aggregation": {"vcf": ("per_gigabase", "per_gigabase_sample"), "packed": ("per_gigabase_sample",)},
    "gather": {"vcf": ("per_gb",)},
    "annotation": {"vcf": ("per_gb",)},
    "imputation": {"vcf": ("per_gigabase_sample",)},
    "consensus": {"fasta": ("per_gigabase",)},
}


@dataclass(frozen=True, slots=True)
class Carried:
    """The part of a step's rates that is not measured here.

    Attributes:
        serial_fraction: The share of the time that more cores do not shorten.
        spread: p90 / p50 of durations among samples of a real cohort.
        memory_spread: That of memory.
        staging_seconds_per_gb: The time to fetch a GB from S3.
        memory_mib: Memory, which grows until programs have as many reads or records at once as they take.
        core_seconds: Terms of the time that only larger genomes show.
        why: The reason for these, for the file.
    """

    serial_fraction: float
    spread: float
    memory_mib: Mapping[str, float]
    memory_spread: float = 1.2
    staging_seconds_per_gb: float = 0.0
    core_seconds: Mapping[str, float] = field(default_factory=dict)
    why: str = ""


CARRIED = {
    "alignment": Carried(
        0.02,
        1.5,
        {"fixed": 1320, "per_gigabase": 2600},
        1.12,
        core_seconds={"per_gb_gigabase": 210},
        why="twice the time for a human genome is reckoned",
    ),
    "variant_calling": Carried(0.02, 1.25, {"fixed": 600, "per_gigabase": 640}, 1.12, 5),
    "aggregation": Carried(0.1, 1.3, {"fixed": 400, "per_sample": 0.03}, 1.2, 5),
    "gather": Carried(0.3, 1.3, {"fixed": 300}, 1.2, 10),
    "annotation": Carried(0.5, 1.5, {"fixed": 500}, 1.2, 10),
    "imputation": Carried(0.1, 1.5, {"fixed": 1500, "per_sample": 0.5}, 1.2, 5),
    "consensus": Carried(1.0, 1.5, {"fixed": 300, "per_gigabase": 1250}, 1.2, 5),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A task that ran.

    Attributes:
        observation: What it needed.
        features: Its sizes.
        is_real: Whether its data is that of people, not simulated.
        aligner: The aligner, of an alignment.
    """

    observation: Observation
    features: TaskFeatures
    is_real: bool
    aligner: str = ""


def run(folder: Path, sheet: Path, reference: Path, *options: str) -> Path:
    """Run a sheet through a pipeline in a new folder, and return the folder.

    Args:
        folder: The folder.
        sheet: The sheet.
        reference: The reference.
        options: More options of `run`.
    """
    argv = [*COMMAND, "run", str(sheet), "--reference", str(reference), "--out", str(folder), *options]
    ended = subprocess.run(argv, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{' '.join(argv)}\n{ended.stderr}")
    return folder


def measured(run_folder: Path, reference_bases: int, *, is_real: bool) -> Iterator[Measured]:
    """Yield the tasks of a run.

    Args:
        run_folder: The folder of the run.
        reference_bases: The length of its reference.
        is_real: Whether its data is that of people.
    """
    from genomics_pipeline.runs.run_files import folder_files
    from genomics_pipeline.runs.run_folder import RunFolder
    from genomics_pipeline.stores.routed import RoutedStore

    files = folder_files(RunFolder(run_folder), RoutedStore(_no_client))
    samples = sum(1 for _ in files.items("sample")) or sum(1 for _ in (run_folder / "gvcfs.jsonl").open())
    intervals = sum(1 for _ in files.items("interval"))
    for record in files.completions():
        kind = load_step(record.step).spec
        gathers = record.step in ("aggregation", "imputation")
        bases = reference_bases // max(1, intervals) if gathers else reference_bases
        seen = Observation.of(record)
        features = TaskFeatures(seen.input_bytes, bases, samples if gathers else 1, record.vcpus)
        aligner = str(record.provenance.parameters.get("aligner", "")) if "aligner" in kind.parameters else ""
        yield Measured(seen, features, is_real, aligner)


def _no_client() -> Any:
    raise SystemExit("expected local files only")


def sheet_of(file: Path, rows: Mapping[str, Sequence[Path]], columns: Sequence[str]) -> Path:
    """Write a sample sheet and return its path."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["sample", *columns])
        writer.writerows([sample, *map(str, files)] for sample, files in rows.items())
    return file


def bases_of(fasta: Path) -> int:
    """Return the number of bases of a FASTA file."""
    with gzip.open(fasta, "rt") if fasta.suffix == ".gz" else fasta.open() as lines:
        return sum(len(line.strip()) for line in lines if not line.startswith(">"))


def of_simulated(folder: Path) -> Iterator[Measured]:
    """Yield the tasks of simulated samples, by both aligners."""
    for number, (length, depth) in enumerate(SIMULATED):
        cohort = folder / f"simulated{number}"
        size = ["--samples", "1", "--length", str(length), "--depth", str(depth)]
        if not cohort.exists():
            subprocess.run([*COMMAND, "simulate", "--out", str(cohort), *size], check=True, capture_output=True)
        sheet, reference = cohort / "cohort.csv", cohort / "reference.fa"
        for aligner in ("minibwa", "bwa") if number in BOTH_ALIGNERS else ("minibwa",):
            options = ["--param", f"alignment.aligner={aligner}", "--param", "alignment.format=cram"]
            done = run(folder / f"run-{cohort.name}-{aligner}", sheet, reference, *options)
            yield from measured(done, length, is_real=False)


def of_people(folder: Path) -> Iterator[Measured]:
    """Yield the tasks of three people, of fractions of their reads, and of them imputed at low depth."""
    data = DATA / PEOPLE
    reads = {file.name.split("_")[0]: (file, file.with_name(file.name.replace("_R1", "_R2"))) for file in _firsts(data)}
    reference = data / "reference.fa.gz"
    bases = bases_of(reference)
    sheet = sheet_of(folder / "people.csv", reads, ("fastq_1", "fastq_2"))
    cram = ("--param", "alignment.format=cram")
    for fraction in FRACTIONS:
        done = run(folder / f"people-{fraction}", sheet, reference, "--subsample", fraction, *cram)
        yield from measured(done, bases, is_real=fraction == FRACTIONS[-1])  # gVCFs of low depth are larger
    panel = write_panel(sorted(reads), folder)
    for copies in COPIES:
        names = [f"{sample}x{number}" for number in range(4) for sample in reads][:copies]
        rows = {name: _copied(name, reads[name.partition("x")[0]], folder) for name in names}
        sheet = sheet_of(folder / f"copies{copies}.csv", rows, ("fastq_1", "fastq_2"))
        options = [word for one in panel.parameters for word in ("--param", one)]
        done = run(
            folder / f"copies{copies}",
            sheet,
            reference,
            *("--pipeline", "germline-lowpass", "--subsample", "0.1", *cram, *options),
        )
        yield from (one for one in measured(done, bases, is_real=True) if one.observation.step == "imputation")


def _copied(name: str, files: Sequence[Path], folder: Path) -> list[Path]:
    """Return copies of files, since a sheet has each file once."""
    return [Path(shutil.copy(file, folder / f"{name}_{file.name}")) for file in files]


def of_viruses(folder: Path) -> Iterator[Measured]:
    """Yield the consensus of amplicons of a virus, and of a larger haploid genome."""
    data = DATA / CONTROLS
    reads = {
        file.name.removesuffix("_R1.fastq.gz"): (file, file.with_name(file.name.replace("_R1", "_R2")))
        for file in _firsts(data)
    }
    sheet = sheet_of(folder / "controls.csv", reads, ("fastq_1", "fastq_2"))
    cram = ("--param", "alignment.format=cram")
    primers = ("--param", f"alignment.primers={data / 'artic_v3.primer.bed'}")
    reference = data / "reference.fa.gz"
    done = run(folder / "controls", sheet, reference, "--pipeline", "amplicon", *cram, *primers)
    of_controls = measured(done, bases_of(reference), is_real=True)
    cohort = folder / f"simulated{HAPLOID}"  # of `of_simulated`
    options = ("--pipeline", "amplicon", *cram)
    done = run(folder / "haploid", cohort / "cohort.csv", cohort / "reference.fa", *options)
    of_larger = measured(done, SIMULATED[HAPLOID][0], is_real=False)
    yield from (one for some in (of_controls, of_larger) for one in some if one.observation.step == "consensus")


def of_panel(gvcfs: Path, folder: Path, counts: Sequence[int]) -> Iterator[Measured]:
    """Yield the joint genotyping and the annotation of people of the panel.

    Args:
        gvcfs: The folder of their gVCFs.
        folder: The folder of the runs.
        counts: The numbers of people, each a run; the first ones of the folder.
    """
    reference = DATA / PEOPLE / "reference.fa.gz"
    bases = bases_of(reference)
    genes = folder / "genes.gff3"
    genes.write_text("".join(_genes()))
    files = sorted(gvcfs.glob("*.g.vcf.gz"))
    for count in counts:
        rows = {file.name.removesuffix(".g.vcf.gz"): (file,) for file in files[:count]}
        if len(rows) < count:
            raise SystemExit(f"{gvcfs}: expected {count:,} gVCFs, found {len(rows):,}; see benchmarks.cohort_gvcfs")
        sheet = sheet_of(folder / f"panel{count}.csv", rows, ("gvcf",))
        options = ("--pipeline", "joint", "--param", f"annotation.gff3={genes}")
        done = run(folder / f"panel{count}", sheet, reference, *options)
        yield from measured(done, bases, is_real=True)
        if count == counts[0]:  # what grows with the samples alone, not with the bases
            continue
        regions = folder / "regions.bed"
        regions.write_text("chr21\t10000\t14000\n")
        done = run(folder / f"panel{count}-short", sheet, reference, "--pipeline", "joint", "--regions", str(regions))
        some = measured(done, 4000, is_real=True)
        yield from (one for one in some if one.observation.step == "aggregation")


def _genes() -> Iterator[str]:
    for contig in ("chr21", "chr22"):
        for number, start in enumerate(range(1000, 36000, 5000)):
            gene = f"{contig}G{number}"
            for kind, attributes in (
                ("gene", f"ID=gene:{gene};Name={gene};biotype=protein_coding"),
                ("mRNA", f"ID=transcript:T{gene};Parent=gene:{gene};biotype=protein_coding"),
                ("CDS", f"ID=CDS:P{gene};Parent=transcript:T{gene}"),
            ):
                phase = "0" if kind == "CDS" else "."
                yield f"{contig}\tx\t{kind}\t{start}\t{start + 3000}\t.\t+\t{phase}\t{attributes}\n"


def _firsts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*_R1.fastq.gz"))


def fit(tasks: Sequence[Measured], need: Callable[[Observation], float], names: Sequence[str]) -> dict[str, float]:
    """Return coefficients of 0 or more with the least sum of squares of relative errors.

    Of all subsets of the terms whose least-squares coefficients are not negative, the best one is that of the
    non-negative least squares; there are few terms.

    Args:
        tasks: The tasks.
        need: The need.
        names: The terms that it may have.
    """
    needs = np.array([max(need(one.observation), 1e-6) for one in tasks])
    columns = {name: np.array([terms_of(one.features)[name] for one in tasks]) / needs for name in names}
    best: tuple[float, dict[str, float]] = (float("inf"), {})
    for count in range(1, len(names) + 1):
        for chosen in combinations(names, count):
            matrix = np.stack([columns[name] for name in chosen], axis=1)
            found, *_ = np.linalg.lstsq(matrix, np.ones(len(tasks)), rcond=None)
            error = float(np.sum((matrix @ found - 1) ** 2))
            if (found >= 0).all() and error < best[0] * (1 - 1e-9):
                best = error, dict(zip(chosen, map(float, found), strict=True))
    return best[1]


def rates_of(step: str, tasks: Sequence[Measured]) -> dict[str, Any]:
    """Return the entry of a step in the file."""
    carried = CARRIED[step]
    main = [one for one in tasks if one.aligner in ("", "minibwa")]
    outputs, total = _sizes(step, [one for one in main if one.is_real] or main)
    core_seconds = fit(main, lambda one: one.processor_seconds, TIME[step])
    return {
        "version": _version(tasks),
        "basis": _basis(step, main, tasks),
        "core_seconds": core_seconds | dict(carried.core_seconds),
        "serial_fraction": carried.serial_fraction,
        "staging_seconds_per_gb": carried.staging_seconds_per_gb,
        "worker_seconds": _worker_seconds(main, core_seconds.get("fixed", 0.0), carried.serial_fraction),
        "spread": carried.spread,
        "memory_mib": dict(carried.memory_mib),
        "memory_spread": carried.memory_spread,
        "output_bytes": total,
        "outputs": outputs,
    }


def _worker_seconds(tasks: Sequence[Measured], fixed: float, serial_fraction: float) -> float:
    """Return the median time of a task beside that of its program; only an idle machine tells it.

    Args:
        tasks: The tasks.
        fixed: The part of their programs' time that no core shortens.
        serial_fraction: Likewise of the rest.
    """
    beside = []
    for one in tasks:
        seen = one.observation
        share = serial_fraction + (1 - serial_fraction) / seen.vcpus
        beside.append(seen.seconds - fixed - (seen.processor_seconds - fixed) * share)
    return round(max(0.0, statistics.median(beside)), 3)


def _version(tasks: Sequence[Measured]) -> str:
    """Return the version of the step that ran; another one may have come since."""
    versions = sorted({one.observation.version for one in tasks})
    if len(versions) != 1:
        raise SystemExit(f"expected tasks of one version of {tasks[0].observation.step}, found {', '.join(versions)}")
    return versions[0]


def _sizes(step: str, tasks: Sequence[Measured]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return the terms of the size of each output that grows, and those of all outputs together."""

    def of(name: str) -> Callable[[Observation], float]:
        return lambda one: one.outputs.get(name, 0)

    def others(one: Observation) -> float:
        return one.output_bytes - sum(of(name)(one) for name in SIZE[step])

    outputs = {name: fit(tasks, of(name), terms) for name, terms in SIZE[step].items()}
    total: dict[str, float] = defaultdict(float, fixed=statistics.fmean(others(one.observation) for one in tasks))
    for terms in outputs.values():
        for term, value in terms.items():
            total[term] += value
    return outputs, dict(total)


def _basis(step: str, main: Sequence[Measured], tasks: Sequence[Measured]) -> str:
    """Return what a step's rates rest on."""
    sizes = sorted(one.features.input_bytes / 1e6 for one in main)
    bases = sorted(one.features.reference_bases for one in main)
    words = [f"{len(main)} tasks of {sizes[0]:,.2g} to {sizes[-1]:,.2g} MB over {bases[0]:,} to {bases[-1]:,} bases"]
    if (samples := max(one.features.samples for one in main)) > 1:
        words.append(f"of at most {samples:,} samples")
    if others := [one for one in tasks if one not in main]:
        same = {one.features.input_bytes: one for one in main}
        ratios = [
            one.observation.processor_seconds / same[one.features.input_bytes].observation.processor_seconds
            for one in others
            if one.features.input_bytes in same
        ]
        words.append(f"with minibwa; bwa takes {statistics.median(ratios):.1f} times as long")
    carried = CARRIED[step]
    peak = max(one.observation.peak_memory_mib for one in main)
    words.append(
        f"at most {peak:,} MiB, while the memory of larger ones is assumed, as are serial fraction, spreads and staging"
    )
    if carried.why:
        words.append(carried.why)
    return "; ".join(words)


def text_of(
    entries: Mapping[str, Mapping[str, Any]],
    formats: Mapping[str, float],
    overheads: Mapping[str, Mapping[str, float]],
    machine: str,
) -> str:
    """Return the file."""
    lines = [
        "# What one task of each shipped step needs, by size: used where there are no records of earlier runs.",
        "# Terms: fixed; per GB (10^9 bytes) of input; per gigabase of the reference or interval, or of what reads lie",
        "# over of it; products of two of these, and of the number of samples that the task reads. `spread` is",
        "# p90 / p50 among tasks, which are taken to be log-normal.",
        "# Inputs and outputs are those on AWS: alignments are CRAM. Written by `python -m benchmarks.calibrate`.",
        f'date = "{datetime.now(UTC).date().isoformat()}"',
        f"machine = {json.dumps(machine)}",
        "",
        "[formats]  # size of alignments, in that of CRAM: the median of the real samples",
        *(f"{name} = {value:.3g}" for name, value in formats.items()),
        "",
        "[overheads]  # bytes of alignments that do not grow with the reads: of a file, of each base that has reads",
        *(f"{name} = {_terms_text(terms)}" for name, terms in overheads.items()),
    ]
    for step, entry in entries.items():
        lines += ["", f"[steps.{step}]"]
        for name, value in entry.items():
            if name == "outputs":
                lines += [f"outputs.{output} = {_terms_text(terms)}" for output, terms in value.items()]
            else:
                lines.append(f"{name} = {_terms_text(value) if isinstance(value, dict) else json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _terms_text(terms: Mapping[str, float]) -> str:
    def number(value: float) -> str:
        return f"{float(f'{value:.3g}'):.10g}"

    return "{ " + ", ".join(f"{name} = {number(value)}" for name, value in terms.items()) + " }"


def format_sizes(folder: Path) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return the size of alignments by format in that of CRAM, and what of it does not grow with the reads.

    Both are medians of the people. CRAM has a fixed part. What BAM has of a base is written once, however many reads
    lie over it: see `AlignmentOverhead`.
    """
    data, whole, beside = DATA / PEOPLE, {}, {}
    for kind, term in (("cram", "fixed"), ("bam", "per_covered_base")):
        options = ("--pipeline", "germline-single", "--param", f"alignment.format={kind}")
        sizes = []
        for fraction in ("1", "0.1"):
            where = folder / f"format-{kind}-{fraction}"
            done = run(where, folder / "people.csv", data / "reference.fa.gz", *options, "--subsample", fraction)
            tasks = measured(done, bases_of(data / "reference.fa.gz"), is_real=True)
            sizes.append([one for one in tasks if one.observation.step == "alignment"])
        parts = []
        for full, tenth in zip(*sizes, strict=True):
            units = [1.0 if term == "fixed" else covered_bases(one.features) for one in (full, tenth)]
            bytes_ = [one.observation.outputs["alignment"] for one in (full, tenth)]
            parts.append((10 * bytes_[1] - bytes_[0]) / (10 * units[1] - units[0]))
        beside[kind] = {term: statistics.median(parts)}
        whole[kind] = [one.observation.outputs["alignment"] for one in sizes[0]]
    ratio = statistics.median(bam / cram for bam, cram in zip(whole["bam"], whole["cram"], strict=True))
    return {"cram": 1.0, "bam": ratio}, beside


def machine_words() -> str:
    """Return the processor and the number of its cores."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(os.sched_getaffinity(0))} cores"


def parts_of(
    steps: Sequence[str], gvcfs: Path | None, counts: Sequence[int], folder: Path
) -> Iterator[Iterator[Measured]]:
    """Yield the runs that measure some steps.

    Args:
        steps: The steps.
        gvcfs: The gVCFs of the panel.
        counts: The numbers of people of the panel.
        folder: The folder of the runs.
    """
    chosen = set(steps)
    if chosen & {"alignment", "variant_calling", "consensus", "aggregation", "gather"}:
        yield of_simulated(folder)
    if chosen & {"alignment", "variant_calling", "imputation"}:
        yield of_people(folder)
    if "consensus" in chosen:
        yield of_viruses(folder)
    if chosen & {"aggregation", "gather", "annotation"}:
        if gvcfs is None:
            raise SystemExit("--gvcfs: expected a folder of gVCFs of benchmarks.cohort_gvcfs, for joint genotyping")
        yield of_panel(gvcfs, folder, counts)


def main() -> None:
    """Measure, fit and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gvcfs", type=Path, help="Folder of 1,000 gVCFs of benchmarks.cohort_gvcfs.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="Keep the runs in this folder, and continue from those in it.")
    parser.add_argument("--steps", default=",".join(TIME), help="The steps to measure, by commas.")
    parser.add_argument("--panel", default=",".join(map(str, PANEL_SAMPLES)), help="Numbers of people of the panel.")
    options = parser.parse_args()
    steps = [step for step in TIME if step in options.steps.split(",")]
    counts = tuple(map(int, options.panel.split(",")))
    entries = dict(tomllib.loads(options.out.read_text())["steps"]) if len(steps) < len(TIME) else {}
    by_step: dict[str, list[Measured]] = defaultdict(list)
    with TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for part in parts_of(steps, options.gvcfs, counts, folder):
            for one in part:
                by_step[one.observation.step].append(one)
                print(one.observation.step, one.features, f"{one.observation.processor_seconds:.2f} s", flush=True)
        if "alignment" in steps:
            formats, overheads = format_sizes(folder)
        else:
            before = tomllib.loads(options.out.read_text())
            formats, overheads = before["formats"], before["overheads"]
    entries |= {step: rates_of(step, by_step[step]) for step in steps}
    text = text_of(entries, formats, overheads, machine_words())
    parse_calibration(text, file=str(options.out))
    options.out.write_text(text)


if __name__ == "__main__":
    main()
