"""The tutorial: its commands are run as they are printed, one after another, and print what the page says.

``GENOMICS_PIPELINE_RENEW_GOLDEN=1 python -m pytest tests/docs/test_tutorial.py`` writes what they print into the page.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.docs.console import Printed, Shown, is_as_shown, renewed, run_command, shown_commands

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorial.md"
RENEW = "GENOMICS_PIPELINE_RENEW_GOLDEN" in os.environ
FAIL = ("genomics-pipeline run cohort.csv --reference lab/reference.fa --out my-run",)  # once, with exit code 1


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Shown, Printed]]:
    """Return each command of the page with its end."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    folder = tmp_path_factory.mktemp("ada")
    commands = [(one, run_command(one.command, folder)) for one in shown_commands(PAGE.read_text("utf-8"))]
    if RENEW:
        lines = {number: printed.lines for number, (_, printed) in enumerate(commands)}
        PAGE.write_text(renewed(PAGE.read_text("utf-8"), lines), "utf-8")
        return [(shown, Printed(printed.code, shown.lines)) for shown, printed in commands]
    return commands


def test_the_commands_print_what_the_page_says(ended: list[tuple[Shown, Printed]]) -> None:
    assert len(ended) > 15
    for shown, printed in ended:
        assert is_as_shown(shown.lines, printed.lines), "\n".join([shown.command, *printed.lines])


def test_one_command_fails_and_the_page_says_so(ended: list[tuple[Shown, Printed]]) -> None:
    failed = [(shown.command, printed.code) for shown, printed in ended if printed.code]
    assert failed == [(command, 1) for command in FAIL]


def test_a_planted_difference_is_seen() -> None:
    shown = ("sample1  done  8,320  43  2.4", "Variants 58")
    assert is_as_shown(shown, ("sample1 done 8,320 43 9.9", "Variants 58"))
    for other in (
        ("sample1 done 8,321 43 2.4", "Variants 58"),
        ("sample1 done 8,320 43 2.4",),
        ("sample1 done 8,320 43 2.4", "Variants 58", "more"),
        ("sample1 FAILED 8,320 43 2.4", "Variants 58"),
    ):
        assert not is_as_shown(shown, other)
