"""Imputation of a cohort's genotypes from a reference panel over one interval, window by window, in forks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else numpy starts a thread for each core
import pysam
import pysam.bcftools

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # the parent folder of `common`
from absent_alleles import AbsentAlleles
from common.bgzf_parts import join
from common.fai import needs_csi, read_contigs
from common.forks import ForkFailed, fork, run, wait_for
from common.gvcf_headers import read_header, refuse_repeated
from common.program import BadInput, run_program, say
from common.provenance import BCFTOOLS_VERSION, HTSLIB_VERSION, log_commands, shown, write_versions
from common.vcf_header import LOCAL, VcfHeader
from genetic_map import GeneticMap
from haplotype_model import Sampling
from imputed_records import AF_HEADER, HEADER, Limits
from panel import PanelFile, read_names
from pysam.utils import SamtoolsError
from window_task import Source, WindowTask
from windows import windows

SPLIT = ["norm", "--no-version", "-m", "-any"]
SUMS = ("sites", "variants", "low_dr2", "not_in_panel", "not_in_panel_filtered", "symbolic_alleles")


def main(task: dict[str, Any]) -> None:
    """Write the cohort's imputed genotypes over the task's interval.

    Raises:
        BadInput: for files that cannot be used together.
        ForkFailed: if a window failed.
    """
    parameters, scratch = task["parameters"], Path(task["scratch"])
    calls = scratch / "calls.vcf.gz"
    split = [*SPLIT, "-f", task["inputs"]["reference"], "-Oz", "-o", str(calls), task["inputs"]["vcf"]]
    contigs = read_contigs(task["inputs"]["reference"])
    csi = needs_csi(contigs.values())
    header, samples = split_alleles(split, calls, csi)
    excluded = [*samples, *read_names(parameters["exclude_panel_samples"])]
    panel = PanelFile(required(parameters["panel"]), excluded)
    log_excluded(parameters["panel"], panel.excluded, samples)
    source = Source(
        panel=panel,
        gvcfs=files_by_sample(task["inputs"]["gvcfs"], samples, task["inputs"]["vcf"]),
        calls=str(calls),
        reference=task["inputs"]["reference"],
        genetic_map=GeneticMap(parameters["genetic_map"]),
    )
    sampling = Sampling(parameters["error_rate"], parameters["burn_in"], parameters["rounds"], parameters["chains"])
    limits = Limits(parameters["min_dr2"], parameters["min_probability"])
    absent = AbsentAlleles(parameters["prior"], parameters["min_qual"])
    work = WindowTask(source, contigs, sampling, limits, absent, parameters)
    parts, jobs = [], []
    for number, window in enumerate(windows(task["item"]["regions"], contigs, parameters["window_bp"])):
        parts.append(scratch / f"window-{number}")
        jobs.append(partial(work.write, window, parts[-1]))
    run(jobs, at_once=task["vcpus"])
    describe = VcfHeader(task, [], [split]).describe
    join(with_fields(describe(header), limits.header() + absent.header()), parts, Path(task["outputs"]["vcf"]), csi)
    metrics = summary([json.loads(part.with_suffix(".json").read_text()) for part in parts], panel)
    Path(task["outputs"]["metrics"]).write_text(json.dumps(metrics, indent=2) + "\n")
    log_commands([f"bcftools {shown(split, LOCAL)}"])
    write_versions(task, {"bcftools": BCFTOOLS_VERSION, "htslib": HTSLIB_VERSION})


def required(panel: str | None) -> str:
    """Return the panel.

    Raises:
        BadInput: if there is none.
    """
    if panel is None:
        raise BadInput("parameters: expected a reference panel, found none; set imputation's parameter panel")
    return panel


def split_alleles(command: list[str], path: Path, csi: bool) -> tuple[list[str], list[str]]:
    """Write the cohort's calls with one alternate allele a record, and return the header's lines and the samples.

    Args:
        command: The command of bcftools.
        path: The file that it writes.
        csi: The contigs are too long for a TBI index.

    Raises:
        ForkFailed: if bcftools failed.
        BadInput: for a file that cannot be read.
    """

    def norm() -> None:
        pysam.bcftools.norm(*command[1:], catch_stdout=False)

    if code := wait_for(fork(norm, "bcftools norm")):
        raise ForkFailed(f"bcftools norm of {command[-1]}", code)
    try:
        pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)
        with pysam.VariantFile(str(path)) as vcf:
            return [f"{line}\n" for line in str(vcf.header).splitlines()], list(vcf.header.samples)
    except (OSError, ValueError, SamtoolsError):
        raise BadInput(f"{command[-1]}: expected a joint VCF, found one that is cut off or of another kind") from None


def files_by_sample(gvcfs: Iterable[str], samples: list[str], vcf: str) -> dict[str, str]:
    """Return the gVCF of each sample, in the order of the samples.

    Raises:
        BadInput: for a file that is no gVCF of one sample, two files of one sample, and samples without one.
    """
    headers = [read_header(path) for path in gvcfs]
    refuse_repeated(headers)
    found = {header.sample: header.path for header in headers}
    if missing := [name for name in samples if name not in found]:
        raise BadInput(f"{vcf}: expected samples with a gVCF, found {', '.join(missing[:5])} without one")
    return {name: found[name] for name in samples}


def log_excluded(panel: str, excluded: list[str], samples: list[str]) -> None:
    """Print which people of the panel are left out."""
    cohort = frozenset(samples)
    own = [name for name in excluded if name in cohort]
    others = len(excluded) - len(own)
    if own:
        say(f"{panel}: left out {len(own)} people who are samples of the cohort: {', '.join(own)}")
    if others:
        say(f"{panel}: left out {others} people of exclude_panel_samples")


def with_fields(header: list[str], filters: str) -> str:
    """Return a header with the fields of imputed records, and the lines of filters."""
    lines = [line for line in header if not line.startswith("##INFO=<ID=AF,")]
    known = {line.partition(",")[0] for line in lines}
    more = [line for line in HEADER.splitlines(keepends=True) if line.partition(",")[0] not in known]
    return "".join([*lines[:-1], AF_HEADER, *more, filters, lines[-1]])


def summary(counts: Iterable[Mapping[str, Any]], panel: PanelFile) -> dict[str, Any]:
    """Return the metrics of the interval, from those of its windows, and log what was not imputed."""
    parts = list(counts)
    varying = sum(part["variants"] for part in parts)
    left_out = {part["window"]: part["left_out"] for part in parts if part["left_out"]}
    for window, reason in left_out.items():
        say(f"{window}: not imputed, calls are kept: {reason}")
    return {
        "panel_haplotypes": panel.haplotypes,
        "excluded": panel.excluded,
        **{name: sum(part[name] for part in parts) for name in SUMS},
        "mean_dr2": round(sum(part["sum_dr2"] for part in parts) / varying, 4) if varying else None,
        "left_out": left_out,
    }


if __name__ == "__main__":
    sys.exit(run_program(main))
