"""The metadata service of a host is closed to its tasks: the user data itself, executed in a network namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.aws.template.metadata_host import FACTS
from tests.aws.template.user_data import scripts
from tests.patience import PATIENCE_S

Host = Callable[..., tuple[dict[str, dict[str, list[bool]]], Path]]
HOST = Path(__file__).with_name("metadata_host.py")


@pytest.fixture
def host(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Host:
    """Return a function that boots a host and returns who was answered before and after, and the scratch folder."""
    unshare = ["unshare", "--net", "--mount"]
    if os.getuid() != 0 or not all(map(shutil.which, ("unshare", "iptables", "ip", "curl"))):
        missing("network namespaces need root, iptables, ip and curl")
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        missing("no network namespace can be made here")

    def call(**programs: str) -> tuple[dict[str, dict[str, list[bool]]], Path]:
        folder, scratch = tmp_path / "bin", tmp_path / "scratch"
        folder.mkdir()
        for name, text in {"lsblk": "", "dnf": "exit 1", **programs}.items():
            (folder / name).write_text(f"#!/bin/bash\n{text}\n")
            (folder / name).chmod(0o755)
        texts = scripts()
        boot = [texts["text/cloud-boothook"], texts["text/x-shellscript"].replace("/scratch", str(scratch))]
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "no_proxy": "*"}
        argv = [*unshare, sys.executable, str(HOST), *boot]
        process = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout), scratch

    return call


def test_tasks_reach_their_credentials_and_not_the_metadata(
    host: Host,
) -> None:
    answered, scratch = host()
    both, root_only = [True, True], [True, False]
    assert answered == {
        "before": {"metadata": both, "metadata by IPv6": both, "credentials": both},
        "after": {"metadata": root_only, "metadata by IPv6": root_only, "credentials": both},
    }
    facts = json.loads((scratch / "host.json").read_text())
    assert list(facts.values()) == list(FACTS.values())
    assert facts.keys() == {"instance_type", "zone", "market"}
    status = (scratch / "host.json").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (0, 0o644)
    assert scratch.stat().st_mode & 0o7777 == 0o1777  # nobody but root replaces its file


def test_a_host_that_cannot_close_its_metadata_runs_no_tasks(host: Host, tmp_path: Path) -> None:
    answered, _ = host(iptables="exit 1", systemctl=f'echo "$*" > {tmp_path}/systemctl')
    assert answered["after"]["metadata"] == [True, True]
    assert (tmp_path / "systemctl").read_text() == "mask --now ecs.service\n"
