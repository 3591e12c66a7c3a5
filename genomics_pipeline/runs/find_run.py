"""RUN on the command line: a run's folder, an ``s3://bucket/runs/<run>/`` URI, or the name of a run in the stack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from genomics_pipeline.aws.clients import Clients, calling
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.aws.run_names import run_names
from genomics_pipeline.model import quotas, run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.aws_run import AwsRunRecord, read_aws_run
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.stores.protocol import MissingObject, Store
from genomics_pipeline.stores.routed import RoutedStore

RUN_NAME = re.compile(rf"[A-Za-z0-9._-]{{1,{quotas.EXECUTION_NAME.value}}}")  # also the name of the execution
URI_EXPECTED = f"s3://bucket/{run_layout.run_prefix('NAME')}"
URI = re.compile(rf"s3://(?P<bucket>[^/]+)/(?P<prefix>{run_layout.RUNS}(?P<name>{RUN_NAME.pattern}))/?")
COMPARED = 1000  # names that begin alike, among which a misspelt one is looked for


@dataclass(frozen=True, slots=True)
class LocalRun:
    """A run in a folder of this machine."""

    folder: RunFolder


@dataclass(frozen=True, slots=True)
class CloudRun:
    """A run on AWS.

    Attributes:
        name: Its name, and its execution's.
        place: Where its files lie.
        deployment: The stack it runs in.
        clients: boto3's.
        store: Where its files are read from.
        record: Its ``run.json``.
    """

    name: str
    place: RunPlace
    deployment: Deployment
    clients: Clients
    store: RoutedStore
    record: AwsRunRecord


def find_run(text: str, stack: str) -> LocalRun | CloudRun:
    """The run that a user means.

    Args:
        text: What stands for RUN on the command line.
        stack: The stack that a name is looked for in; a URI's run tells its stack itself.

    Raises:
        UsageError: if it cannot be a run's name.
        RunError: if there is no such run, with the near name; or AWS cannot be asked.
    """
    clients = Clients()
    if text.startswith("s3://"):
        return _at(text, clients)
    folder = RunFolder(Path(text))
    if is_run(folder.path):
        return LocalRun(folder)
    if "/" in text or folder.path.exists():
        raise RunError(f"{text}: expected a run's folder, found {_instead(folder.path)}")
    if not RUN_NAME.fullmatch(text):
        raise UsageError(f"{text!r}: expected a run's folder, an {URI_EXPECTED} URI or the name of a run")
    return _named(text, stack, clients)


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's."""
    return (folder / run_layout.RECORD).is_file() or (folder / run_layout.ENGINE).is_dir()


def run_place(name: str, bucket: str) -> RunPlace:
    """Where a run of a stack lies in its bucket."""
    return RunPlace(name, bucket, run_layout.run_prefix(name))


def _instead(path: Path) -> str:
    found = "a file" if path.is_file() else "another folder" if path.is_dir() else "nothing there"
    around = path.parent.iterdir() if path.parent.is_dir() else ()
    return f"{found}{_near(path.name, (one.name for one in around if is_run(one)))}"


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(islice(known, COMPARED)), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _at(uri: str, clients: Clients) -> CloudRun:
    found = URI.fullmatch(uri)
    if found is None:
        raise UsageError(f"{uri}: expected {URI_EXPECTED}")
    place = run_place(found["name"], found["bucket"])
    store = RoutedStore()
    try:
        record = read_record(place, store)
    except MissingObject:
        raise RunError(f"{uri}: expected a run, found none") from None
    return CloudRun(place.name, place, find_deployment(record.stack, clients), clients, store, record)


def _named(name: str, stack: str, clients: Clients) -> CloudRun:
    try:
        deployment = find_deployment(stack, clients)
    except RunError as error:
        raise RunError(f"{name}: expected a run's folder or a run of a stack: no such folder here; {error}") from None
    place = run_place(name, deployment.bucket)
    store = RoutedStore()
    try:
        record = read_record(place, store)
    except MissingObject:
        hint = _near(name, run_names(deployment, clients, name[:3])) or "; `genomics-pipeline runs` lists them"
        raise RunError(f"{name}: expected a run's folder or a run of the stack {stack}, found neither{hint}") from None
    return CloudRun(name, place, deployment, clients, store, record)


def read_record(place: RunPlace, store: Store) -> AwsRunRecord:
    """Read the ``run.json`` of a run on AWS.

    Raises:
        MissingObject: if there is none.
        RunError: if it is not of a run on AWS, or cannot be read.
    """
    with calling(f"read {place.uri(run_layout.RECORD)}"):
        return read_aws_run(store, place)
