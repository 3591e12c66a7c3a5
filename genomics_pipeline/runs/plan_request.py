"""The arguments of `plan`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from genomics_pipeline.aws.template.parameters import DEFAULT_ARCHITECTURE
from genomics_pipeline.model import quotas
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.faults import Faults
from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.planning.injection import check_faults
from genomics_pipeline.planning.what_if import SWITCHES
from genomics_pipeline.prices.load import SHIPPED_REGION
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.faults.injector import read_faults
from genomics_pipeline.runs.plan import RunInputs, RunRequest

# The least value of each number; of calls in a second less than one would make a run of years.
QUOTAS: Mapping[str, float] = {"child_starts": 1, "submit_job": 1, "spot_vcpus": 1, "on_demand_vcpus": 0}
RATES: Mapping[str, float] = {"host_lost": 0, "tool_error": 0}
ALL_SWITCHES = "naive"
MOST_GIGABYTES = 100_000
SHARES = frozenset({"tool_error"})  # which are 1 at most


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """The arguments of a plan.

    Attributes:
        manifest: The path or URI of a sample sheet; empty for a number of samples.
        samples: The number of samples, where there is no sheet.
        gigabytes: The size of a sample's FASTQ files, or of its gVCF for a pipeline that takes these, in 10^9 bytes.
        reference: The path or URI of a FASTA file; None for a human genome.
        pipeline: The name of a shipped pipeline, or the path of a pipeline file.
        parameters: Overrides, ``STAGE.NAME=VALUE``.
        regions: A BED file, as of `run`.
        max_vcpus: MaxVcpus of the stack; None for the default.
        quotas: ``NAME=NUMBER`` for each of `QUOTAS` that differs.
        rates: ``NAME=NUMBER`` for each of `RATES` that differs.
        calibration: A file of rates in place of the shipped ones.
        history: Earlier runs to learn from: folders, URIs or names.
        stack: The stack of the runs that have names.
        region: The Region of the prices.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.
        map_runs: The Map Runs that divide the samples among them; None for the pipeline's.
        most_failures: The samples that may fail before no new ones start, as ``percentage`` and ``count``; None for
            those of the pipeline.
        inject: A file of faults, as of `run --inject`; None for none.
        architecture: The processors of the hosts.
        arriving_days: The days over which the samples arrive evenly, each a run of its own; None for one run of all.
        what_if: The names of choices to price: `planning.what_if.SWITCHES`, or ``naive`` for all of them.
    """

    manifest: str = ""
    _: KW_ONLY
    samples: int | None = None
    gigabytes: float | None = None
    reference: str | None = None
    pipeline: str = "germline"
    parameters: Sequence[str] = ()
    regions: str | None = None
    max_vcpus: int | None = None
    quotas: Sequence[str] = ()
    rates: Sequence[str] = ()
    calibration: Path | None = None
    history: Sequence[str] = ()
    stack: str = DEFAULT_STACK
    region: str = SHIPPED_REGION
    what_if: Sequence[str] = ()
    max_concurrency: int | None = None
    map_runs: int | None = None
    most_failures: Mapping[str, float] | None = None
    inject: Path | None = None
    architecture: Architecture = DEFAULT_ARCHITECTURE
    arriving_days: float | None = None


def check_size(request: PlanRequest) -> None:
    """Refuse sizes that make no cohort.

    Raises:
        UsageError: with all problems.
    """
    if not request.manifest and (request.samples is None or request.gigabytes is None):
        raise UsageError("expected a sample sheet, or --samples N with --gigabytes G; found neither")
    if request.manifest and request.samples is not None:
        raise UsageError("expected a sample sheet or --samples, found both")
    problems = []
    most, samples, size = quotas.MAP_RUN_ITEMS.value, request.samples, request.gigabytes
    if samples is not None and not 1 <= samples <= most:
        problems.append(Problem(f"--samples: expected 1 to {most:,} samples, found {samples:,}"))
    if size is not None and not (math.isfinite(size) and 0 < size <= MOST_GIGABYTES):
        problems.append(Problem(f"--gigabytes: expected more than 0 and at most {MOST_GIGABYTES:,}, found {size:g}"))
    if problems:
        raise UsageError(problems)


def numbers(option: str, assignments: Sequence[str], least: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers of ``NAME=NUMBER`` arguments by name.

    Args:
        option: The option, for messages.
        assignments: The arguments.
        least: The least value of each of the names that there are.

    Raises:
        UsageError: with all problems.
    """
    numbers, problems = dict[str, float](), []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or name not in least:
            advice = did_you_mean(name, list(least))
            problems.append(Problem(f"{option} {assignment}: expected NAME=NUMBER, found no such name; {advice}"))
            continue
        try:
            numbers[name] = float(text)
        except ValueError:
            numbers[name] = math.nan
        most = 1 if name in SHARES else math.inf
        if not (math.isfinite(numbers[name]) and least[name] <= numbers[name] <= most):
            expected = f"{least[name]:g} to {most}" if name in SHARES else f"{least[name]:g} or more"
            problems.append(Problem(f"{option} {assignment}: expected {expected}, found {text!r}"))
    if problems:
        raise UsageError(problems)
    return numbers


def run_request(request: PlanRequest) -> RunRequest:
    """Return the request that is checked as that of a run; one sample stands for a number of them.

    Raises:
        DataError: for a pipeline that cannot be used.
    """
    joined: list[Sample] = []
    if not request.manifest:
        takes_gvcfs = load_pipeline(request.pipeline)[0].takes_gvcfs_only
        joined = [_typical_sample(takes_gvcfs)]
    return RunRequest(
        request.manifest,
        request.reference or "",
        pipeline=request.pipeline,
        parameters=request.parameters,
        regions=request.regions,
        joined=joined,
    )


def _typical_sample(takes_gvcfs: bool) -> Sample:
    """Return a sample with names of a usual length."""
    name, folder = "SAMPLE0000001", "s3://my-reads-0123456789/project/flowcell"
    if takes_gvcfs:
        return Sample(name, name, "NA", 0, (), f"{folder}/{name}.g.vcf.gz")
    lane = Lane("L001", f"{folder}/{name}_S1_L001_R1_001.fastq.gz", f"{folder}/{name}_S1_L001_R2_001.fastq.gz")
    return Sample(name, name, "NA", 0, (lane,))


def switches(names: Sequence[str]) -> tuple[str, ...]:
    """Return the choices of ``--what-if`` in the order of the table.

    Raises:
        UsageError: with all names that there are not.
    """
    known = [*SWITCHES, ALL_SWITCHES]
    unknown = [name for name in names if name not in known]
    if unknown:
        messages = (f"--what-if {name}: no such choice; {did_you_mean(name, known)}" for name in unknown)
        raise UsageError([Problem(message) for message in messages])
    return tuple(name for name in SWITCHES if name in names or ALL_SWITCHES in names)


def with_map_runs(planned: RunInputs, map_runs: int | None) -> RunInputs:
    """Return a plan whose pipeline divides the samples among a number of Map Runs; None for the pipeline's own."""
    if map_runs is None:
        return planned
    pipeline = planned.pipeline
    sample = replace(pipeline.maps["sample"], map_runs=map_runs)
    return replace(planned, pipeline=replace(pipeline, maps={**pipeline.maps, "sample": sample}))


def planned_faults(request: PlanRequest, planned: RunInputs) -> Faults | None:
    """Return the faults of the request's file; None without one.

    Raises:
        DataError: with all problems of the file, among them classes that a plan does not simulate.
    """
    if request.inject is None:
        return None
    faults = read_faults(request.inject, planned)
    check_faults(faults)
    return faults


def arrival_s(request: PlanRequest, planned: RunInputs) -> float:
    """Return the seconds between the arrivals of two samples; 0 for one run of all.

    Raises:
        UsageError: for a pipeline in which samples do not end one by one.
    """
    if request.arriving_days is None:
        return 0.0
    later = [stage.name for stage in planned.stages_that_run.stages if stage.scope != "sample"]
    if later or planned.pipeline.maps["sample"].is_batched:
        found = f"{later[0]} of {planned.pipeline.name}, which waits for all" if later else "batches"
        raise UsageError(
            f"--arriving-days: expected a pipeline of stages over single samples, found {found}; "
            "for example --pipeline germline-single"
        )
    return request.arriving_days * 86_400 / (request.samples or max(1, len(planned.samples)))
