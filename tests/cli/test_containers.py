"""`genomics-pipeline containers` with a stand-in for docker, and the check of `doctor` for the images of a stack."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.runs.containers import images
from genomics_pipeline.runs.containers.emulation import describe_builds
from tests.fakes.deployed import deployed


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Return `docker()`, the arguments of each call of a stand-in for docker that has every image."""
    tags = [images.tag(load_step("gather"), architecture) for architecture in Architecture]
    recorded = tmp_path / "recorded"
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        "#!/usr/bin/env python3\nimport json, sys\n"
        f"given = sys.stdin.read() if '--password-stdin' in sys.argv else ''\n"
        f"open({str(recorded)!r}, 'a').write(json.dumps([*sys.argv[1:], given]) + '\\n')\n"
        "if sys.argv[1] == 'images':\n"
        f"    print(*(json.dumps({{'Tag': tag}}) for tag in {tags!r}), sep='\\n')\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return lambda: [json.loads(line) for line in recorded.read_text().splitlines()]


@pytest.mark.parametrize("architecture", Architecture)
def test_a_tag_does_not_depend_on_who_builds(
    architecture: Architecture, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = set()
    for machine in ("x86_64", "AMD64", "aarch64", "arm64"):
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        listed.add(cli("containers", "list", "--step", "gather", "--architecture", architecture).out)
    assert listed == {f"genomics-pipeline/gather:{images.content_tag(load_step('gather'))}-{architecture}\n"}


def test_by_default_an_image_is_for_this_machine(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert cli("containers", "list", "--step", "gather").out.endswith("-arm64\n")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    ended = cli("containers", "list")
    assert (ended.code, ended.err) == (
        1,
        "error: this machine: expected a processor of x86_64 or arm64, found riscv64\n",
    )


@pytest.mark.parametrize("architecture", Architecture)
def test_push_logs_in_without_showing_the_password(
    architecture: Architecture, docker: Callable[[], list[list[str]]], aws: str, cli: Callable[..., Any]
) -> None:
    import boto3

    with deployed(aws, architecture=architecture):
        content = images.tag(load_step("gather"), architecture)
        boto3.client("ecr").batch_delete_image(
            repositoryName="genomics-pipeline/gather", imageIds=[{"imageTag": content}]
        )
        ended = cli("containers", "push", "--step", "gather")
    assert (ended.code, ended.err) == (0, "")
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
    image = f"genomics-pipeline/gather:{content}"
    assert ended.out == f"{registry}/{image}  pushed\n"
    has, login, tag, push = docker()
    assert has[0] == "images"
    *words, password = login
    assert words == ["login", "--username", "AWS", "--password-stdin", registry]
    assert password
    assert tag[:-1] == ["tag", image, f"{registry}/{image}"]
    assert push[:-1] == ["push", f"{registry}/{image}"]


def test_push_without_a_repository_says_what_aws_says(docker: object, aws: str, cli: Callable[..., Any]) -> None:
    import boto3

    with deployed(aws):
        boto3.client("ecr").delete_repository(repositoryName="genomics-pipeline/gather", force=True)
        ended = cli("containers", "push", "--step", "gather")
    assert ended.err.startswith("error: cannot search the ECR repository genomics-pipeline/gather: ")


def test_push_needs_a_stack(docker: object, aws: str, cli: Callable[..., Any]) -> None:
    assert cli("containers", "push", "--step", "gather").err == (
        "error: stack genomics-pipeline: expected a deployed stack, found none; run `genomics-pipeline deploy`\n"
    )


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cli: Callable[..., Any]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = cli("containers", "build")
    assert ended.err == "error: expected a container engine (docker or podman), found none; install one\n"


def test_list_names_the_images_of_a_stack(cli: Callable[..., Any]) -> None:
    ended = cli("containers", "list", "--stack", "lab")
    assert [line.partition(":")[0] for line in ended.out.splitlines()] == [
        "lab/alignment",
        "lab/variant_calling",
        "lab/consensus",
        "lab/aggregation",
        "lab/gather",
        "lab/annotation",
        "lab/imputation",
    ]


def test_doctor_compares_this_machine_with_the_hosts_of_a_stack(
    aws: str, docker: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = adapters()
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    with deployed(aws, architecture=Architecture.ARM64):
        with pytest.raises(RunError, match="expected an emulator of arm64, its hosts' processors, on this machine of"):
            describe_builds("genomics-pipeline", ports, tmp_path)
        (tmp_path / "qemu-aarch64").touch()
        assert describe_builds("genomics-pipeline", ports, tmp_path) == (
            "for arm64, the processors of the stack genomics-pipeline, by emulation on this machine of x86_64"
        )
        monkeypatch.setattr("platform.machine", lambda: "arm64")
        assert describe_builds("genomics-pipeline", ports, tmp_path / "none") == (
            "for arm64, the processors of the stack genomics-pipeline and of this machine"
        )
