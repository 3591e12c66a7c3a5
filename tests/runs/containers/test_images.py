"""Images without a container engine: their tags, their lock file, and the arguments that an engine gets."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from genomics_pipeline.cli.main import cli
from genomics_pipeline.runs.catalog import load_step, shipped_folder, step_names
from genomics_pipeline.runs.containers import images

ROOT = Path(__file__).resolve().parents[3]
STEP = shipped_folder("steps") / "gather"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a copy of a step's folder, with the programs that steps share beside it."""
    for folder in (STEP, STEP.parent / "common"):
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "gather"


def test_a_tag_depends_on_what_is_in_the_image(own: Path) -> None:
    before = images.tag(load_step(str(own)))
    assert before == images.tag(load_step("gather"))
    (own / "test_more.py").write_text("tests are not in an image")
    assert images.tag(load_step(str(own))) == before
    (own / "gather.py").write_text("another program")
    changed = images.tag(load_step(str(own)))
    (own / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN true\nCOPY step /opt/step\n")
    assert len({before, changed, images.tag(load_step(str(own)))}) == 3
    assert re.fullmatch("[0-9a-f]{16}", before)


def test_a_file_that_becomes_a_program_is_another_image(own: Path) -> None:
    before = images.tag(load_step(str(own)))
    (own / "gather.py").chmod(0o755)
    assert images.tag(load_step(str(own))) != before


def test_an_image_of_another_processor_is_another_image(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tags = set()
    for machine in ("x86_64", "AMD64", "aarch64", "arm64"):
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        tags.add(images.tag(load_step(str(own))))
    assert len(tags) == 2


def test_every_shipped_step_has_a_dockerfile_of_its_own() -> None:
    assert {images.dockerfile(load_step(name)).parent.name for name in step_names()} == set(step_names())


def test_images_hold_the_versions_of_the_projects_lock_file() -> None:
    pinned = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    image, project = (
        dict(pinned.findall((ROOT / file).read_text()))
        for file in ("containers/requirements.lock", "requirements.lock")
    )
    assert image
    assert {name: project.get(name) for name in image} == image


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Return `docker()`, the arguments of each call of a stand-in for docker that has every image."""
    recorded = tmp_path / "recorded"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        "#!/usr/bin/env python3\nimport json, sys\n"
        f"given = sys.stdin.read() if '--password-stdin' in sys.argv else ''\n"
        f"open({str(recorded)!r}, 'a').write(json.dumps([*sys.argv[1:], given]) + '\\n')\n"
        "if sys.argv[1] == 'images':\n"
        f"    print(json.dumps({{'Tag': {images.tag(load_step('gather'))!r}}}))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return lambda: [json.loads(line) for line in recorded.read_text().splitlines()]


def test_push_logs_in_without_showing_the_password(docker: Callable[[], list[list[str]]], aws: str) -> None:
    import boto3

    ecr = boto3.client("ecr")
    made = ecr.create_repository(repositoryName="genomics-pipeline/gather")["repository"]
    try:
        ended = CliRunner().invoke(cli, ["containers", "push", "--step", "gather"])
    finally:
        ecr.delete_repository(repositoryName="genomics-pipeline/gather", force=True)
    assert ended.exit_code == 0, ended.output
    registry = f"{made['registryId']}.dkr.ecr.us-east-1.amazonaws.com"
    image = f"genomics-pipeline/gather:{images.tag(load_step('gather'))}"
    assert ended.output == f"{registry}/{image}  pushed\n"
    has, login, tag, push = docker()
    assert has[0] == "images"
    *words, password = login
    assert words == ["login", "--username", "AWS", "--password-stdin", registry]
    assert password
    assert tag[:-1] == ["tag", image, f"{registry}/{image}"]
    assert push[:-1] == ["push", f"{registry}/{image}"]


def test_push_without_a_repository_says_what_aws_says(docker: object, aws: str) -> None:
    ended = CliRunner().invoke(cli, ["containers", "push", "--step", "gather"])
    assert str(ended.exception).startswith("cannot search the ECR repository genomics-pipeline/gather: ")


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = CliRunner().invoke(cli, ["containers", "build"])
    assert str(ended.exception) == "expected a container engine (docker or podman), found none; install one"


def test_list_names_the_images_of_a_stack() -> None:
    ended = CliRunner().invoke(cli, ["containers", "list", "--stack", "lab"])
    assert [line.partition(":")[0] for line in ended.output.splitlines()] == [
        "lab/alignment",
        "lab/variant_calling",
        "lab/aggregation",
        "lab/gather",
    ]
