"""The ports: no code depends on the implementation of one, and all members are used. mypy checks the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import genomics_pipeline
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.runs.aws.backend import AwsBackend
from genomics_pipeline.runs.aws.batch_api import BatchApi
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.faults.full_disk import FullDisk
from genomics_pipeline.runs.faults.throttled_jobs import ThrottledJobs
from genomics_pipeline.runs.local.backend import FolderBackend
from genomics_pipeline.runs.slurm.jobs import SlurmJobs
from genomics_pipeline.stores.layered import LayeredStore
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.routed import RoutedStore
from genomics_pipeline.stores.s3 import S3Store

PACKAGE = Path(genomics_pipeline.__file__).parent
PORTS: dict[type, tuple[type, ...]] = {
    RunBackend: (FolderBackend, AwsBackend),
    JobRunner: (MachineJobs, SlurmJobs, BatchApi, ThrottledJobs),
    Store: (LocalStore, S3Store, RoutedStore, FullDisk, LayeredStore),
}
NAMES = {kind.__name__ for implementations in PORTS.values() for kind in implementations}
# These run attempts of jobs; `RunAttempt` is their common type.
NAMES |= {"WorkerJobs", "ContainerJobs"}


def members(port: type) -> set[str]:
    return {name for name in vars(port) if not name.startswith("_")}


def dispatches(source: str) -> Iterator[str]:
    """Yield the code that tests for an implementation, or names a union of several as a type."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, kinds]):
                parts = ast.walk(kinds)
            case ast.MatchClass(cls=kind):
                parts = ast.walk(kind)
            case ast.Compare(left=ast.Call(func=ast.Name(id="type")), comparators=kinds):
                parts = iter(kinds)
            case ast.BinOp(op=ast.BitOr()) | ast.Subscript(value=ast.Name(id="Union")):
                if len(named_implementations(ast.walk(node))) > 1:
                    yield ast.unparse(node)
                continue
            case _:
                continue
        if named_implementations(parts):
            yield ast.unparse(node)


def named_implementations(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the implementations that nodes name."""
    return NAMES & {getattr(node, attribute, "") for node in nodes for attribute in ("id", "attr")}


def test_no_code_tests_for_an_implementation() -> None:
    dispatches_by_file = {
        str(path.relative_to(PACKAGE)): [*dispatches(path.read_text())] for path in PACKAGE.rglob("*.py")
    }
    assert {name: nodes for name, nodes in dispatches_by_file.items() if nodes} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "if isinstance(run, FolderBackend): pass",
        "if isinstance(run, (int, backend.AwsBackend)): pass",
        "def f(worker: WorkerJobs | ContainerJobs) -> None: ...",
        "jobs: Union[MachineJobs, BatchApi]",
        "match store:\n    case LocalStore(): pass",
        "if type(store) is S3Store: pass",
    ],
)
def test_a_planted_dispatch_is_found(planted: str) -> None:
    assert list(dispatches(planted))


def test_other_tests_of_types_are_accepted() -> None:
    assert list(dispatches("store: LocalStore | None = isinstance(error, TransferFailed)")) == []


@pytest.mark.parametrize("port", PORTS)
def test_every_member_of_a_port_is_used(port: type) -> None:
    modules = {implementation.__module__ for implementation in (port, *PORTS[port])}
    used = {
        node.attr
        for path in PACKAGE.rglob("*.py")
        if ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) not in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert members(port) - used == set()
