"""`--profile`, `--cache` and `profile`: options of commands from files of a project, of a user and of a site."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import click
import pytest

from genomics_pipeline.cli.profile_options import KEYS
from genomics_pipeline.cli.run import run
from genomics_pipeline.model.profile import parse_profile
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Cli = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with an empty folder of profiles; those of the user and the site do not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "site"))
    (tmp_path / "profiles").mkdir()
    return tmp_path


def write(folder: Path, text: str, name: str = "lab") -> Path:
    """Write a profile into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def values(cli: Cli, *arguments: str) -> dict[str, tuple[Any, str]]:
    """Return the value and the source of each option of `run`."""
    ended = cli("profile", "show", *arguments, "--json")
    assert ended.code == 0, ended.err
    return {name[2:]: (one["value"], one["source"]) for name, one in json.loads(ended.out).items()}


def test_options_precede_the_environment_which_precedes_the_profile(
    here: Path, project: SmallProject, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    project.samples({"A": READS})
    write(
        here / "profiles",
        'cpus = 1\njobs = 3\nmemory = "2GiB"\ncache = "~/c"\nslurm-qos = "slow"\nslurm-account = "a"\n',
    )
    monkeypatch.setenv("GENOMICS_PIPELINE_SLURM_QOS", "fast")
    ended = cli(*project.arguments("--profile", "lab", "--jobs", "1", "--verbose"))
    assert ended.code == 0, ended.err
    assert [line for line in ended.err.splitlines() if line.startswith("setting: ")] == [
        f"setting: --cache {here}/c: profiles/lab.toml:4",
        "setting: --cpus 1: profiles/lab.toml:1",
        "setting: --memory 2048: profiles/lab.toml:3",
        "setting: --jobs 1: the command line",
        "setting: --slurm-account a: profiles/lab.toml:6",
        "setting: --slurm-qos fast: GENOMICS_PIPELINE_SLURM_QOS",
    ]
    assert "machine: 1 core" in ended.err
    assert (here / "c").is_dir()


def test_the_variable_names_the_profile_of_all_commands(here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here / "profiles", "jobs = 3\ncontainers = 'apptainer'\n")
    monkeypatch.setenv("GENOMICS_PIPELINE_PROFILE", "lab")
    assert values(cli)["jobs"] == (3, "profiles/lab.toml:1")
    assert values(cli)["containers"] == ("apptainer", "profiles/lab.toml:2")
    assert values(cli)["slurm-poll-s"] == (10, "the default")


def test_the_project_precedes_the_user_who_precedes_the_site(here: Path, cli: Cli) -> None:
    folders = [here / "site/genomics-pipeline/profiles", here / "own/genomics-pipeline/profiles", here / "profiles"]
    for number, folder in enumerate(folders, 1):
        file = write(folder, f'jobs = {number}\nsummary = "number {number}"\n')
        assert values(cli, "lab")["jobs"] == (number, f"{file if number < 3 else 'profiles/lab.toml'}:1")
    write(folders[0], "jobs = -1\n", "bad")
    assert cli("profile", "list").out.splitlines() == [
        f"bad  {folders[0]}/bad.toml: {folders[0]}/bad.toml:1:jobs: expected a number >= 1, found -1",
        "lab  profiles/lab.toml: number 3",
    ]
    assert values(cli, str(folders[1] / "lab.toml"))["jobs"][0] == 2


CORPUS = {
    "slurm-partitoin = 'long'\n": "1:slurm-partitoin: unknown key 'slurm-partitoin'; did you mean 'slurm-partition'?",
    "summary = 'a'\ncpus = '8'\n": "2:cpus: expected an integer, found '8'",
    "jobs = 0\n": "1:jobs: expected a number >= 1, found 0",
    "memory = 64\n": "1:memory: expected a string, found 64",
    "memory = 'lots'\n": "1:memory: expected an amount such as \"64GiB\", found 'lots'",
    "slurm = 'yes'\n": "1:slurm: expected true or false, found 'yes'",
    "cache = 'here'\n": "1:cache: expected an absolute path, or one that begins with ~/, found 'here'",
    "slurm-qos = '-p'\n": "1:slurm-qos: expected a name, or names separated by commas, found '-p'",
    "slurm-option = '--exclusive'\n": "1:slurm-option: expected an array, found '--exclusive'",
    "slurm-option = ['-x']\n": '1:slurm-option.0: expected a long option of sbatch such as "--constraint=avx2", '
    "found '-x'",
    "slurm-poll-s = 500\n": "1:slurm-poll-s: expected a number <= 120, found 500",
    "[slurm]\npartition = 'long'\n": "1:slurm: expected true or false, found {'partition': 'long'}",
    "jobs = \n": "1:8: expected TOML: Invalid value",
}


@pytest.mark.parametrize("text", CORPUS)
def test_a_wrong_profile(text: str, here: Path, cli: Cli) -> None:
    write(here / "profiles", text)
    ended = cli("run", "x.csv", "--reference", "x.fa", "--out", "x", "--profile", "lab")
    assert (ended.code, ended.err) == (1, f"error: profiles/lab.toml:{CORPUS[text]}\n")


def test_no_such_profile(here: Path, cli: Cli) -> None:
    places = f"profiles, {here}/own/genomics-pipeline/profiles, {here}/site/genomics-pipeline/profiles"
    expected = f"error: --profile lba: expected a profile of {places}, found none of that name; "
    ended = cli("rerun", "x", "--profile", "lba")
    assert (ended.code, ended.err) == (2, f"{expected}write profiles/lba.toml: docs/profiles.md\n")
    write(here / "profiles", "")
    assert cli("profile", "show", "lba").err == f"{expected}did you mean 'lab'?\n"
    ended = cli("doctor", "--profile", "./lba.toml")
    assert (ended.code, ended.err) == (
        1,
        "error: lba.toml: expected the file of a profile: No such file or directory\n",
    )


def test_every_key_is_an_option_a_rule_and_a_row_of_the_page() -> None:
    schema = json.loads(resources.files("genomics_pipeline.schemas").joinpath("profile.schema.json").read_text())
    options = {option.name: option for option in run.params if isinstance(option, click.Option)}
    page = (ROOT / "docs/profiles.md").read_text()
    rows = [row.split("|")[1:3] for row in page.splitlines() if row.startswith("| `")]
    assert set(KEYS) | {"summary"} == set(schema["properties"])
    assert {name for keys, _ in rows for name in re.findall("`([a-z-]+)`", keys)} == set(schema["properties"])
    assert {name for _, names in rows for name in re.findall("`--([a-z-]+)`", names)} == set(KEYS)
    for key, parameter in KEYS.items():
        assert f"--{key}" in options[parameter].opts
    assert {name for name in options if name and name.startswith("slurm")} <= set(KEYS.values())


def test_the_example_has_every_key() -> None:
    text = (ROOT / "profiles/example.toml").read_text()
    assert set(tomllib.loads(text)) == {*KEYS, "summary"}
    assert parse_profile(text, file="example.toml", home="/home/ann").options["cache"] == "/home/ann/genomics-cache"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("status", "run", "--profile", "hpc"), "`status` takes no options from a profile; these do: "),
        (("pipeline", "show", "germline", "--profile", "hpc"), "`pipeline show` takes no options from a profile; "),
        (("--profile", "hpc", "run"), "expected it after the command, one of "),
    ],
)
def test_a_command_without_profiles(cli: Cli, words: tuple[str, ...], expected: str) -> None:
    ended = cli(*words)
    assert ended.code == 2
    assert ended.err.startswith(f"error: --profile: {expected}")
    taking = ended.err.strip().rpartition("these do: " if "these do" in ended.err else "one of ")[2].split(", ")
    assert {"run", "rerun", "plan", "step", "execute", "replay", "doctor", "index", "cache"} <= set(taking)
    assert "status" not in taking
