"""The openings of docstrings, where ruff's D401 does not look: a verb for functions, a noun phrase for all others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FOLDERS = ("genomics_pipeline", "steps", "benchmarks", "tests")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A docstring may open with any verb; add those that are missing.
VERBS = _words(
    """
    abort accept add admit advance advise align allow annotate answer append apply arrange ask assert assign attach
    await batch
    begin bind block bring build call cancel carry catch change check choose claim classify clean clear close collect
    combine
    compare compile complete compute concatenate configure confirm
    connect consume continue convert copy correct count create cut decide
    decode decompress delete deliver deploy derive describe destroy detect determine discard divide do
    download draw drive
    drop emit empty encode end enforce enter escape estimate evaluate examine exchange execute exit expand expect
    explain express extend extract fail fetch fill filter find finish fit flatten flush follow fork format forward
    free gather generate genotype get give group guess handle hand heal hide hold identify ignore import include
    increase index
    insert install intercept interpret invoke issue iterate join judge keep kill label leave let limit link list listen
    load lock log look lookup make map mark match measure merge mirror mock mount move multiply name normalise note
    notify number observe obtain offer omit open order override pack pair parse pass patch pause perform pick place plan
    plant play point poll predict prefix prepare present press preserve prevent print process produce project protect
    prove provide
    publish pull push put query queue quote raise reach read rebuild receive recognise reconcile record redirect redrive
    reduce refer refuse register reject release remember remove render repeat replace replay report request require
    reopen rerun reset resolve respond restore restrict resume retrieve retry return reuse reverse rewrite
    roll rotate round
    route run sample save scale scan score search see select send sequence serve set share shift show shuffle shut sign
    signal simulate skip sleep sort split stage stand start state stop store stream strike strip submit substitute sum
    supply suspend swap switch take tear tell terminate test throttle throw tie time toggle touch trace track transfer
    transform translate treat trim truncate try turn type unlock unpack untie update upload use validate verify visit
    wait wake walk warn watch weigh widen wind withhold work wrap write yield
    """
)
PRONOUNS = _words("what whether how it its both this these that those they which who where when why")
DETERMINER = r"(?:a|an|the|all|any|each|every|one|what|some|its|this|it|them|how|which)\b"
IMPERATIVE = re.compile(rf"(\w+) {DETERMINER}", re.IGNORECASE)
# "Runs a job", but not "Records that ...": only a noun is followed by a preposition or a relative pronoun.
THIRD_PERSON = re.compile(rf"(\w+?)(?:s|es) {DETERMINER}", re.IGNORECASE)


def sources() -> Iterator[Path]:
    """Yield the files whose docstrings are checked, relative to the checkout."""
    for folder in FOLDERS:
        for path in sorted((TOP / folder).rglob("*.py")):
            yield path.relative_to(TOP)


def problems(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the first words of each docstring with a wrong opening."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text and not _opens_well(node, text.splitlines()[0]):
                yield getattr(node, "lineno", 1), text[:60]


def _opens_well(node: ast.AST, line: str) -> bool:
    first = re.split(r"[\s:,.;]", line, maxsplit=1)[0].lower()
    if first in PRONOUNS or line.lower().startswith(("the same", "likewise")):
        return False
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        # A property is a noun; a test's name says what it tests.
        return _is_property(node) or node.name.startswith("test_") or first in VERBS
    imperative, third = IMPERATIVE.match(line), THIRD_PERSON.match(line)
    return not (
        (imperative and imperative[1].lower() in VERBS)
        or (third and {third[1].lower(), f"{third[1].lower()}e"} & VERBS)
    )


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_docstrings_open_with_a_verb_or_a_noun_phrase() -> None:
    problems_by_file = {str(path): list(problems((TOP / path).read_text())) for path in sources()}
    assert {path: entries for path, entries in problems_by_file.items() if entries} == {}


def test_every_folder_has_files_to_check() -> None:
    assert {path.parts[0] for path in sources()} == set(FOLDERS)


FUNCTION = "def f() -> None:\n    '''{}'''"


@pytest.mark.parametrize(
    "planted",
    [
        *map(
            FUNCTION.format,
            [
                "What it returns.",
                "Whether it is so.",
                "How long it took.",
                "The same of an input.",
                "Both limits.",
                "Its content.",
                "Named by its step.",
                "Reading of a file.",
                "Files of one kind.",
                "Returns a file.",
                "Only the sites that vary.",
                "`number` of them.",
            ],
        ),
        "'''What a user asks.'''",
        "'''How a run stands.'''",
        "'''Run a step over an item.'''",
        "class A:\n    '''Runs the jobs of a run.'''",
        "class A:\n    '''Both limits of a run.'''",
        "class A:\n    '''Sends each URI on.'''",
        "class A:\n    '''It is told what happens.'''",
        "class A:\n    def run(self) -> int:\n        '''The answer.'''",
    ],
)
def test_a_planted_opening_is_found(planted: str) -> None:
    assert len(list(problems(planted))) == 1


@pytest.mark.parametrize(
    "fine",
    [
        FUNCTION.format("Return what it holds."),
        FUNCTION.format("Yield: one after the other."),
        "'''Records that tests write.'''",
        "'''Requests and responses of a service.'''",
        "'''Read-ahead of a stream.'''",
        "class A:\n    '''Run in a folder.'''",
        "class A:\n    @property\n    def size(self) -> int:\n        '''The number of bytes.'''",
        "def test_it() -> None:\n    '''Of a recording.'''",
        "def f() -> None:\n    pass",
    ],
)
def test_a_good_opening_is_accepted(fine: str) -> None:
    assert list(problems(fine)) == []
