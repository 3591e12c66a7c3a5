"""The plan of a run: its pipeline, parameters and samples, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from genomics_pipeline.model.errors import CollectedProblems, UsageError, did_you_mean
from genomics_pipeline.model.overrides import parse_assignments
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.manifests import read_manifest
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The arguments of a run, wherever it runs.

    Attributes:
        manifest: Path or URI of a sample sheet.
        reference: Path or URI of a FASTA file.
        pipeline: A shipped pipeline's name or a pipeline file.
        parameters: ``STAGE.NAME=VALUE`` overrides.
        samples: The samples to run; all where none is named.
        tolerated: How many samples may fail, ``percentage`` and ``count``; as the pipeline has it where it is None.
    """

    manifest: str
    reference: str
    _: KW_ONLY
    pipeline: str = "germline"
    parameters: Sequence[str] = ()
    samples: Sequence[str] = ()
    tolerated: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A request that was checked in full."""

    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    overrides: Mapping[str, Mapping[str, Value]]
    samples: Sequence[Sample]
    tolerated: Mapping[str, float]


def plan(request: RunRequest) -> RunPlan:
    """Return the plan of a request.

    Raises:
        UsageError: for parameters or samples that do not exist.
        DataError: for a pipeline, step or sample sheet that cannot be used; all problems at once.
    """
    pipeline, steps = load_pipeline(request.pipeline)
    collected = CollectedProblems()
    overrides: Mapping[str, Mapping[str, Value]] = {}
    samples: Sequence[Sample] = ()
    with collected.check():
        overrides = parse_assignments(request.parameters, pipeline, str(Path.cwd()))
    with collected.check():
        samples = _chosen(read_manifest(request.manifest), request.samples)
    collected.refuse()
    tolerated = pipeline.maps["sample"].tolerance() if request.tolerated is None else request.tolerated
    return RunPlan(pipeline, steps, overrides, samples, tolerated)


def _chosen(samples: Sequence[Sample], names: Sequence[str]) -> Sequence[Sample]:
    known = [sample.sample for sample in samples]
    for name in names:
        if name not in known:
            raise UsageError(f"--sample {name}: no such sample in the manifest; {did_you_mean(name, known)}")
    return [sample for sample in samples if sample.sample in names] if names else samples
