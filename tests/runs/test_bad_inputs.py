"""Reads that cannot be used: their sample fails with its class and file, and no other sample changes."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.small_runs import copy_pair, failure_of, read_files, samples_of, states, write_sheet

Command = Callable[..., subprocess.CompletedProcess[str]]
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def good(cohort: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return a run of the good samples alone."""
    folder = tmp_path_factory.mktemp("good")
    return run(folder / "run", sheet=write_sheet(folder / "sheet.csv", read_files(cohort)))


@pytest.fixture(scope="module")
def folder(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the sheet of all samples, and the reads of the bad ones."""
    folder = tmp_path_factory.mktemp("bad")
    reads = read_files(cohort)
    cut, swapped, empty = (copy_pair(reads["sample2"], folder / name) for name in ("cut", "swapped", "empty"))
    whole = gzip.compress(gzip.decompress(cut[0].read_bytes()), compresslevel=0, mtime=0)
    cut[0].write_bytes(whole[: len(whole) // 2])
    shutil.copy(reads["sample3"][1], swapped[1])
    for file in empty:
        file.write_bytes(gzip.compress(b""))
    order = {"cut": cut, "sample2": reads["sample2"], "swapped": swapped, "sample3": reads["sample3"]}
    write_sheet(folder / "sheet.csv", {**order, "sample4": reads["sample4"], "empty": empty})
    return folder


@pytest.fixture(scope="module")
def summary(run: Run, folder: Path) -> dict[str, Any]:
    return run(folder / "run", sheet=folder / "sheet.csv")


def text_of(path: str) -> str:
    return gzip.decompress(Path(path).read_bytes()).decode()


def test_each_is_bad_input_with_its_file_and_record(summary: dict[str, Any], folder: Path) -> None:
    files = {name: sorted((folder / name).iterdir()) for name in ("cut", "swapped", "empty")}
    records = zlib.decompressobj(31).decompress(files["cut"][0].read_bytes()).count(b"\n") // 4
    messages = {
        "cut": f"{files['cut'][0]}: record {records + 1}: "
        "expected a whole gzip file, found its end: the file is truncated",
        "swapped": f"{files['swapped'][1]}: record 1: "
        "expected the mate of SIM01:2:FCSIM:1:1101:1000:1000, found SIM01:3:FCSIM:1:1101:1000:1000",
        "empty": f"{files['empty'][0]}: expected reads, found none: the file is empty; give the sample's reads, "
        "or leave this lane out of the sample sheet",
    }
    assert {name: failure_of(folder / "run", "alignment", name) for name in files} == {
        name: ("bad_input", message) for name, message in messages.items()
    }
    errors = {row["sample"]: row["error"] for row in summary["samples"] if "error" in row}
    assert errors == {name: f"alignment: {message}" for name, message in messages.items()}


def test_the_others_are_as_they_are_without_them(summary: dict[str, Any], good: dict[str, Any], folder: Path) -> None:
    bad = dict.fromkeys(("cut", "swapped", "empty"), "FAILED")
    assert (summary["status"], states(summary)) == ("SUCCEEDED", {**states(good), **bad})
    joint = summary["cohort"]["files"]["gather.vcf"]
    assert samples_of(joint) == ["sample2", "sample3", "sample4"]
    lines = text_of(joint).splitlines(keepends=True)
    missing = [line for line in lines if line.startswith("##genomics_pipeline_missing_samples=")]
    assert missing == ["##genomics_pipeline_missing_samples=3 of 6: cut,swapped,empty\n"]
    alone = text_of(good["cohort"]["files"]["gather.vcf"])
    assert "".join(line for line in lines if line not in missing) == alone
    assert {file.parent.name for file in (folder / "run/steps/alignment").glob("*/failure.json")} == bad.keys()


def test_fixed_samples_succeed_and_no_trace_of_the_failures_is_left(
    summary: dict[str, Any], folder: Path, cohort: Path, run: Run, tmp_path: Path
) -> None:
    shutil.copytree(folder / "run", tmp_path / "run")
    reads = read_files(cohort)
    fixed = {name: copy_pair(reads["sample3"], tmp_path / name) for name in ("cut", "swapped", "empty")}
    sheet = write_sheet(tmp_path / "sheet.csv", {"cut": fixed["cut"], **reads, **fixed})
    after = run(tmp_path / "run", sheet=sheet)
    assert set(states(after).values()) == {"SUCCEEDED"}
    assert {row["sample"] for row in after["samples"] if row["reused"]} == set(reads)
    assert not list((tmp_path / "run/steps").glob("*/*/failure.json"))
    joint = after["cohort"]["files"]["gather.vcf"]
    assert samples_of(joint) == ["cut", *reads, "swapped", "empty"]
    assert "missing_samples" not in text_of(joint)


def test_spoiled_it_is_done_no_more(good: dict[str, Any], cohort: Path, run: Run, tmp_path: Path) -> None:
    shutil.copytree(good["run"], tmp_path / "run")
    reads = read_files(cohort)
    reads["sample3"] = copy_pair(reads["sample3"], tmp_path / "spoiled")
    reads["sample3"][0].unlink()
    reads["sample3"][0].write_bytes(gzip.compress(b"@r1\nAC\n"))
    after = run(tmp_path / "run", sheet=write_sheet(tmp_path / "sheet.csv", reads))
    assert failure_of(tmp_path / "run", "alignment", "sample3")[0] == "bad_input"
    assert samples_of(after["cohort"]["files"]["gather.vcf"]) == ["sample2", "sample4"]
