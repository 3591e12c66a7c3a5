"""The arguments of `plan`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.planning.what_if import SWITCHES
from genomics_pipeline.prices.load import SHIPPED_REGION
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.plan import RunRequest

QUOTAS = ("child_starts", "submit_job", "spot_vcpus", "on_demand_vcpus")
RATES = ("host_lost", "tool_error")
ALL_SWITCHES = "naive"
MOST_GIGABYTES = 100_000
ZERO = frozenset({"on_demand_vcpus", *RATES})  # of which there may be none


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


def numbers(option: str, assignments: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Return the numbers of ``NAME=NUMBER`` arguments by name.

    Args:
        option: The option, for messages.
        assignments: The arguments.
        names: The names that there are.

    Raises:
        UsageError: with all problems.
    """
    numbers, problems = dict[str, float](), []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or name not in names:
            advice = did_you_mean(name, names)
            problems.append(Problem(f"{option} {assignment}: expected NAME=NUMBER, found no such name; {advice}"))
            continue
        try:
            numbers[name] = float(text)
        except ValueError:
            numbers[name] = math.nan
        least = "0 or more" if name in ZERO else "more than 0"
        is_valid = math.isfinite(numbers[name]) and (numbers[name] > 0 or (name in ZERO and numbers[name] == 0))
        if not is_valid or (name == "tool_error" and numbers[name] > 1):
            expected = "0 to 1" if name == "tool_error" else least
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
