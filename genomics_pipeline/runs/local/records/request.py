"""The arguments of a run over records on this machine, and their checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import CollectedProblems, Problem, UsageError
from genomics_pipeline.model.overrides import assignments
from genomics_pipeline.model.parameters import Value, absolute_uri
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.record_source import SHEET, VCF
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.model.step import RECORD
from genomics_pipeline.model.tolerance import map_run_limit, parse_most_failures, tolerance_words
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.local_run import RunArguments
from genomics_pipeline.runs.catalog import absolute_name, load_pipeline, with_real_parents
from genomics_pipeline.runs.local.records.place import FoundRecords, find_records
from genomics_pipeline.runs.plan import RunRequest, given_overrides
from genomics_pipeline.runs.record_files import record_file_problems
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.real_parents import follow_parents
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.worker.step_folder import StepFolder

_EXPECTED = {SHEET: "a sample sheet", VCF: "a VCF or BCF file that bgzip compressed, with its index"}


@dataclass(frozen=True, slots=True)
class RecordRunRequest:
    """The arguments of a run over records on this machine.

    Attributes:
        records: The path or URI of the records.
        pipeline: The name of a shipped pipeline, or the path of a pipeline file.
        out: The folder of the run.
        parameters: Overrides, ``STAGE.NAME=VALUE``.
        params_file: A file of overrides, which `parameters` precede; None for none.
        accepted: The greatest ``percentage`` and ``count`` of records that the user accepts to miss; None for none.
        most_failures: Likewise of records that may fail before no new ones start; None for those of the pipeline.
        resume: Whether to resume an interrupted execution of the same run.
        containers: `ENGINE` where each environment of a function is a container of its step's image; empty otherwise.
    """

    records: str
    pipeline: str
    out: Path
    _: KW_ONLY
    parameters: Sequence[str] = ()
    params_file: Path | None = None
    accepted: Mapping[str, float] | None = None
    most_failures: Mapping[str, float] | None = None
    resume: bool = False
    containers: str = ""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """A request after all checks.

    Attributes:
        pipeline: The pipeline.
        steps: The folders of its steps by name.
        overrides: The overridden parameters by stage and name.
        found: The records.
        tolerated: The greatest ``percentage`` and ``count`` of records in failed batches before no new ones start.
        arguments: The arguments that a rerun needs.
    """

    pipeline: Pipeline
    steps: Mapping[str, StepFolder]
    overrides: Mapping[str, Mapping[str, Value]]
    found: FoundRecords
    tolerated: Mapping[str, float]
    arguments: RunArguments


def check_records_request(request: RecordRunRequest, folder: RunFolder, store: RoutedStore) -> RecordPlan:
    """Check the arguments and files of a run over records, and return its plan.

    Args:
        request: The arguments.
        folder: The folder of the run.
        store: The store of the files.

    Raises:
        UsageError: if only the command line is wrong.
        DataError: with all problems.
    """
    pipeline, steps = load_pipeline(request.pipeline)
    collected, overrides, found = CollectedProblems(), dict[str, Mapping[str, Value]](), None
    given = RunRequest(
        request.records,
        "",
        pipeline=request.pipeline,
        parameters=request.parameters,
        params_file=request.params_file,
    )
    with collected.check():
        overrides = with_real_parents(given_overrides(given, pipeline).values, pipeline)
        if lacking := pipeline.lacking_values(overrides):
            raise UsageError([Problem(message) for message in lacking])
    with collected.check():
        folder.check()
        _refuse_other_run(folder, pipeline, request.records)
    with collected.check():
        if not request.records:
            expected = "a file or a folder of records, or their s3:// URI"
            expected = _EXPECTED.get(pipeline.maps[RECORD].source.format, expected)
            raise UsageError(f"RECORDS: expected {expected}; found none")
        settings = pipeline.maps[RECORD]
        found = find_records(request.records, settings.source, store, settings.map_runs)
    with collected.check():
        contigs = found.contigs if found else ()
        collected.add(record_file_problems(pipeline, overrides, request.records, contigs, store))
    collected.refuse()
    assert found is not None
    limit = request.most_failures or pipeline.maps[RECORD].tolerance()
    tolerated = map_run_limit(limit, request.accepted, quotas.MAP_RUN_ITEMS.value)
    return RecordPlan(pipeline, steps, overrides, found, tolerated, _arguments(request, overrides))


def _arguments(request: RecordRunRequest, overrides: Mapping[str, Mapping[str, Value]]) -> RunArguments:
    return RunArguments(
        manifest=absolute_records(request.records),
        reference="",
        pipeline=absolute_name(request.pipeline),
        parameters=tuple(assignments(overrides)),
        bounds=(),
        samples=(),
        tolerate=None if request.accepted is None else tolerance_words(request.accepted),
        max_failures=None if request.most_failures is None else tolerance_words(request.most_failures),
        containers=request.containers,
    )


def absolute_records(text: str) -> str:
    """Return the argument that names the same records from every folder."""
    return without_secrets(follow_parents(absolute_uri(text, str(Path.cwd()))))


def _refuse_other_run(folder: RunFolder, pipeline: Pipeline, records: str) -> None:
    """Refuse a folder whose run this one would replace by another.

    Raises:
        UsageError: for a run of another pipeline, or over other records.
    """
    try:
        record = folder.record()
    except UnreadableRecord:  # it is written anew
        return
    if record is None:
        return
    here = pipeline.name, absolute_records(records)
    there = record.pipeline, record.arguments.manifest
    if here != there:
        expected = (
            f"expected a new folder or a run of {here[0]} over {here[1]}, found one of {there[0]} over {there[1]}"
        )
        raise UsageError(f"--out {folder.path}: {expected}; choose another folder")


def request_of(arguments: RunArguments, folder: RunFolder, accepted: Mapping[str, float] | None) -> RecordRunRequest:
    """Return the request of a run that was started with these arguments.

    Args:
        arguments: The arguments in the record of the run.
        folder: The folder of the run.
        accepted: What the user accepts to miss.
    """
    request = RecordRunRequest(arguments.manifest, arguments.pipeline, folder.path, parameters=arguments.parameters)
    limit = None if arguments.max_failures is None else parse_most_failures(arguments.max_failures)
    return replace(request, accepted=accepted, most_failures=limit, containers=arguments.containers, resume=True)
