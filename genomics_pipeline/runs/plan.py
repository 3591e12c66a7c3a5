"""The inputs of a run: its pipeline, parameters and samples, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.accession import ENA
from genomics_pipeline.model.errors import CollectedProblems, DataError, Problem, UsageError, did_you_mean
from genomics_pipeline.model.metric_bounds import StageBounds, merge_bounds, parse_bound_assignments
from genomics_pipeline.model.overrides import parse_assignments
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.params_file import ParamsFile, parse_params_file
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.rerun import merge_parameters
from genomics_pipeline.model.run_options import REGIONS, SUBSAMPLE
from genomics_pipeline.model.sample import NORMAL, Sample
from genomics_pipeline.model.secrets import refuse_password, without_secrets
from genomics_pipeline.model.tolerance import map_run_limit
from genomics_pipeline.records.earlier_packed import NOTHING_PACKED, EarlierPacked
from genomics_pipeline.runs.accessions import Runs, with_runs
from genomics_pipeline.runs.catalog import load_pipeline, with_real_parents
from genomics_pipeline.runs.given_files import format_problems, unchanged_problems
from genomics_pipeline.runs.manifests import read_manifest
from genomics_pipeline.runs.pilot import pilot_notes
from genomics_pipeline.runs.untrimmed import untrimmed_notes
from genomics_pipeline.stores.bounded_file import read_bounded_text
from genomics_pipeline.stores.real_parents import follow_parents
from genomics_pipeline.worker.step_folder import StepFolder


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The arguments of a run, in a folder or on AWS.

    Attributes:
        manifest: The path or URI of a sample sheet; empty for a run of `joined` samples alone.
        reference: The path or URI of a FASTA file.
        pipeline: The name of a shipped pipeline, or the path of a pipeline file.
        parameters: Overrides, ``STAGE.NAME=VALUE``.
        params_file: A file of overrides and bounds, which `parameters` and `bounds` precede; None for none.
        bounds: Bounds of metrics, ``STAGE.METRIC.BOUND=NUMBER``.
        regions: A BED file for each stage with a parameter for it, which the other two precede; None for none.
        subsample: The fraction of the reads to take, likewise; None for all.
        samples: The names of the samples to run; all where none is named.
        accepted: The greatest ``percentage`` and ``count`` of samples that the user accepts to miss; None for none.
        most_failures: Likewise of samples that may fail before no new ones start; None for those of the pipeline.
        joined: Samples of earlier runs, each with its gVCF, which are genotyped with those of the manifest.
        earlier: What those runs packed of their gVCFs.
        ena: The URL of ENA's portal API, which resolves accessions.
    """

    manifest: str
    reference: str
    _: KW_ONLY
    pipeline: str = "germline"
    parameters: Sequence[str] = ()
    params_file: Path | None = None
    bounds: Sequence[str] = ()
    regions: str | None = None
    subsample: str | None = None
    samples: Sequence[str] = ()
    accepted: Mapping[str, float] | None = None
    most_failures: Mapping[str, float] | None = None
    joined: Sequence[Sample] = ()
    earlier: EarlierPacked = NOTHING_PACKED
    ena: str = ENA


@dataclass(frozen=True, slots=True)
class RunInputs:
    """A request after all checks.

    Attributes:
        pipeline: The pipeline, with the bounds of the run.
        steps: The folders of its steps by name.
        overrides: The overridden parameters by stage and name.
        samples: The samples to run.
        tolerated: The greatest ``percentage`` and ``count`` of samples that may fail before no new ones start.
        bounds: The bounds of metrics that the run has in place of the pipeline's.
        warnings: What is not used of the sample sheet, or of the reads.
        earlier: What earlier runs packed of the gVCFs of samples.
    """

    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    overrides: Mapping[str, Mapping[str, Value]]
    samples: Sequence[Sample]
    tolerated: Mapping[str, float]
    bounds: StageBounds = field(default_factory=dict)
    warnings: Sequence[str] = ()
    earlier: EarlierPacked = NOTHING_PACKED

    @property
    def stages_that_run(self) -> Pipeline:
        """The pipeline without the optional stages that the run leaves out."""
        return self.pipeline.of_run(self.overrides)

    @property
    def parts(self) -> int:
        """The number of parts of the manifest: see `MapSettings.parts`."""
        return self.pipeline.maps["sample"].parts(sum(one.gvcf is None for one in self.samples))

    @property
    def optional(self) -> tuple[str, ...]:
        """The optional stages that run."""
        return self.pipeline.optional_stages(self.overrides)


def refuse_over_records(pipeline: Pipeline) -> None:
    """Refuse a pipeline over records for a run over samples.

    Raises:
        UsageError: for such a pipeline.
    """
    if pipeline.over_records:
        expected = f"expected neither --reference nor --genome for {pipeline.name}, a pipeline over records"
        raise UsageError(f"{expected}; found one of them, or `plan` without --records")


def plan(request: RunRequest, known: Mapping[str, Runs] | None = None) -> RunInputs:
    """Check a request and return its plan.

    Args:
        request: The arguments of the run.
        known: The runs of accessions that were resolved before, which are not asked for again.

    Raises:
        UsageError: for parameters or samples that do not exist, and required parameters without a value.
        DataError: for a pipeline, step or sample sheet that cannot be used; all problems at once.
    """
    pipeline, steps = load_pipeline(request.pipeline)
    refuse_over_records(pipeline)
    collected = CollectedProblems()
    overrides: Mapping[str, Mapping[str, Value]] = {}
    bounds: StageBounds = {}
    samples: Sequence[Sample] = ()
    warnings: list[Problem] = []
    with collected.check():
        given = given_overrides(request, pipeline)
        overrides, bounds = with_real_parents(given.values, pipeline), given.bounds
        if lacking := pipeline.lacking_values(overrides):
            raise UsageError([Problem(message) for message in lacking])
    with collected.check():
        refuse_password(request.reference, "--reference")
    with collected.check():
        found = _samples_of_sheet(request, warnings, known or {})
        samples = [*found, *request.joined]
        collected.add(_repeated_samples(samples))
        collected.add(format_problems(samples, pipeline, without_secrets(request.manifest)))
        collected.add(unchanged_problems(samples, pipeline, overrides, without_secrets(request.manifest)))
        collected.add(_tumours(samples, pipeline, without_secrets(request.manifest)))
    collected.refuse()
    aligned = sum(1 for sample in samples if sample.gvcf is None)
    limit = request.most_failures or pipeline.maps["sample"].tolerance(aligned)
    tolerated = map_run_limit(limit, request.accepted, aligned)
    notes = [*pilot_notes(samples, pipeline, overrides), *untrimmed_notes(samples, pipeline, overrides)]
    pipeline = pipeline.with_bounds(bounds)
    notes = [*map(str, warnings), *notes]
    return RunInputs(pipeline, steps, overrides, samples, tolerated, bounds, notes, request.earlier)


def _samples_of_sheet(request: RunRequest, warnings: list[Problem], known: Mapping[str, Runs]) -> Sequence[Sample]:
    """Return the chosen samples of the sheet; none where there is no sheet.

    Args:
        request: The arguments of the run.
        warnings: Takes what is not used of the sheet.
        known: The runs of accessions that were resolved before.

    Raises:
        UsageError: without sheet and samples of earlier runs, or for samples that the sheet does not have.
        DataError: for a sheet that cannot be used.
    """
    if not request.manifest:
        if not request.joined:
            raise UsageError("SHEET: expected a sample sheet, or --joint-with RUN for the gVCFs of a run; found none")
        return _select([], request.samples)
    chosen = _select(read_manifest(request.manifest, warnings.append), request.samples)
    return with_runs(chosen, without_secrets(request.manifest), request.ena, known)


def _tumours(samples: Sequence[Sample], pipeline: Pipeline, sheet: str) -> Iterator[Problem]:
    """Yield a problem for each tumour in a pipeline of germline variants.

    Args:
        samples: The samples.
        pipeline: The pipeline.
        sheet: The path or URI of the sheet, for messages.
    """
    for sample in samples:
        if pipeline.germline and sample.status != NORMAL:
            expected = f"expected status {NORMAL} (normal) for germline variants (pipeline {pipeline.name})"
            advice = (
                "its calls assume one or two copies in all cells, and the cohort is genotyped with it: leave it out "
                f"(--sample names the others) and call it with a somatic caller, or set status to {NORMAL} to call it "
                "as a person's own genome"
            )
            yield Problem(
                f"{sample.sample}: {expected}, found {sample.status} (tumour); {advice}", sheet, sample.line, "status"
            )


def _repeated_samples(samples: Sequence[Sample]) -> Iterator[Problem]:
    """Yield a problem for each sample of an earlier run whose name another sample has."""
    names: set[str] = set()
    for sample in samples:
        if sample.sample in names:
            message = f"expected samples of earlier runs beside those of the sheet, found {sample.sample} twice"
            yield Problem(f"--joint-with: {message}, the second with {sample.gvcf}; leave it out of the sheet")
        names.add(sample.sample)


def given_overrides(request: RunRequest, pipeline: Pipeline) -> ParamsFile:
    """Return the overrides of the run's options, in place of them those of the file of parameters, and of --param.

    Raises:
        UsageError: if only the command line is wrong.
        DataError: for a file that cannot be used; with all problems of both.
    """
    collected = CollectedProblems()
    of_file = ParamsFile()
    given: dict[str, dict[str, Value]] = {}
    bounds: StageBounds = {}
    of_options: dict[str, dict[str, Value]] = {}
    for option, text in ((REGIONS, request.regions), (SUBSAMPLE, request.subsample)):
        with collected.check():
            if text is not None:
                of_options = merge_parameters(of_options, option.overrides(text, pipeline, str(Path.cwd())))
    with collected.check():
        of_file = _of_file(request.params_file, pipeline)
    with collected.check():
        given = parse_assignments(request.parameters, pipeline, str(Path.cwd()))
    with collected.check():
        stages = pipeline.with_bounds(of_file.bounds).stages
        bounds = parse_bound_assignments(request.bounds, {stage.name: stage.step for stage in stages})
    collected.refuse()
    values = merge_parameters(merge_parameters(of_options, of_file.values), given)
    return ParamsFile(values, merge_bounds(of_file.bounds, bounds))


def _of_file(file: Path | None, pipeline: Pipeline) -> ParamsFile:
    if file is None:
        return ParamsFile()
    name = follow_parents(str(file.absolute()))
    try:
        text = read_bounded_text(Path(name), budgets.TOML_SIZE)
    except OSError as error:
        raise DataError(f"--params-file {name}: expected a file that can be read: {error.strerror}") from None
    return parse_params_file(text, file=name, pipeline=pipeline)


def _select(samples: Sequence[Sample], names: Sequence[str]) -> Sequence[Sample]:
    known = [sample.sample for sample in samples]
    for name in names:
        if name not in known:
            raise UsageError(f"--sample {name}: no such sample in the manifest; {did_you_mean(name, known)}")
    return [sample for sample in samples if sample.sample in names] if names else samples
