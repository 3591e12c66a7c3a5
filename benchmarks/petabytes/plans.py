"""The plans of `docs/petabytes.md`, each as `genomics-pipeline plan` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.planning.limits import Usage
from genomics_pipeline.planning.plan import Plan
from genomics_pipeline.runs.catalog import load_pipeline, shipped_folder
from genomics_pipeline.runs.estimate import estimate
from genomics_pipeline.runs.plan_request import PlanRequest

PIPELINE = "germline-single"  # for samples that arrive continuously
DAYS = 30
AMPLE_VCPUS = 1_000_000

FAULTS = {
    "storm": '[[faults]]\nclass = "host_lost"\nshare = 0.5\ntimes = 2\n',
    "throttled": '[[faults]]\nclass = "throttled"\ntimes = 5\n',
    "reference": '[[faults]]\nclass = "bad_input"\nstage = "alignment"\nalways = true\n',
}


@dataclass(frozen=True)
class Volume:
    """Genomes of one size that a month has.

    Attributes:
        genomes: Their number.
        gigabytes: The size of each, in 10^9 bytes.
    """

    genomes: int
    gigabytes: float

    def __str__(self) -> str:
        return f"{self.genomes:,} of {self.gigabytes:g} GB"


class Planner:
    """Plans of volumes, whose numbers of genomes and vCPUs are divided by a scale for quick tests.

    Args:
        scale: By what they are divided.
        folder: A folder for files of faults and pipelines.
    """

    def __init__(self, scale: int, folder: Path) -> None:
        self._scale, self._folder = scale, folder
        self._adapters = replace(adapters(), environment={}, home=None)  # shipped prices only

    @cached_property
    def vcpus(self) -> Mapping[str, int]:
        """The vCPUs of each stage's job."""
        pipeline, _ = load_pipeline(PIPELINE)
        return {stage.name: stage.step.resources.vcpus for stage in pipeline.stages}

    def plan(self, volume: Volume, vcpus: int, **options: Any) -> Plan:
        """Return a plan.

        Args:
            volume: The genomes.
            vcpus: MaxVcpus of Spot hosts, and of On-Demand hosts.
            options: Further members of `PlanRequest`.
        """
        least = max(self.vcpus.values())
        return estimate(
            PlanRequest(
                samples=max(10, volume.genomes // self._scale),
                gigabytes=volume.gigabytes,
                max_vcpus=max(least, vcpus // self._scale),
                **{"pipeline": PIPELINE, **options},
            ),
            self._adapters,
            lambda line: None,
        )

    def faults(self, name: str) -> Path:
        """Return a file of faults for `--inject`."""
        file = self._folder / f"{name}.toml"
        file.write_text("seed = 1\n" + FAULTS[name])
        return file

    def pipeline(self, name: str, settings: str) -> str:
        """Return a copy of the pipeline's file with other settings of its map over samples.

        Args:
            name: The name of the file.
            settings: Lines of TOML, in place of the tolerated failures.
        """
        text = (shipped_folder("pipelines") / f"{PIPELINE}.toml").read_text()
        file = self._folder / f"{name}.pipeline.toml"
        kept = [line for line in text.splitlines() if not line.startswith("tolerated_failure_")]
        file.write_text("\n".join(kept).replace("[maps.sample]", f"[maps.sample]\n{settings}"))
        return str(file)


def vcpu_hours(plan: Plan, vcpus: Mapping[str, int]) -> float:
    """Return the vCPU hours of all attempts of a plan."""
    return sum(one.attempts * one.job_s * vcpus[one.stage] for one in plan.timeline) / 3600


def usage(plan: Plan, name: str) -> Usage:
    """Return the use of a limit."""
    return next(one for one in plan.usages if one.name == name)


def dollars(plan: Plan, *names: str) -> float:
    """Return the dollars of a plan, of the lines that begin with one of some names, or of all."""
    return sum(one.dollars for one in plan.costs if not names or one.name.startswith(names))


def scratch_planner(scale: int) -> tuple[Planner, TemporaryDirectory[str]]:
    """Return a planner, and the folder of its files, which exists as long as it is held."""
    folder = TemporaryDirectory(prefix="petabytes-")
    return Planner(scale, Path(folder.name)), folder
