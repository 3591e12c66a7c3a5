"""Every command on the pages for users exists, with its options, parameters of steps and parameters of the stack."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.cli.main import cli
from genomics_pipeline.runs.catalog import load_pipeline, load_step, pipeline_names, step_names

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = "genomics-pipeline"


def commands(text: str) -> Iterator[str]:
    """Yield each command of a page: in blocks, with the lines that continue it, and between single backticks."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if found := re.match(rf"(?:\$ )?(?:\.venv/bin/)?({PROGRAM} .*)", line.strip()):
                yield found[1].partition(" # ")[0].partition(" | ")[0]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(rf"`({PROGRAM} [^`]+)`", prose)


def problems(words: list[str]) -> Iterator[str]:
    """Yield what does not exist of a command, given without the program's name."""
    if "--" in words:  # a command that another one starts
        yield from problems(words[words.index("--") + 1 :])
        words = words[: words.index("--")]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        child = command.get_command(context, words[0])
        if child is None:
            if words[0].islower():  # COMMAND stands for any
                yield f"no command {words[0]}"
            return
        command, words = child, words[1:]
    known = {name for option in command.params for name in option.opts} | {"--help", "-h"}
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.startswith("-") and name != "-" and name not in known:
            yield f"{command.name}: no option {name}"
        value = value if equals else (words[number + 1] if number + 1 < len(words) else "")
        if name == "--param" and command.name == "step":
            yield from unknown_value(value.partition("=")[0], step_parameters(words))
        elif name == "--param":
            yield from unknown_value(value.partition("=")[0], pipeline_parameters(words))
        elif name == "--parameter":
            yield from unknown_value(value.partition("=")[0], set(PARAMETERS))
        elif name == "--pipeline" and value.isidentifier() and value not in pipeline_names():
            yield f"no pipeline {value}"


def unknown_value(name: str, known: set[str] | None) -> Iterator[str]:
    if known is not None and name not in known and "…" not in name and not name.isupper():
        yield f"no parameter {name}"


def step_parameters(words: list[str]) -> set[str] | None:
    """Return the parameters of the step; None of a step that is not shipped."""
    return set(load_step(words[0]).spec.parameters) if words and words[0] in step_names() else None


def pipeline_parameters(words: list[str]) -> set[str] | None:
    """Return the parameters, as STAGE.NAME, of the named pipeline, or of all; None of one that is not shipped."""
    named = [words[number + 1] for number, word in enumerate(words[:-1]) if word == "--pipeline"]
    if not set(named) <= set(pipeline_names()):
        return None
    stages = [stage for name in named or pipeline_names() for stage in load_pipeline(name)[0].stages]
    return {f"{stage.name}.{name}" for stage in stages for name in stage.step.parameters}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    wrong = [
        f"{command}: {problem}"
        for command in commands(page.read_text("utf-8"))
        for problem in problems(shlex.split(command.replace("'", "’"))[1:])
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("gather x", "no command gather"),
        ("run a.csv --reference r.fa --nothing", "run: no option --nothing"),
        ("run a.csv --param alignment.nothing=1", "no parameter alignment.nothing"),
        ("run a.csv --pipeline germline --param consensus.min_depth=1", "no parameter consensus.min_depth"),
        ("run a.csv --pipeline nothing", "no pipeline nothing"),
        ("step alignment a.fq --param=nothing=1", "no parameter nothing"),
        ("deploy --parameter Nothing=1", "no parameter Nothing"),
        ("containers pull", "no command pull"),
        ("watch in -- run --nothing", "run: no option --nothing"),
    ],
)
def test_what_does_not_exist_is_found(command: str, problem: str) -> None:
    assert list(problems(shlex.split(command))) == [problem]


def test_pages_have_commands() -> None:
    found = [command for page in PAGES for command in commands(page.read_text("utf-8"))]
    assert len(found) > 50
