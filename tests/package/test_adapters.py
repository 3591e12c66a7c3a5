"""Clients, stores over S3 and the environment come from `cli/` and from the worker's `__main__` only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline

PACKAGE = Path(genomics_pipeline.__file__).parent
BUILT = {"Clients", "RoutedStore", "S3Store"}
BOTO3 = {"client", "resource", "Session", "setup_default_session"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
# `RoutedStore` makes the store of S3 out of the client that it was given.
ALLOWED = {("stores/routed.py", "S3Store")}


def misplaced(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of whatever builds an adapter or reads the environment."""
    tree = ast.parse(source)
    types = set(annotation_nodes(tree))
    for node in ast.walk(tree):
        if node in types:
            continue
        match node:
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)) if name in BUILT:
                yield node.lineno, name
            case ast.Attribute(value=ast.Name(id="boto3" | "botocore"), attr=name) if name in BOTO3:
                yield node.lineno, f"boto3.{name}"
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if name in ENVIRONMENT:
                yield node.lineno, f"os.{name}"
            case ast.ImportFrom(module="os" | "boto3" | "botocore.session", names=names):
                for each in names:
                    if each.name in ENVIRONMENT | BOTO3:
                        yield node.lineno, each.name


def annotation_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of every type annotation."""
    for node in ast.walk(tree):
        for found in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(found, ast.AST):
                yield from ast.walk(found)


def modules() -> list[str]:
    names = (file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py"))
    return sorted(name for name in names if not name.startswith("cli/") and name != "worker/__main__.py")


def test_nothing_else_builds_an_adapter_or_reads_the_environment() -> None:
    found = [
        f"genomics_pipeline/{module}:{line}: {name}"
        for module in modules()
        for line, name in misplaced((PACKAGE / module).read_text())
        if (module, name) not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("clients = Clients(boto3.Session)", "Clients"),
        ("store = RoutedStore(s3)", "RoutedStore"),
        ("store = routed.RoutedStore(s3)", "RoutedStore"),
        ("store = S3Store(client)", "S3Store"),
        ("s3 = boto3.client('s3')", "boto3.client"),
        ("session = boto3.Session()", "boto3.Session"),
        ("from boto3 import client", "client"),
        ("home = os.environ['HOME']", "os.environ"),
        ("home = os.getenv('HOME')", "os.getenv"),
        ("from os import environ", "environ"),
    ],
)
def test_each_of_them_is_noticed(source: str, name: str) -> None:
    assert name in [found for _, found in misplaced(source)]


def test_the_command_line_does_build_them() -> None:
    found = {name for _, name in misplaced((PACKAGE / "cli/adapters.py").read_text())}
    assert {"Clients", "RoutedStore", "boto3.Session", "boto3.client", "os.environ"} <= found
