"""A `ResourceModel` of calibrated rates: the needs of a task grow linearly with its sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.first_attempt import FirstAttempt
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.toml_file import TomlFile
from genomics_pipeline.planning.resource_model import Quantiles, TaskEstimate, TaskFeatures, UnknownStep
from genomics_pipeline.stores.bounded_file import read_bounded_text

SHIPPED = "calibration.toml"
HALF_READ = 0.3  # bytes of CRAM for each base, at about 3x: see `terms_of`
_GB = _GIGABASE = 1e9


@dataclass(frozen=True, slots=True)
class StepRates:
    """The rates of a step.

    Attributes:
        version: The version of the step that they were measured with.
        basis: What they rest on.
        core_seconds: The time on one core, by term; see `_terms`.
        serial_fraction: The share of it that does not become shorter with more cores (Amdahl's law), beside what is
            fixed.
        staging_seconds_per_gb: The time to fetch each GB of input.
        worker_seconds: The time of a task in which its program uses no core: inputs found, outputs on the disk.
        spread: p90 / p50 of the duration among tasks.
        memory_mib: The peak use of memory, by term.
        memory_spread: p90 / p50 of that.
        output_bytes: The size of the outputs, by term.
        outputs: That of each output which later stages read, by term.
    """

    version: str
    basis: str
    core_seconds: Mapping[str, float]
    serial_fraction: float
    spread: float
    memory_mib: Mapping[str, float]
    memory_spread: float
    output_bytes: Mapping[str, float]
    staging_seconds_per_gb: float = 0.0
    worker_seconds: float = 0.0
    outputs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def program_seconds(self, core_seconds: float, vcpus: float) -> float:
        """Return the duration of a program that takes a time on one core, on other cores."""
        share = self.serial_fraction + (1 - self.serial_fraction) / vcpus
        fixed = self.core_seconds.get("fixed", 0.0)
        return fixed + (core_seconds - fixed) * share


@dataclass(frozen=True, slots=True)
class Calibration:
    """The rates of steps; a `ResourceModel`.

    Attributes:
        file: The name of its file.
        date: The day of the measurements, ISO 8601.
        machine: The machine of the measurements.
        formats: The size of alignments by format, in that of CRAM.
        overheads: The bytes of alignments that do not grow with their reads, by format; see `AlignmentOverhead`.
        steps: The rates by step.
    """

    file: str
    date: str
    machine: str
    formats: Mapping[str, float]
    steps: Mapping[str, StepRates]
    overheads: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def estimate(self, step: str, features: TaskFeatures) -> TaskEstimate:
        """Return what a task of a step needs; see `ResourceModel.estimate`."""
        if (rates := self.steps.get(step)) is None:
            raise UnknownStep(step)
        core_seconds = _sum(rates.core_seconds, features)
        program_s = rates.program_seconds(core_seconds, features.vcpus)
        seconds = rates.worker_seconds + program_s + rates.staging_seconds_per_gb * features.input_bytes / _GB
        return TaskEstimate(
            _quantiles(seconds, rates.spread),
            _quantiles(core_seconds, rates.spread),
            _quantiles(_sum(rates.memory_mib, features), rates.memory_spread),
            _quantiles(_sum(rates.output_bytes, features), 1.0),
            f"{self.file} of {self.date} ({self.machine}): {rates.basis}",
            {name: _sum(terms, features) for name, terms in rates.outputs.items()},
        )

    def first_attempt(self, step: StepSpec, features: TaskFeatures) -> FirstAttempt | None:
        """Return None: rates of other data do not tell what nearly all tasks need."""

    def check(self, steps: Iterable[StepSpec], *, strictly: bool) -> None:
        """Refuse steps without rates, and rates of another version of a step.

        Args:
            steps: The steps.
            strictly: Whether another version is refused.

        Raises:
            DataError: with all problems.
        """
        problems = []
        for step in steps:
            rates = self.steps.get(step.name)
            if rates is None:
                found = f"found those of {', '.join(self.steps) or 'none'}"
                advice = "add them" if strictly else "give a file with them: --calibration FILE.toml"
                problems.append(Problem(f"expected rates of the step {step.name}, {found}; {advice}", self.file))
            elif strictly and rates.version != step.version:
                expected = f"expected rates of {step.name} {step.version}, found those of {rates.version}"
                problems.append(Problem(f"{expected}; measure them again, or set the version", self.file))
        if problems:
            raise DataError(problems)


def read_calibration(file: Path | None = None) -> Calibration:
    """Return the rates in a file, or the shipped ones.

    Raises:
        DataError: for a file that cannot be read, with all its problems.
    """
    if file is None:
        shipped = resources.files("genomics_pipeline.planning").joinpath(SHIPPED)
        return parse_calibration(shipped.read_text("utf-8"), file=SHIPPED)
    try:
        text = read_bounded_text(file, budgets.TOML_SIZE)
    except OSError as error:
        raise DataError(f"{file}: expected a file of rates that can be read: {error.strerror}") from None
    return parse_calibration(text, file=str(file))


def parse_calibration(text: str, *, file: str) -> Calibration:
    """Return the rates that a TOML file declares.

    Args:
        text: The file's text.
        file: Its name, for messages.

    Raises:
        DataError: with all problems of the file.
    """
    toml = TomlFile(text, file=file, schema="calibration")
    toml.refuse([])
    steps = {name: StepRates(**rates) for name, rates in toml.data["steps"].items()}
    formats, overheads = toml.data.get("formats", {}), toml.data.get("overheads", {})
    return Calibration(file, toml.data["date"], toml.data["machine"], formats, steps, overheads)


def terms_of(features: TaskFeatures) -> dict[str, float]:
    """Return the sizes that rates are multiplied with, by the name of the term.

    Some work on a base of the reference is done only if there are reads over it, such as on candidates of variants. It
    grows with the first reads, and no further: ``per_read_gigabase`` is of the bases times a share that is half of them
    where the input has `HALF_READ` bytes for each base, and nearly all of them at the depths of whole genomes.
    """
    gb, gigabases = features.input_bytes / _GB, features.reference_bases / _GIGABASE
    read = covered_bases(features) / _GIGABASE
    return {
        "fixed": 1.0,
        "per_gb": gb,
        "per_gigabase": gigabases,
        "per_read_gigabase": read,
        "per_sample": features.samples,
        "per_gb_gigabase": gb * gigabases,
        "per_gigabase_sample": gigabases * features.samples,
    }


def covered_bases(features: TaskFeatures) -> float:
    """Return the number of bases of the reference that reads lie over: half of them at `HALF_READ`."""
    size, bases = features.input_bytes, features.reference_bases
    return bases * size / (size + HALF_READ * bases) if size > 0 else 0.0


def _sum(rates: Mapping[str, float], features: TaskFeatures) -> float:
    terms = terms_of(features)
    return sum(rate * terms[name] for name, rate in rates.items())


def _quantiles(median: float, spread: float) -> Quantiles:
    return Quantiles(median / spread, median, median * spread)
