from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from genomics_pipeline import __version__
from genomics_pipeline.cli.main import cli as root
from genomics_pipeline.cli.main import main
from tests.patience import PATIENCE_S

Cli = Callable[..., Any]


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield every command and group, as words of the command line."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


def test_every_command_has_help_with_an_example(cli: Cli) -> None:
    paths = list(commands(root))
    assert len(paths) >= 8
    for words in paths:
        for option in ("--help", "-h"):
            ended = cli(*words, option)
            assert (ended.code, ended.err) == (0, ""), words
            assert ended.out.startswith("Usage: genomics-pipeline " + " ".join(words)), words
            assert "Example" in ended.out, f"{words}: no example"
            assert f"genomics-pipeline {' '.join(words)}".strip() in ended.out.split("Example", 1)[1], words


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out == f"genomics-pipeline, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alignment"], "No such command 'alignment'."),
        (["manifest", "check"], "No such command 'check'."),
        (["manifest", "validate"], "Missing argument 'SHEET'."),
        (["manifest", "validate", "a.csv", "b.csv"], "Got unexpected extra argument (b.csv)"),
        (["manifest", "validate", "a.csv", "--check-file"], "No such option"),
        (["definition", "--fast"], "No such option"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: list[str], message: str) -> None:
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: genomics-pipeline ")
    assert message in ended.err


def test_no_command_prints_the_help(cli: Cli) -> None:
    ended = cli()
    assert ended.code == 2
    assert (ended.out + ended.err).startswith("Usage: genomics-pipeline [OPTIONS] COMMAND [ARGS]...")


def test_each_error_is_one_line_without_traceback(cli: Cli, tmp_path: Path) -> None:
    sheet = tmp_path / "a.csv"
    sheet.write_text("sample,fastq_1\n-a,a.bam\n")
    ended = cli("manifest", "validate", sheet)
    assert ended.code == 1
    assert [line.split(": ")[:2] for line in ended.err.splitlines()] == [
        ["error", f"{sheet}:2:sample"],
        ["error", f"{sheet}:2:fastq_1"],
    ]


def test_wrong_usage_is_printed_without_control_characters(cli: Cli) -> None:
    ended = cli("manifest", "validate", "--\x1b]0;PWNED\x07")
    assert ended.code == 2
    assert "PWNED" in ended.err
    assert "\x1b" not in ended.err


def debugged(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str]:
    """Return the exit code of a command with --debug, and what it printed to standard error."""
    with pytest.raises(SystemExit) as end:
        main(["--debug", *arguments])
    return end.value.code, capfd.readouterr().err


def test_debug_shows_the_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, err = debugged(capfd, "manifest", "validate", str(tmp_path / "none\x1b.csv"))
    assert code == 1
    assert err.startswith("Traceback")
    assert err.endswith(f"DataError: {tmp_path}/none\\u001b.csv: expected a sample sheet, found no such file\n")


def test_an_unexpected_error_is_reported_too(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("genomics_pipeline.runs.catalog.load_pipeline", fail)
    ended = cli("definition", "germline")
    message = "error: ZeroDivisionError: division by zero (unexpected; --debug shows the traceback)\n"
    assert (ended.code, ended.out, ended.err) == (1, "", message)
    code, err = debugged(capfd, "definition", "germline")
    assert (code, err.splitlines()[-1]) == (1, "ZeroDivisionError: division by zero")


def test_an_error_of_the_operating_system_is_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a")

    monkeypatch.setattr("genomics_pipeline.runs.catalog.load_pipeline", fail)
    ended = cli("definition", "germline")
    assert (ended.code, ended.out, ended.err) == (1, "", "error: runs/a: No space left on device\n")
    code, err = debugged(capfd, "definition", "germline")
    assert (code, err.splitlines()[-1]) == (1, "OSError: [Errno 28] No space left on device: 'runs/a'")


def test_a_folder_that_cannot_be_made_is_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    for name in ("a.fq", "a.fa"):
        (tmp_path / name).write_text("")
    ended = cli("step", "alignment", tmp_path / "a.fq", "--reference", tmp_path / "a.fa", "--out", out)
    message = f"error: --out {out}: expected a folder that can be written to: Not a directory\n"
    assert (ended.code, ended.out, ended.err) == (2, "", message)


def test_an_interruption_is_reported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("genomics_pipeline.runs.catalog.load_pipeline", interrupt)
    ended = cli("definition", "germline")
    assert (ended.code, ended.out, ended.err) == (130, "", "\ninterrupted\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("germlin", "no pipeline 'germlin', neither shipped nor a file; did you mean 'germline'?"),
        (
            "./none.toml",
            "no pipeline './none.toml', neither shipped nor a file; known: amplicon, annotate, germline, "
            "germline-lowpass, germline-single, joint, preflight, transactions",
        ),
    ],
)
def test_an_unknown_pipeline_is_refused(cli: Cli, name: str, message: str) -> None:
    ended = cli("definition", name)
    assert (ended.code, ended.out, ended.err) == (1, "", f"error: {message}\n")


def test_the_module_is_the_command() -> None:
    argv = [sys.executable, "-m", "genomics_pipeline", "--version"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert ended.stdout == f"genomics-pipeline, version {__version__}\n"


def test_the_end_of_the_interpreter_visits_no_object() -> None:
    code = (
        "import atexit, gc, sys; atexit.register(lambda: print(len(gc.get_objects()))); sys.argv = ['x', '--version'];"
    )
    code += "from genomics_pipeline.cli.main import main; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert int(ended.stdout.splitlines()[1]) < 1_000


def test_starting_imports_no_heavy_library() -> None:
    heavy = {"boto3", "botocore", "pysam", "pybwa", "jsonschema", "smart_open", "rich", "psutil"}
    code = "import sys; from genomics_pipeline.cli.main import cli; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert not heavy & set(ended.stdout.split())


PLANNED = """
import sys
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.local.checked_run import execute_run
from genomics_pipeline.runs.plan import plan
plan(LocalRunRequest("sheet.csv", "reference.fa", "run", "cache"))
print(*sys.modules)
"""


def test_a_run_imports_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    row = "P,0,XX,S,L1,a_1.fastq.gz,a_2.fastq.gz"
    (tmp_path / "sheet.csv").write_text(f"patient,status,sex,sample,lane,fastq_1,fastq_2\n{row}\n")
    command = [sys.executable, "-c", PLANNED]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S, cwd=tmp_path)
    unneeded = {"boto3", "smart_open", "jsonpath", "pyarrow", "zstandard"}
    assert not unneeded & set(ended.stdout.split())
