"""The arguments of a run on this machine, and the part of them that a rerun needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.metric_bounds import bound_assignments
from genomics_pipeline.model.overrides import assignments
from genomics_pipeline.model.parameters import absolute_uri
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.model.tolerance import tolerance_words
from genomics_pipeline.records.local_run import RunArguments
from genomics_pipeline.runs.catalog import absolute_name
from genomics_pipeline.runs.plan import RunInputs, RunRequest
from genomics_pipeline.runs.truth import TruthSet
from genomics_pipeline.stores.real_parents import follow_parents


@dataclass(frozen=True, slots=True)
class LocalRunRequest(RunRequest):
    """The arguments of a run on this machine, in addition to those of `RunRequest`.

    Attributes:
        out: The folder of the run.
        resume: Whether to resume an interrupted execution of the same run.
        truth: The truth set to score the joint VCF against; None for no scores.
        containers: The program that runs each task in a container of its step's image; empty for no containers.
        registry: The registry that Apptainer pulls the images from; empty for files in the cache.
        inject: A file of faults to inject; None for no faults.
        slurm: The options of jobs on a Slurm cluster; None to run them on this machine.
    """

    out: Path
    resume: bool = False
    truth: TruthSet | None = None
    containers: str = ""
    registry: str = ""
    inject: Path | None = None
    slurm: SlurmOptions | None = None


def run_arguments(request: LocalRunRequest, planned: RunInputs) -> RunArguments:
    """Return the arguments of a request that a rerun needs; files are absolute, so that it works from everywhere."""

    def absolute(uri: str) -> str:
        return without_secrets(follow_parents(absolute_uri(uri, str(Path.cwd()))))

    return RunArguments(
        manifest=absolute(request.manifest) if request.manifest else "",
        reference=absolute(request.reference),
        pipeline=absolute_name(request.pipeline),
        parameters=tuple(assignments(planned.overrides)),
        bounds=tuple(bound_assignments(planned.bounds)),
        samples=tuple(request.samples),
        tolerate=None if request.accepted is None else tolerance_words(request.accepted),
        max_failures=None if request.most_failures is None else tolerance_words(request.most_failures),
        containers=request.containers,
        registry=request.registry,
        slurm=request.slurm,
        others=tuple(_others(request)),
    )


def _others(request: LocalRunRequest) -> Iterator[str]:
    """Yield the options for a truth set and for injected faults."""
    truth = request.truth
    if truth is not None:
        yield from ("--truth", str(truth.vcf.absolute()))
        yield from (word for own, other in truth.samples.items() for word in ("--truth-sample", f"{own}={other}"))
        yield from ("--truth-regions", str(truth.regions.absolute())) if truth.regions else ()
    yield from ("--inject", str(request.inject.absolute())) if request.inject else ()
