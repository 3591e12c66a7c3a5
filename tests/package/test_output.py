"""Text reaches standard output and standard error in one way, which removes control characters and secrets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline

PACKAGE = Path(genomics_pipeline.__file__).parent
PRINTERS = ("report/output.py", "report/console.py")
# A container prints its log, without `report/`; through `_log` but for lines that hold nothing from outside.
WORKER = ("worker/container.py", "worker/__main__.py")
USERS_CODE = ("engine/tasks/functions.py", "engine/tasks/exit_calls.py")  # what functions of the user log, or do
CLICK = {"echo", "secho", "style", "echo_via_pager", "progressbar"}
STREAMS = {"stdout", "stderr"}


def ways_out(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each use that prints."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node.lineno, "print"
            case ast.Attribute(value=ast.Name(id="click"), attr=name) if name in CLICK:
                yield node.lineno, f"click.{name}"
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr=stream), attr="write" | "buffer") if (
                stream in STREAMS
            ):
                yield node.lineno, f"sys.{stream}"
            case ast.Call(func=ast.Name(id="Console")):
                yield node.lineno, "Console"
            case ast.Attribute(value=ast.Name(id="traceback"), attr=name) if name.startswith("print"):
                yield node.lineno, f"traceback.{name}"
            case ast.ImportFrom(module="click", names=names):
                yield from ((node.lineno, f"click.{one.name}") for one in names if one.name in CLICK)


def test_no_module_prints_by_itself() -> None:
    places = {
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in (*PRINTERS, *WORKER, *USERS_CODE)
        for line, name in ways_out(path.read_text())
    }
    assert places == set()


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "click.echo(text)",
        "click.secho(text)",
        "from click import echo",
        "sys.stdout.write(text)",
        "sys.stderr.buffer.write(text)",
        "Console().print(text)",
        "traceback.print_exc()",
    ],
)
def test_other_ways_are_found(source: str) -> None:
    assert list(ways_out(source))
