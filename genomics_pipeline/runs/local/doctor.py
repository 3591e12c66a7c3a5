"""Checks of an installation; the last one runs a tiny sample from FASTQ to joint VCF."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.cache import describe_cache
from genomics_pipeline.runs.catalog import load_pipeline, pipeline_names, step_names
from genomics_pipeline.worker.failure import os_error_message

LIBRARIES = ("pysam", "pybwa", "jsonata-python", "boto3")
MODULES = {"jsonata-python": "jsonata"}
LEAST_FREE_GIB = 1


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        name: The subject of the check.
        ok: Whether it passed.
        detail: A version, a number or the error.
    """

    name: str
    ok: bool
    detail: str


def check_all(
    folder: Path, adapters: Adapters, more: Mapping[str, Callable[[], str]] = MappingProxyType({})
) -> Iterator[Check]:
    """Yield the result of every check, in order; a failure does not stop the next check.

    Args:
        folder: The folder to run the sample in.
        adapters: The adapters to run the sample with.
        more: Further checks by name: each returns a detail, or raises what is wrong.
    """
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: sys.version.split()[0],
        **{name: (lambda name=name: _library_version(name)) for name in LIBRARIES},  # type: ignore[misc]
        "steps": lambda: ", ".join(step_names()),
        "pipelines": _pipelines,
        "machine": lambda: str(adapters.capacity()),
        "cache": lambda: describe_cache(adapters.cache),
        "disk": lambda: _disk(folder),
        **more,
        "one tiny sample": lambda: _run_sample(folder, adapters),
    }
    for name, check in checks.items():
        try:
            yield Check(name, True, check())
        except OSError as error:
            yield Check(name, False, os_error_message(error))
        except Exception as error:  # any error of a broken installation is a result
            yield Check(name, False, f"{type(error).__name__}: {error}")


def _library_version(name: str) -> str:
    import_module(MODULES.get(name, name))
    return version(name)


def _pipelines() -> str:
    for name in pipeline_names():
        load_pipeline(name)
    return ", ".join(pipeline_names())


def _disk(folder: Path) -> str:
    free_gib = shutil.disk_usage(folder).free >> 30
    if free_gib < LEAST_FREE_GIB:
        raise OSError(f"expected at least {LEAST_FREE_GIB} GiB free in {folder}, found {free_gib}")
    return f"{free_gib} GiB free in {folder.parent}"


def _run_sample(folder: Path, adapters: Adapters) -> str:
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.local.request import LocalRunRequest
    from genomics_pipeline.runs.local.run import run
    from genomics_pipeline.simulation.cohort import simulate

    cohort = folder / "cohort"
    simulate(cohort, samples=1, length_bp=20_000, depth=20, seed=1)
    request = LocalRunRequest(str(cohort / "cohort.csv"), str(cohort / "reference.fa"), folder / "run")
    with ProgressDisplay(quiet=True) as display:
        summary = run(request, adapters, display)
    if summary.status != "SUCCEEDED":
        raise RuntimeError(summary.error)
    return f"FASTQ to joint VCF in {summary.seconds} s"
