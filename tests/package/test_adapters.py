"""Clients, stores over S3 and the environment come from `cli/` and from the worker's `__main__` only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline

PACKAGE = Path(genomics_pipeline.__file__).parent
BUILT = {"Clients", "RoutedStore", "S3Store", "LocalStore"}
# By module, the names that read the environment, or the home folder in it, or build a client.
REFUSED = {
    "os": {"environ", "environb", "getenv", "getenvb"},
    "posix": {"environ"},
    "os.path": {"expanduser", "expandvars"},
    "posixpath": {"expanduser", "expandvars"},
    "pathlib.Path": {"home"},
    "boto3": {"client", "resource", "Session", "setup_default_session", "_get_default_session"},
    "boto3.session": {"Session"},
    "botocore.session": {"Session", "get_session"},
}
METHODS = {"expanduser"}  # of any path
# What is made of something given: a store's parts, a store around another, and stores over one folder or path, which
# have no connection.
ALLOWED = {
    ("stores/routed.py", "S3Store"),
    ("stores/routed.py", "LocalStore"),
    ("stores/layered.py", "LocalStore"),
    ("runs/faults/full_disk.py", "RoutedStore"),
    ("runs/run_folder.py", "LocalStore"),
    ("planning/counting.py", "LocalStore"),  # of a temporary folder
    ("runs/documents/request.py", "LocalStore"),
    ("runs/containers/mounts.py", "LocalStore"),
    ("worker/interpreter_server.py", "os.environ"),  # a program by itself
    ("runs/slurm/node.py", "os.environ"),  # the entry points on the nodes of a cluster
    ("runs/slurm/array_job.py", "pathlib.Path.home"),
    ("runs/slurm/node_check.py", "os.environ"),
    ("runs/slurm/head_job.py", "os.environ"),
    ("worker/lambda_handler.py", "os.environ"),  # the entry point on Lambda
    ("worker/adapters.py", "RoutedStore"),  # of the worker's entry points
    ("worker/adapters.py", "boto3.client"),
}


def misplaced(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each use that builds an adapter or reads the environment."""
    tree = ast.parse(source)
    modules = imported(tree)
    types = set(annotation_nodes(tree))
    for node in ast.walk(tree):
        if node in types:
            continue
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    if alias.name in REFUSED.get(module, ()) or (alias.name == "*" and module in REFUSED):
                        yield node.lineno, f"{module}.{alias.name}"
            case ast.Call(func=ast.Name(id="getattr"), args=[module, ast.Constant(value=str(name)), *_]):
                if name in REFUSED.get(full_name(module, modules), ()):
                    yield node.lineno, f"{full_name(module, modules)}.{name}"
            case ast.Name() | ast.Attribute():
                name = full_name(node, modules)
                module, _, last = name.rpartition(".")
                if last in REFUSED.get(module, ()) or (isinstance(node, ast.Attribute) and last in METHODS):
                    yield node.lineno, name
                elif last in BUILT:
                    yield node.lineno, last


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the full names behind the names that the imports of a module bind."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def full_name(node: ast.AST, modules: dict[str, str]) -> str:
    """Return the dotted name of a name or attribute; it begins with a dot for an attribute of anything else."""
    if isinstance(node, ast.Name):
        return modules.get(node.id, node.id)
    return f"{full_name(node.value, modules)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def annotation_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of every type annotation."""
    for node in ast.walk(tree):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(annotation, ast.AST):
                yield from ast.walk(annotation)


def modules() -> list[str]:
    names = (file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py"))
    return sorted(name for name in names if not name.startswith("cli/") and name != "worker/__main__.py")


def test_nothing_else_builds_an_adapter_or_reads_the_environment() -> None:
    uses = [
        f"genomics_pipeline/{module}:{line}: {name}"
        for module in modules()
        for line, name in misplaced((PACKAGE / module).read_text())
        if (module, name) not in ALLOWED
    ]
    assert uses == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("clients = Clients(boto3.Session)", "Clients"),
        ("store = RoutedStore(s3)", "RoutedStore"),
        ("store = routed.RoutedStore(s3)", "RoutedStore"),
        ("store = S3Store(client)", "S3Store"),
        ("record = read_local_run(LocalStore(), uri)", "LocalStore"),
        ("from genomics_pipeline.stores.s3 import S3Store as Other\nstore = Other(client)", "S3Store"),
        ("make = partial(Clients, session)", "Clients"),
        ("class Others(Clients): ...", "Clients"),
        ("s3 = boto3.client('s3')", "boto3.client"),
        ("session = boto3.Session()", "boto3.Session"),
        ("session = boto3.session.Session()", "boto3.session.Session"),
        ("import boto3 as aws\ns3 = aws.resource('s3')", "boto3.resource"),
        ("from boto3 import client", "boto3.client"),
        ("import botocore.session\nsession = botocore.session.get_session()", "botocore.session.get_session"),
        ("from botocore import session\nfound = session.get_session()", "botocore.session.get_session"),
        ("from botocore.session import Session", "botocore.session.Session"),
        ("home = os.environ['HOME']", "os.environ"),
        ("home = os.getenv('HOME')", "os.getenv"),
        ("home = os.environb[b'HOME']", "os.environb"),
        ("import os as system\nhome = system.environ['HOME']", "os.environ"),
        ("home = getattr(os, 'environ')['HOME']", "os.environ"),
        ("from os import environ", "os.environ"),
        ("from os import *", "os.*"),
        ("from pathlib import Path\nhome = Path.home()", "pathlib.Path.home"),
        ("import pathlib\nhome = pathlib.Path.home()", "pathlib.Path.home"),
        ("home = os.path.expanduser('~')", "os.path.expanduser"),
        ("from os.path import expandvars", "os.path.expandvars"),
        ("home = (folder / name).expanduser()", ".expanduser"),
    ],
)
def test_a_planted_use_is_found(source: str, name: str) -> None:
    assert name in [use for _, use in misplaced(source)]


@pytest.mark.parametrize(
    "source",
    ["def list_runs(clients: Clients) -> S3Store: ...", "x = self._session.client('s3')", "cores = os.cpu_count()"],
)
def test_given_clients_and_stores_are_accepted(source: str) -> None:
    assert list(misplaced(source)) == []


def test_the_command_line_builds_them() -> None:
    names = {name for _, name in misplaced((PACKAGE / "cli/adapters.py").read_text())}
    assert {"Clients", "RoutedStore", "boto3.Session", "boto3.client", "os.environ", "pathlib.Path.home"} <= names
