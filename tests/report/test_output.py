"""Standard output, standard error and rich's consoles: without control characters, markup and secrets."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from genomics_pipeline.engine.events import Note
from genomics_pipeline.report import output
from genomics_pipeline.report.console import open_console
from genomics_pipeline.report.progress import ProgressDisplay

EVIL = "\x1b]0;PWNED\x07\x9b2J\u202e[red]https://a:s3cret@h/"
SHOWN = "\\u001b]0;PWNED\\u0007\\u009b2J\\u202e[red]https://***@h/"


def test_every_function_prints_harmless_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.echo(f"{EVIL}\nb")
    output.echo_line(f"{EVIL}\nb")
    output.echo_json({"a": EVIL}, indent=None)
    output.echo_error(f"{EVIL}\nerror: b")
    printed = capsys.readouterr()
    assert printed.out == f'{SHOWN}\nb\n{SHOWN}\\nb\n{{"a": "{SHOWN}"}}\n'
    assert printed.err == f"error: {SHOWN}\n  error: b\n"


def test_the_output_of_a_document_keeps_its_uris(capsys: pytest.CaptureFixture[str]) -> None:
    output.echo_output(EVIL)
    assert capsys.readouterr().out == SHOWN.replace("***", "a:s3cret") + "\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_console_prints_harmless_text(terminal: bool) -> None:
    # rich itself removes the bell
    console = open_console()
    console.file, console._force_terminal, console.width = io.StringIO(), terminal, 200
    table = Table(EVIL)
    table.add_row(Text(EVIL, style="bold"))
    console.print(table)
    console.print(EVIL)
    text = console.file.getvalue()
    assert [part for part in ("\x1b]", "\x07", "\x9b", "\u202e", "s3cret") if part in text] == []
    assert text.count("\\u001b]0;PWNED\\u009b2J\\u202e[red]https://***@h/") + text.count(SHOWN) == 3


def test_a_note_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(quiet=False) as display:
        display.event(Note(f"sample1: FAILED\nsample2: done{EVIL}"))
    assert capsys.readouterr().err == f"sample1: FAILED\\nsample2: done{SHOWN}\n"
