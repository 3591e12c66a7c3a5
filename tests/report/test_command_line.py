"""Commands in messages: a shell that gets what was printed gives the program the words that were meant."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.report.command_line import command_line

NAMES = [
    *("a b", "it's", 'a"b', "$(touch x)", "`id`", ";id", "*", "~", "!x", "#c", "a\\b", "{a,b}", "é", "a|b>c&d", "%s"),
    *("-run", "--sample", "-", "$HOME", "new\nline", "a\tb", "\ta", "a\rb", "esc\x1b[31m'\\", "del\x7f1", "nel\x851"),
    *("bidi\u202ex", "zero\u200bwidth", "\u2028", "tag\U000e0041", os.fsdecode(b"latin\xe91"), "'", "\n"),
]
PRINT = "import os, sys; print([*map(os.fsencode, sys.argv[1:])])"
ECHO = f"genomics-pipeline() {{ {sys.executable} -c '{PRINT}' \"$@\"; }}\n"


@pytest.fixture(scope="module")
def words() -> dict[str, str]:
    """Return the words that bash gives the program for each name, after the command was printed."""
    commands = [printable_line(command_line("results", name, "--sample", name)) for name in NAMES]
    ended = subprocess.run(["bash", "-c", ECHO + "\n".join(commands)], capture_output=True, text=True, check=True)
    return dict(zip(NAMES, ended.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_shell_gives_the_same_words(name: str, words: dict[str, str]) -> None:
    expected = ["--sample", name, "--", name] if name.startswith("-") else [name, "--sample", name]
    assert words[name] == str([*map(os.fsencode, ["results", *expected])])
