"""Time and memory of the step aggregation over gVCFs of a cohort, beside `bcftools merge | bcftools call`.

    python -m benchmarks.joint_calling PANEL.vcf.gz REFERENCE.fa --samples 100 1000 3202 --bcftools 100 --out FOLDER

The gVCFs are those of `benchmarks.cohort_gvcfs`, over all of the reference as one interval; REFERENCE.fa has its `.fai`
and `.dict`. With `--tiles`, each contig is there several times in a row, with its variants: depth and errors differ.
The step runs on the cores that it declares. With `--added`, each cohort is called again with one sample
more, and once more from what the first run packed and the gVCF of that sample, with the same bytes. Processor time is
that of the process and of all that it has waited for.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pysam

from benchmarks.cohort_gvcfs import DEPTH, read_panel, read_reference, tiled, write_cohort
from benchmarks.measure import Peak
from genomics_pipeline.runs.catalog import load_step

BCFTOOLS = "import sys, pysam.bcftools as b; getattr(b, sys.argv[1])(*sys.argv[2:], catch_stdout=False)"


def main() -> None:
    """Print a line for each cohort and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel")
    parser.add_argument("reference")
    parser.add_argument("--samples", type=int, nargs="+", default=[100, 1000, 3202])
    parser.add_argument("--bcftools", type=int, nargs="*", default=[], help="cohorts to call by bcftools too")
    parser.add_argument("--added", action="store_true", help="also add a sample to each cohort")
    parser.add_argument("--depth", type=float, default=DEPTH)
    parser.add_argument("--tiles", type=int, default=1, help="how often each contig is there")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="of the step; a JSON value")
    parser.add_argument(
        "--offset", type=int, default=16_569_999, help="position in the panel less that in the reference"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    panel, reference = read_panel(options.panel, options.offset), read_reference(options.reference)
    folder = options.out / f"gvcfs-{options.depth:g}x"
    if options.tiles > 1:
        panel, reference = tiled(panel, reference, options.tiles)
        folder = options.out / f"{folder.name}-{options.tiles}-tiles"
        options.reference = write_reference(reference, folder.with_suffix(".fa"))
    regions = [f"{contig}:1-{len(bases)}" for contig, bases in reference.items()]
    parameters = {name: json.loads(value) for name, _, value in (one.partition("=") for one in options.param)}
    print("samples  way          wall (s)  cpu (s)  peak (MiB)  records")
    for samples in options.samples:
        gvcfs = [str(path) for path in write_cohort(panel, reference, samples, options.depth, folder)]
        step, joint = step_command(options, gvcfs, regions, f"{samples}.step", parameters)
        report(samples, "aggregation", partial(started, step), joint)
        if options.added:
            more = [str(path) for path in write_cohort(panel, reference, samples + 1, options.depth, folder)]
            step, whole = step_command(options, more, regions, f"{samples}.whole", parameters)
            report(samples + 1, "aggregation", partial(started, step), whole)
            packed = joint.with_name("joint_germline.00000.packed")
            step, added = step_command(options, more, regions, f"{samples}.added", parameters, packed)
            report(samples + 1, "one added", partial(started, step), added)
            if added.read_bytes() != whole.read_bytes():
                sys.exit(f"{added}: expected the bytes of {whole}, found others")
        if samples in options.bcftools:
            called = options.out / f"{samples}.bcftools.vcf.gz"
            report(samples, "bcftools", partial(bcftools, options, gvcfs, regions, called), called)


def write_reference(reference: Mapping[str, str], path: Path) -> str:
    """Write a reference, its `.fai` and its `.dict`, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f">{contig}\n{bases}\n" for contig, bases in reference.items()))
    pysam.faidx(str(path))
    pysam.dict("-o", str(path.with_suffix(".dict")), str(path))
    return str(path)


def started(command: Sequence[str]) -> list[subprocess.Popen[bytes]]:
    """Start a command."""
    return [subprocess.Popen(command, stderr=subprocess.DEVNULL)]


def step_command(
    options: argparse.Namespace,
    gvcfs: Sequence[str],
    regions: Sequence[str],
    name: str,
    changed: dict[str, Any],
    packed: Path | None = None,
) -> tuple[list[str], Path]:
    """Return the command of the step over a cohort, and the joint VCF that it writes.

    Args:
        options: The options of the program.
        gvcfs: The gVCFs.
        regions: The regions of the interval.
        name: The name of the folder of its files.
        changed: Parameters that are not the defaults.
        packed: The packed gVCFs of all but the last sample; None to read all gVCFs.
    """
    spec = load_step("aggregation").spec
    folder = options.out / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scratch").mkdir(parents=True)
    parameters = {name: one.default for name, one in spec.parameters.items()}
    task = {
        "step": spec.name,
        "version": spec.version,
        "item": {"interval": "00000", "regions": list(regions)},
        "inputs": {"gvcfs": list(gvcfs), "reference": options.reference},
        "content": {"gvcfs": list(gvcfs)},
        "parameters": {**parameters, **changed},
        "outputs": {name: str(folder / one.path.format(interval="00000")) for name, one in spec.outputs.items()},
        "scratch": str(folder / "scratch"),
        "versions": str(folder / "versions.json"),
        "vcpus": options.cores,
        "memory_mib": spec.resources.memory_mib,
    }
    if packed is not None:
        task["inputs"] |= {"gvcfs": [*[None] * (len(gvcfs) - 1), gvcfs[-1]], "earlier": [str(packed)]}
    (folder / "task.json").write_text(json.dumps(task))
    program = load_step("aggregation").path / "aggregation.py"
    return [sys.executable, str(program), str(folder / "task.json")], Path(task["outputs"]["vcf"])


def bcftools(
    options: argparse.Namespace, gvcfs: Sequence[str], regions: Sequence[str], called: Path
) -> list[subprocess.Popen[bytes]]:
    """Start `bcftools merge | call | norm` over a cohort."""
    files = called.with_suffix(".list")
    files.write_text("\n".join(gvcfs) + "\n")
    commands = [
        ["merge", "-g", options.reference, "-l", str(files), "-r", ",".join(regions), "-Ou"],
        ["call", "-mv", "-a", "GQ", "-P", "0.05", "-Ou", "-"],
        ["norm", "-f", options.reference, "-Oz", "-o", str(called), "-"],
    ]
    running: list[subprocess.Popen[bytes]] = []
    for command in commands:
        source = running[-1].stdout if running else subprocess.DEVNULL
        argv = [sys.executable, "-c", BCFTOOLS, *command]
        running.append(subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    return running


def report(samples: int, way: str, start: Callable[[], Sequence[subprocess.Popen[bytes]]], vcf: Path) -> None:
    """Run a way to its end, and print its time, memory and number of records."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    running = start()
    with Peak(os.getpid()) as peak:
        for process in running:
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, process.args)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    count = subprocess.run(
        [sys.executable, "-c", "import pysam, sys; print(sum(1 for _ in pysam.VariantFile(sys.argv[1])))", str(vcf)],
        capture_output=True,
        check=True,
        text=True,
    )
    print(f"{samples:7}  {way:11}  {wall:8.1f}  {cpu:7.1f}  {peak.mib:10.0f}  {count.stdout.strip():>7}", flush=True)


if __name__ == "__main__":
    main()
