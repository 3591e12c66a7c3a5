"""Standard streams that are closed, full or broken, and encodings that lack a character."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.cli.environment import prepare_environment
from genomics_pipeline.cli.main import cli, main

GP = f"{sys.executable} -m genomics_pipeline"
NULL = "2>/dev/null"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in bash, where GP is genomics-pipeline."""
    script = f"set -o pipefail; {command}"
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "GP": GP, **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    "streams",
    [
        ">&-",
        "2>&-",
        ">&- 2>&-",
        "<&- >&- 2>&-",
        pytest.param(">/dev/full", marks=needs_full),
        pytest.param("2>/dev/full", marks=needs_full),
        pytest.param("--json >/dev/full 2>/dev/full", marks=needs_full),
        "| true",
        "2>&1 | head -1",
    ],
)
def test_work_ends_with_0_whatever_becomes_of_its_output(tmp_path: Path, streams: str) -> None:
    ended = shell(f"$GP simulate --out cohort --samples 1 --length 5000 --depth 1 {streams}", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr + ended.stdout
    assert b"Exception ignored" not in ended.stderr
    assert (tmp_path / "cohort" / "cohort.csv").is_file()


def test_a_run_ends_with_0_and_has_its_results_without_any_stream(tmp_path: Path) -> None:
    cohort = "$GP simulate --out cohort --samples 1 --length 5000 --depth 4"
    run = "$GP run cohort/cohort.csv --reference cohort/reference.fa --out run <&- >&- 2>&-"
    assert shell(f"{cohort} && {run}", tmp_path).returncode == 0
    assert list((tmp_path / "run" / "results").rglob("joint_germline.vcf.gz"))


@needs_full
def test_lost_output_is_reported_as_a_failure_of_a_command_that_only_prints(tmp_path: Path) -> None:
    ended = shell("$GP definition germline > /dev/full", tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == b"error: standard output: No space left on device; the output is incomplete\n"


@needs_full
def test_lost_output_of_other_commands_is_a_warning(tmp_path: Path) -> None:
    ended = shell("$GP simulate --out cohort --samples 1 --length 5000 --depth 1 > /dev/full", tmp_path)
    assert ended.stderr.endswith(b"warning: standard output: No space left on device; the output is incomplete\n")


@pytest.mark.parametrize("command", ["definition germline", "template", "--help", "run --help"])
def test_nobody_reads_the_output(tmp_path: Path, command: str) -> None:
    ended = shell(f"$GP {command} | head -1", tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_json_is_the_same_value_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "machine.json").write_text(
        json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "é–𝔸", "End": True}}})
    )
    ended = shell(f"$GP execute machine.json --json {NULL}", tmp_path, PYTHONIOENCODING=encoding)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["output"] == "é–𝔸"


@pytest.mark.parametrize(
    ("encoding", "shown"), [("cp1252", b"\x96 \xe9"), ("latin-1", b"- \xe9"), ("utf-8", "– é".encode())]
)
def test_text_for_people_keeps_its_words_in_every_encoding(tmp_path: Path, encoding: str, shown: bytes) -> None:
    document = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": "– é"}}}
    (tmp_path / "machine.json").write_text(json.dumps(document))
    ended = shell(f"$GP execute machine.json {NULL}", tmp_path, PYTHONIOENCODING=encoding)
    assert ended.returncode == 1
    assert b"cause: " + shown in ended.stdout


@pytest.mark.parametrize("value", ["1E400", "-1E400", '"\\ud83d"'])
def test_values_that_json_cannot_hold(tmp_path: Path, value: str) -> None:
    (tmp_path / "machine.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
    for option in ("", "--json"):
        ended = shell(f"echo '[{value}]' | $GP execute machine.json --input - {option}", tmp_path)
        assert b"Traceback" not in ended.stderr
        assert ended.returncode in (0, 2)
        assert ended.stdout or ended.stderr.startswith(b"error: ")


def test_a_name_that_is_not_utf8_is_refused_in_plain_words(tmp_path: Path) -> None:
    ended = shell("$GP run no.csv --reference no.fa --out $'caf\\xe9'", tmp_path)
    assert ended.returncode in (1, 2)
    assert b"unexpected" not in ended.stderr


def test_another_locale_changes_no_result(tmp_path: Path) -> None:
    if subprocess.run(["which", "localedef"], capture_output=True, check=False).returncode:
        pytest.skip("no localedef")
    made = shell("localedef -i de_DE -f ISO-8859-1 ./de_DE.latin1", tmp_path)
    if not (tmp_path / "de_DE.latin1").is_dir():
        pytest.skip(f"no such locale: {made.stderr!r}")
    locale = {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.latin1"}
    ended = shell("$GP simulate --out é --samples 1 --length 5000 --depth 1", tmp_path, **locale)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "é/cohort.csv".encode("latin-1") in ended.stdout
    assert (tmp_path / "é" / "cohort.csv").is_file()


def test_aws_region_wins() -> None:
    environment = {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-east-1"}
    prepare_environment(environment)
    assert environment == {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-north-1"}


def test_variables_of_python_do_not_change_how_steps_run() -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONSAFEPATH": "1", "PYTHONINSPECT": "1", "PYTHONPATH": "/mine"}
    prepare_environment(environment)
    assert environment == {"PYTHONPATH": "/mine"}


def test_a_deleted_current_folder_is_named(tmp_path: Path) -> None:
    ended = shell("mkdir gone && cd gone && rmdir ../gone && $GP run a.csv --reference b.fa --out c", tmp_path)
    assert (ended.returncode, ended.stderr) == (1, b"error: the current folder: No such file or directory\n")


def test_doctor_names_a_deleted_current_folder(tmp_path: Path) -> None:
    ended = shell("mkdir gone && cd gone && rmdir ../gone && $GP doctor", tmp_path)
    assert ended.returncode == 1
    assert b"MISSING  one tiny sample: the current folder: No such file or directory\n" in ended.stdout


def test_too_little_memory_for_the_command_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(SystemExit) as end:
        main(["runs"])
    assert end.value.code == 1
    assert capsys.readouterr().err.startswith("error: out of memory in genomics-pipeline itself: give it more")
