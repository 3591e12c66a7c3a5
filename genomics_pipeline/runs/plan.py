"""What a user asks to be run, checked: pipeline, parameters, sample sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from genomics_pipeline.model.errors import CollectedProblems, UsageError, did_you_mean
from genomics_pipeline.model.parameters import Value, parse_assignments
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.tolerance import parse_tolerance
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.manifests import read_manifest
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked, wherever it is to be run.

    Attributes:
        manifest: Path or URI of a sample sheet.
        reference: Path or URI of a FASTA file.
        pipeline: A shipped pipeline's name or a pipeline file.
        parameters: ``STAGE.NAME=VALUE`` overrides.
        samples: Only these samples; all where none is named.
        tolerate: How many samples may fail, as `parse_tolerance` reads it; as the pipeline says where it is None.
    """

    manifest: str
    reference: str
    _: KW_ONLY
    pipeline: str = "germline"
    parameters: Sequence[str] = ()
    samples: Sequence[str] = ()
    tolerate: str | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A request that was checked in full: nothing is written before it exists."""

    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    overrides: Mapping[str, Mapping[str, Value]]
    samples: Sequence[Sample]
    tolerated: Mapping[str, float]


def plan(wanted: RunRequest) -> RunPlan:
    """Check the whole request.

    Raises:
        UsageError: for parameters or samples that do not exist, and for what is no tolerance.
        DataError: for a pipeline, step or sample sheet that cannot be used; all problems at once.
    """
    pipeline, steps = load_pipeline(wanted.pipeline)
    collected = CollectedProblems()
    overrides: Mapping[str, Mapping[str, Value]] = {}
    samples: Sequence[Sample] = ()
    tolerated: Mapping[str, float] = pipeline.maps["sample"].tolerance()
    with collected.check():
        overrides = parse_assignments(wanted.parameters, pipeline, str(Path.cwd()))
    with collected.check():
        samples = _chosen(read_manifest(wanted.manifest), wanted.samples)
    with collected.check():
        tolerated = tolerated if wanted.tolerate is None else parse_tolerance(wanted.tolerate)
    collected.refuse()
    return RunPlan(pipeline, steps, overrides, samples, tolerated)


def _chosen(samples: Sequence[Sample], names: Sequence[str]) -> Sequence[Sample]:
    known = [sample.sample for sample in samples]
    for name in names:
        if name not in known:
            raise UsageError(f"--sample {name}: no such sample in the manifest; {did_you_mean(name, known)}")
    return [sample for sample in samples if sample.sample in names] if names else samples
