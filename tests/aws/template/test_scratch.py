"""The hosts' user data, executed with fakes of its programs that record their arguments."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.aws.template.user_data import scripts
from tests.patience import PATIENCE_S

SYSTEM = "Amazon Elastic Block Store"
STORE = "Amazon EC2 NVMe Instance Storage"  # the model of NVMe devices of instance store


@pytest.fixture
def boot(tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that runs the script on a host with disks of some models and returns the calls."""
    programs, log, scratch = tmp_path / "bin", tmp_path / "log", tmp_path / "scratch"

    def call(models: Sequence[str], *, failing: Sequence[str] = (), absent: Sequence[str] = ()) -> list[str]:
        programs.mkdir()
        log.touch()
        for name in ("mkdir", "chmod", "awk", "bash"):
            (programs / name).symlink_to(str(shutil.which(name)))
        disks = "".join(f"/dev/nvme{number}n1 {model}\n" for number, model in enumerate(models))
        for name in {"lsblk", "mdadm", "dnf", "mkfs.xfs", "mount"} - set(absent):
            action = f"printf '{disks}'" if name == "lsblk" else f'echo "{name} $*" >> {log}'
            program = programs / name
            program.write_text(f"#!/bin/bash\n{action}\nexit {int(name in failing)}\n", "utf-8")
            program.chmod(0o755)
        text = scripts()["text/x-shellscript"].replace("/scratch", str(scratch))
        command = [str(shutil.which("bash")), "-c", text]
        subprocess.run(command, env={**os.environ, "PATH": str(programs)}, check=True, timeout=PATIENCE_S)
        assert stat.S_IMODE(scratch.stat().st_mode) == 0o1777  # the container's user is not root
        return log.read_text("utf-8").replace(str(scratch), "/scratch").splitlines()

    return call


def test_without_instance_store_scratch_is_a_folder_of_the_volume(boot: Callable[..., list[str]]) -> None:
    assert boot([SYSTEM]) == []


def test_one_disk_is_mounted(boot: Callable[..., list[str]]) -> None:
    assert boot([SYSTEM, STORE]) == [
        "mkfs.xfs -f -K /dev/nvme1n1",
        "mount -o noatime,nodiratime /dev/nvme1n1 /scratch",
    ]


def test_several_disks_are_combined(boot: Callable[..., list[str]]) -> None:
    assert boot([SYSTEM, STORE, STORE]) == [
        "mdadm --create /dev/md0 --run --level=0 --raid-devices=2 /dev/nvme1n1 /dev/nvme2n1",
        "mkfs.xfs -f -K /dev/md0",
        "mount -o noatime,nodiratime /dev/md0 /scratch",
    ]


def test_without_mdadm_one_disk_is_used(boot: Callable[..., list[str]]) -> None:
    assert boot([STORE, STORE], absent=["mdadm"], failing=["dnf"]) == [
        "dnf -y install mdadm",
        "mkfs.xfs -f -K /dev/nvme0n1",
        "mount -o noatime,nodiratime /dev/nvme0n1 /scratch",
    ]


def test_a_disk_that_cannot_be_formatted_is_not_mounted(boot: Callable[..., list[str]]) -> None:
    assert boot([STORE], failing=["mkfs.xfs"]) == ["mkfs.xfs -f -K /dev/nvme0n1"]
