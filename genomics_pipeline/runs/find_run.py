"""Runs by the argument RUN of a command: a folder, an ``s3://bucket/runs/<run>/`` URI, or a name in the stack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from genomics_pipeline.aws.deployment import find_deployment
from genomics_pipeline.aws.run_names import run_names
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.aws_run import AwsRunRecord
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.backend import AwsBackend
from genomics_pipeline.runs.aws.bucket_run import BucketRun
from genomics_pipeline.runs.aws.records.backend import RecordAwsBackend, is_record_run
from genomics_pipeline.runs.aws.run import AwsRun, read_record, run_place
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.local.backend import FolderBackend
from genomics_pipeline.runs.local.records.backend import RecordFolderBackend, is_over_records
from genomics_pipeline.runs.readable_run import ReadableRun, VerifiableRun
from genomics_pipeline.runs.record_run import RecordRun
from genomics_pipeline.runs.run_folder import RunFolder, is_run
from genomics_pipeline.stores.protocol import MissingObject, Store

RUN_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{quotas.EXECUTION_NAME.value}}}")  # also the name of the execution
URI_EXPECTED = f"s3://bucket/{run_layout.run_prefix('NAME')}"
URI = re.compile(rf"s3://(?P<bucket>[^/]+)/(?P<prefix>{run_layout.RUNS}(?P<name>{RUN_NAME.pattern}))/?")
COMPARED = 1000  # names with the same beginning that a misspelt name is compared with


def find_run(text: str, stack: str, adapters: Adapters) -> RunBackend:
    """Return the run that an argument RUN names.

    Args:
        text: The argument.
        stack: The stack in which a name is looked up; the record of a run at a URI names its stack.
        adapters: The clients and the store to read runs with.

    Raises:
        UsageError: if the argument cannot be the name of a run.
        RunError: if there is no such run, with the most similar name; or if AWS cannot be reached.
    """
    if text.startswith("s3://"):
        return _on_aws(_run_at(text, adapters))
    folder = RunFolder(Path(text))
    if is_run(folder.path):
        folder.refuse_links()
        return (RecordFolderBackend if is_over_records(folder) else FolderBackend)(folder, adapters)
    if "/" in text or folder.path.exists():
        raise RunError(f"{text}: expected a run's folder, found {_describe_path(folder.path)}")
    if not RUN_NAME.fullmatch(text):
        raise UsageError(f"{text!r}: expected a run's folder, an {URI_EXPECTED} URI or the name of a run")
    return _find_by_name(text, stack, adapters)


def find_run_over_samples(text: str, stack: str, adapters: Adapters) -> RunBackend:
    """Return a run as `find_run`, with stages and items that have records.

    Args:
        text: See `find_run`.
        stack: See `find_run`.
        adapters: See `find_run`.

    Raises:
        UsageError: see `find_run`; also for a run over records.
        RunError: see `find_run`.
    """
    run = find_run(text, stack, adapters)
    _refuse_records(run, text)
    return run


def _refuse_records(run: ReadableRun, text: str) -> None:
    if isinstance(run, RecordRun):
        raise UsageError(f"{text}: expected a run over samples, found one over records")


def find_readable(text: str, stack: str, adapters: Adapters) -> VerifiableRun:
    """Return a run to read: of a URI from its bucket alone, so that rights for S3 are enough, and no stack is needed.

    Args:
        text: See `find_run`.
        stack: See `find_run`.
        adapters: See `find_run`.

    Raises:
        UsageError: see `find_run`.
        RunError: see `find_run`.
    """
    if not text.startswith("s3://"):
        return find_run(text, stack, adapters)
    run = _run_at(text, adapters)
    return RecordAwsBackend(run) if is_record_run(run) else BucketRun(run)


def find_readable_over_samples(text: str, stack: str, adapters: Adapters) -> VerifiableRun:
    """Return a run to read as `find_readable`, with stages and items that have records.

    Args:
        text: See `find_run`.
        stack: See `find_run`.
        adapters: See `find_run`.

    Raises:
        UsageError: see `find_run`; also for a run over records.
        RunError: see `find_run`.
    """
    run = find_readable(text, stack, adapters)
    _refuse_records(run, text)
    return run


def may_be_run(text: str) -> bool:
    """Return whether an argument names a run rather than a file: a folder, a run's URI, or a name without an ending."""
    if text.startswith("s3://"):
        return URI.fullmatch(text) is not None
    path = Path(text)
    return path.is_dir() or not (path.exists() or {"/", "."} & set(text) or text == "-")


def _describe_path(path: Path) -> str:
    kind = "a file" if path.is_file() else "another folder" if path.is_dir() else "nothing there"
    siblings = path.parent.iterdir() if path.parent.is_dir() else ()
    return f"{kind}{_suggestion(path.name, (one.name for one in siblings if is_run(one)))}"


def _suggestion(name: str, known: Iterable[str]) -> str:
    similar = get_close_matches(name, list(islice(known, COMPARED)), n=1)
    return f"; did you mean '{similar[0]}'?" if similar else ""


def record_in_bucket(uri: str, store: Store) -> tuple[RunPlace, AwsRunRecord]:
    """Return the place and the record of a run on AWS by its URI; only its bucket is asked.

    Args:
        uri: The URI.
        store: The store that reads it.

    Raises:
        UsageError: for what cannot be the URI of a run.
        RunError: if there is no such run.
    """
    match = URI.fullmatch(uri)
    if match is None:
        raise UsageError(f"{uri}: expected {URI_EXPECTED}")
    place = run_place(match["name"], match["bucket"])
    try:
        return place, read_record(place, store)
    except MissingObject:
        raise RunError(f"{uri}: expected a run, found none") from None


def _run_at(uri: str, adapters: Adapters) -> AwsRun:
    place, record = record_in_bucket(uri, adapters.store)
    return AwsRun(place.name, place, adapters.clients, adapters.store, record)


def _find_by_name(name: str, stack: str, adapters: Adapters) -> RunBackend:
    clients = adapters.clients
    try:
        deployment = find_deployment(stack, clients)
    except RunError as error:
        raise RunError(f"{name}: expected a run's folder or a run of a stack: no such folder here; {error}") from None
    place = run_place(name, deployment.bucket)
    try:
        record = read_record(place, adapters.store)
    except MissingObject:
        hint = _suggestion(name, run_names(deployment, clients, name[:3])) or "; `genomics-pipeline runs` lists them"
        raise RunError(f"{name}: expected a run's folder or a run of the stack {stack}, found neither{hint}") from None
    return _on_aws(AwsRun(name, place, clients, adapters.store, record))


def _on_aws(run: AwsRun) -> RunBackend:
    return RecordAwsBackend(run) if is_record_run(run) else AwsBackend(run)
