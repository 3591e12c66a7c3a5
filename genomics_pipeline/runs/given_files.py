"""Files that the user gave for a run: who needs them, and their problems before the first job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.parameters import ParameterSpec, Value
from genomics_pipeline.model.pipeline import READS, Pipeline
from genomics_pipeline.model.s3_uri import object_misfit
from genomics_pipeline.model.sample import AS_ALIGNED, Sample
from genomics_pipeline.model.sheet import one_of
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.reference.annotation_vcf import vcf_problems
from genomics_pipeline.reference.bed import bed_problems
from genomics_pipeline.reference.genetic_map import genetic_map_problems
from genomics_pipeline.reference.gff3 import gff3_problems
from genomics_pipeline.reference.panel_people import people_problems
from genomics_pipeline.reference.panel_records import Bases
from genomics_pipeline.reference.panel_vcf import panel_people, panel_problems
from genomics_pipeline.reference.ploidy_file import ploidy_problems
from genomics_pipeline.stores.given_file import find_index, stat_given
from genomics_pipeline.stores.protocol import MissingObject, Store

READERS = 16  # files in S3 that are looked up at once
PORTION = 10_000  # files whose answers are kept
KINDS = {"fastq_1": "a FASTQ file", "fastq_2": "a FASTQ file", "bam": "a BAM file", "cram": "a CRAM file"}  # by column


class RequiredFile(NamedTuple):
    """A file that a run needs.

    Attributes:
        uri: The URI, or the path on this machine.
        user: The sample or the parameter that needs it, for messages.
        kind: The kind of file that is expected, for messages.
        sample: The sample that needs it; None for a parameter.
        line: The line of the sheet that names it; None where none does.
        column: The column of the sheet that names it.
        taken: The columns that are taken from it; empty for a file that is read as a whole.
        as_aligned: True for alignments that are taken as they are.
    """

    uri: str
    user: str
    kind: str
    sample: str | None = None
    line: int | None = None
    column: str | None = None
    taken: str = ""
    as_aligned: bool = False


def reads(samples: Iterable[Sample]) -> Iterator[RequiredFile]:
    """Yield the files of reads of a manifest."""
    for sample in samples:
        for lane in sample.lanes:
            user = f"sample {sample.sample}, lane {lane.lane}"
            for column, uri in lane.files:
                aligned = lane.start == AS_ALIGNED
                yield RequiredFile(uri, user, KINDS[column], sample.sample, lane.line, column, as_aligned=aligned)


def format_problems(samples: Iterable[Sample], pipeline: Pipeline, sheet: str) -> Iterator[Problem]:
    """Yield the files of reads whose format a step does not take, or all of them if the pipeline takes gVCFs only.

    Args:
        samples: The samples.
        pipeline: The pipeline.
        sheet: The path or URI of the sheet, for messages.
    """
    specs = [
        (stage.step.name, stage.step.inputs[name])
        for stage in pipeline.stages
        for name, source in stage.inputs.items()
        if source == READS
    ]
    for file in reads(samples):
        column = file.column or ""
        if pipeline.takes_gvcfs_only:
            advice = "give the sample's gVCF in the column gvcf, which the pipeline germline-single makes of reads"
            expected = f"the pipeline {pipeline.name} takes gVCFs only"
            yield Problem(f"{file.user}: {expected}, found {file.kind}; {advice}", sheet, file.line, column)
        for step, spec in specs:
            if column.partition("_")[0] not in spec.formats:
                expected = f"the step {step} takes {one_of(spec.formats)} files (formats of step.toml)"
                yield Problem(f"{file.user}: {expected}, found {file.kind}", sheet, file.line, column)
            elif file.as_aligned and not spec.as_aligned:
                expected = f"the step {step} aligns all reads (no as_aligned in step.toml)"
                yield Problem(f"{file.user}: {expected}, found a file to take as aligned", sheet, file.line, "start")


def unchanged_problems(
    samples: Iterable[Sample], pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]], sheet: str
) -> Iterator[Problem]:
    """Yield the files that are taken as aligned where a parameter would change alignments, such as that of primers.

    Args:
        samples: The samples.
        pipeline: The pipeline.
        overrides: The overridden parameters by stage and name.
        sheet: The path or URI of the sheet, for messages.
    """
    names = []
    for stage in pipeline.stages:
        values = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        specs = [spec for spec in stage.step.parameters.values() if spec.aligns]
        names += [f"{stage.name}.{spec.name}" for spec in specs if values.get(spec.name, spec.default)]
    for file in reads(samples) if names else ():
        if file.as_aligned:
            expected = f"expected reads to align with {' and '.join(names)}, found a file to take as aligned"
            yield Problem(f"{file.user}: {expected}; leave `start` empty to align its reads", sheet, file.line, "start")


def parameter_files(
    pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]
) -> Iterator[tuple[RequiredFile, ParameterSpec]]:
    """Yield each file that parameters name, once for each use, with the declaration of the first such parameter."""
    users: dict[tuple[str, str | None, str], list[str]] = {}
    specs: dict[tuple[str, str | None, str], ParameterSpec] = {}
    for stage in pipeline.stages:
        values = {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})}
        for file, spec in named_files(stage.step, values):
            use = (file.uri, spec.format, file.taken)
            users.setdefault(use, []).append(f"{stage.name}.{spec.name}")
            specs.setdefault(use, spec)
    for use, names in users.items():
        noun = "parameter" if len(names) == 1 else "parameters"
        yield RequiredFile(use[0], f"{noun} {', '.join(names)}", "a file", taken=use[2]), specs[use]


def named_files(step: StepSpec, values: Mapping[str, Value]) -> Iterator[tuple[RequiredFile, ParameterSpec]]:
    """Yield the files that parameters of a step name, with the declarations of the parameters.

    Args:
        step: The step.
        values: The values of parameters; of others, the default is taken.
    """
    for name, spec in step.parameters.items():
        value = values.get(name, spec.default)
        if spec.type == "file" and isinstance(value, str) and value:
            taken = values.get(spec.columns, step.parameters[spec.columns].default) if spec.columns else None
            yield RequiredFile(value, f"parameter {name}", "a file", taken=str(taken or "")), spec


def uri_problems(samples: Iterable[Sample], sheet: str) -> Iterator[Problem]:
    """Yield the problems of the URIs of reads in S3 by themselves, without looking for the files.

    Args:
        samples: The samples.
        sheet: The path or URI of the sheet, for messages.
    """
    for file in reads(samples):
        if message := object_misfit(file.uri):
            yield Problem(f"{file.user}: {file.uri}: {message}", sheet, file.line, file.column)


def missing_reads(samples: Iterable[Sample], sheet: str, store: Store) -> Iterator[tuple[str, Problem]]:
    """Yield each sample with a file of reads that cannot be read, and the problem, in the order of the sheet.

    Args:
        samples: The samples.
        sheet: The path or URI of the sheet, for messages.
        store: The store of the files.
    """

    def check(file: RequiredFile) -> tuple[str, Problem] | None:
        message = file_misfit(file.uri, store)
        if message is None or file.sample is None:
            return None
        return file.sample, Problem(f"{file.user}: {message}", sheet, file.line, file.column)

    files = reads(samples)
    with ThreadPoolExecutor(READERS) as readers:
        while portion := list(islice(files, PORTION)):
            if remote := next((file for file in portion if file.uri.startswith("s3://")), None):
                check(remote)  # makes the client of S3, which threads must not make at the same time
            yield from filter(None, readers.map(check, portion))


def parameter_problems(
    files: Iterable[tuple[RequiredFile, ParameterSpec]],
    store: Store,
    contigs: Mapping[str, int],
    bases: Bases | None = None,
    samples: Collection[str] = (),
) -> Iterator[Problem]:
    """Yield the problems of the files that parameters name, and of the content of those with a declared format.

    Args:
        files: The files.
        store: The store of the files.
        contigs: The length of each contig of the reference, by name; without contigs, no content is read.
        bases: Returns bases of the reference; None where they cannot be read before a run.
        samples: The names of the samples of the cohort; none where they are not known.
    """
    files = list(files)
    panels = [file.uri for file, spec in files if spec.format == "panel" and file_misfit(file.uri, store) is None]
    for file, spec in files:
        if message := file_misfit(file.uri, store) or _index_misfit(file.uri, spec, store):
            yield Problem(f"{file.user}: {message}")
        elif contigs:
            found = _content_problems(file, spec, store, contigs, bases, samples)
            if spec.format == "people":
                people = [name for uri in panels for name in panel_people(uri, store)]
                found = people_problems(file.uri, store, people, samples)
            for problem in found:
                yield Problem(f"{file.user}: {problem.message}", problem.file, problem.line)


def _index_misfit(uri: str, spec: ParameterSpec, store: Store) -> str | None:
    if not spec.indexes or find_index(uri, spec.indexes, store):
        return None
    expected = " or ".join(f"{uri}.{suffix}" for suffix in spec.indexes)
    made = ""
    if spec.format in ("vcf", "panel"):
        made = f"; sort and compress it with `bcftools sort -Oz`, then `bcftools index {uri}`"
    return f"{uri}: expected its index beside it ({expected}), found none{made}"


def _content_problems(
    file: RequiredFile,
    spec: ParameterSpec,
    store: Store,
    contigs: Mapping[str, int],
    bases: Bases | None,
    samples: Collection[str],
) -> Iterator[Problem]:
    """Yield the problems of the content of a file, by the format that its parameter declares: see `parameter_problems`.

    Args:
        file: The file.
        spec: The declaration of its parameter.
        store: The store of the files.
        contigs: The length of each contig of the reference, by name.
        bases: Returns bases of the reference.
        samples: The names of the samples of the cohort.
    """
    match spec.format:
        case "bed":
            yield from bed_problems(file.uri, store, contigs)
        case "genetic_map":
            yield from genetic_map_problems(file.uri, store, contigs)
        case "gff3":
            yield from gff3_problems(file.uri, store, contigs)
        case "panel" if index := find_index(file.uri, spec.indexes, store):
            yield from panel_problems(file.uri, index, store, contigs, bases, samples)
        case "ploidy":
            yield from ploidy_problems(file.uri, store, contigs)
        case "vcf" if index := find_index(file.uri, spec.indexes, store):
            yield from vcf_problems(file.uri, index, file.taken, store, contigs)


def file_misfit(uri: str, store: Store) -> str | None:
    """Return what is wrong with a file that a user named: the message has its name; None if it can be read."""
    try:
        stat_given(uri, store)
    except MissingObject as error:
        return str(error)
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"{uri}: expected a file that can be read, found: {error.strerror or error}"
    except Exception as error:  # of the libraries of a store
        return f"{uri}: expected a file that can be read, found: {type(error).__name__}: {error}"
    return None
