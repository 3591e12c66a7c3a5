"""Checks of the files that the user gave for a run on AWS: on S3, on web servers, and their content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.model.errors import CollectedProblems, Problem
from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.tolerance import is_accepted
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.alignment_checks import (
    FileProblem,
    alignment_files,
    header_problems,
    reference_digests,
    reference_problems,
)
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.aws.disk import disk_problems, gvcf_disk_problems
from genomics_pipeline.runs.aws.reference import AwsReference
from genomics_pipeline.runs.given_files import RequiredFile, parameter_files, parameter_problems, reads
from genomics_pipeline.runs.gvcf_checks import gvcf_files, gvcf_problems
from genomics_pipeline.runs.plan import RunInputs


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """The files that the user gave for a run.

    Attributes:
        planned: The plan of the run.
        sheet: The path or URI of the sample sheet, for messages.
        accepted: The greatest ``percentage`` and ``count`` of samples that may be missing; None for none.
        deployment: The deployed stack.
        reference: The reference; None for one that cannot be used: nothing is compared with it.
        adapters: The store and the clients that read the files.
    """

    planned: RunInputs
    sheet: str
    accepted: Mapping[str, float] | None
    deployment: Deployment
    reference: AwsReference | None
    adapters: Adapters

    @property
    def contigs(self) -> dict[str, int]:
        """The length of each contig of the reference, by name."""
        return {} if self.reference is None else dict(self.reference.contigs)

    def check(self, collected: CollectedProblems) -> list[str]:
        """Add the problems of all files, and return the warnings."""
        warnings: list[str] = []
        samples, clients = self.planned.samples, self.adapters.clients
        with collected.check():
            aligned = sum(1 for sample in samples if sample.gvcf is None)
            lacking, problems = accepted_problems(list(self._read_problems()), self.accepted, aligned)
            warnings += lacking
            collected.add(problems)
            warnings += aws_files.region_warnings(samples, self.deployment.region, clients)
        with collected.check():
            collected.add(self._gvcf_problems())
        with collected.check():
            files = parameter_files(self.planned.pipeline, self.planned.overrides)
            collected.add(self._parameter_problems(files))
        return warnings

    def _read_problems(self) -> Iterator[FileProblem]:
        """Yield the problems of reads: those of S3, then those of content and disk of files that can be read."""
        samples, store, sheet = self.planned.samples, self.adapters.store, without_secrets(self.sheet)
        sizes: dict[str, int] = {}
        unusable = dict(aws_files.file_problems(reads(samples), self.deployment.bucket, self.adapters.clients, sizes))
        yield from unusable.items()
        files = [file for file in alignment_files(samples) if file not in unusable]
        yield from header_problems(files, sheet, store)
        if self.reference is not None and files:
            digests = reference_digests(str(self.reference.local or self.reference.uri), store)
            yield from reference_problems(files, sheet, store, self.contigs, digests)
        yield from disk_problems(samples, self.planned.pipeline, sizes, sheet)

    def _parameter_problems(self, files: Iterable[tuple[RequiredFile, ParameterSpec]]) -> Iterator[Problem]:
        """Yield the problems of the files that parameters name: those of S3, then those of their content."""
        specs, samples = dict(files), [sample.sample for sample in self.planned.samples]
        unusable = dict(aws_files.file_problems(specs, self.deployment.bucket, self.adapters.clients))
        yield from unusable.values()
        usable = ((file, spec) for file, spec in specs.items() if file not in unusable)
        yield from parameter_problems(usable, self.adapters.store, self.contigs, samples=samples)

    def _gvcf_problems(self) -> Iterator[Problem]:
        """Yield the problems of given gVCFs: those of S3, or those of their content."""
        files, planned = gvcf_files(self.planned.samples), self.planned
        sizes: dict[str, int] = {}
        unusable = dict(aws_files.file_problems(files, self.deployment.bucket, self.adapters.clients, sizes))
        yield from unusable.values()
        sheet = without_secrets(self.sheet)
        if sizes and (genome_bp := sum(self.contigs.values())):
            yield from gvcf_disk_problems(planned.pipeline, list(sizes.values()), genome_bp, sheet or None)
        names = {file.sample for file in unusable}
        usable = [sample for sample in planned.samples if sample.sample not in names]
        yield from gvcf_problems(usable, planned.pipeline, sheet, self.adapters.store, self.contigs)


def accepted_problems(
    found: Sequence[FileProblem], accepted: Mapping[str, float] | None, samples: int
) -> tuple[list[str], list[Problem]]:
    """Return the problems of reads as warnings, if the user accepts that their samples are missing, else as problems.

    Args:
        found: The files with their problems.
        accepted: See `GivenFiles`.
        samples: The number of all samples.
    """
    problems = [problem for _, problem in found]
    names = {file.sample for file, _ in found}
    if names and len(names) < samples and is_accepted(accepted, len(names), samples):
        return [f"{problem}; the sample will fail" for problem in problems], []
    return [], problems
