"""Accessions of sample sheets, resolved by a loopback server with the recorded shape of ENA's reports.

The shape is that of SRR16298157 (ENA portal API, `filereport?result=read_run&format=json`): files without a scheme and
their MD5s, between semicolons. The third file of a pair is described in ENA's "Archive Generated Run Files".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from genomics_pipeline.runs import accessions
from tests.fakes.web_files import WebFiles
from tests.fuzz.harness import Ended, run_command
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

MD5 = hashlib.md5(READS.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
def ena(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebFiles]:
    """Yield a server that is ENA's portal and has its files."""
    monkeypatch.setattr(accessions, "PAUSES_S", (0.0,))
    with WebFiles() as server:
        monkeypatch.setenv("GENOMICS_PIPELINE_ENA", f"{server.url}/portal/")
        yield server


@pytest.fixture
def copying(project: SmallProject) -> SmallProject:
    project.step("copying", COPY, COPY_DECLARATIONS.replace('"reads"\n', '"reads"\nstream = true\n', 1))
    project.pipeline(stage_toml("copying", "./copying", "copies", {"reads": "sample.reads"}))
    return project


def report(ena: WebFiles, accession: str, runs: dict[str, tuple[str, ...]]) -> None:
    """Serve the report on an accession: the endings of the files of each run."""
    rows = []
    for run, endings in runs.items():
        paths = [f"/vol1/fastq/{run[:6]}/{run}/{run}{ending}.fastq.gz" for ending in endings]
        for path in paths:
            ena.put(path, READS.encode())
        places = [f"{ena.url.removeprefix('http://')}{path}" for path in paths]
        rows.append({"run_accession": run, "fastq_ftp": ";".join(places), "fastq_md5": ";".join([MD5] * len(paths))})
    ena.reports[accession] = json.dumps(rows).encode()


def sheet(project: SmallProject, text: str) -> Path:
    file = project.folder / "sheet.csv"
    file.write_text(text)
    return file


def normalised(file: Path) -> list[dict[str, str | None]]:
    ended = run_command("manifest", "validate", file, "--normalised")
    assert ended.code == 0, ended.err
    return [lane for line in ended.out.splitlines() for lane in json.loads(line)["lanes"]]


def asked(ena: WebFiles) -> list[str]:
    return [one.path for one in ena.requests if one.path.startswith("/portal/")]


def test_a_run_asks_once_and_holds_what_it_found(copying: SmallProject, ena: WebFiles) -> None:
    report(ena, "SRR1629815", {"SRR1629815": ("",)})
    sheet(copying, "sample,accession\na,SRR1629815\n")
    first = run_command(*copying.arguments())
    assert first.code == 0, first.err
    assert (copying.run / "results/copies/a.txt").read_text() == READS
    url = f"{ena.url}/vol1/fastq/SRR162/SRR1629815/SRR1629815.fastq.gz#md5={MD5}"
    lane = {"lane": "SRR1629815", "fastq_1": url, "fastq_2": None, "accession": "SRR1629815"}
    assert json.loads((copying.run / "manifest.jsonl").read_text())["lanes"] == [lane]
    assert asked(ena) == [
        "/portal/filereport?accession=SRR1629815&result=read_run"
        "&fields=run_accession%2Cfastq_ftp%2Cfastq_md5&format=json"
    ]
    ena.reports.clear()
    for option in ("--resume", "--dry-run"):
        assert run_command(*copying.arguments(option)).code == 0
    assert len(asked(ena)) == 1


def test_an_experiment_gives_a_lane_for_each_run(copying: SmallProject, ena: WebFiles) -> None:
    report(ena, "SRX738839", {"SRR000002": ("_1", "_2"), "SRR000001": ("", "_1", "_2")})
    report(ena, "SAMN0001", {"ERR000009": ("_1",)})
    file = sheet(copying, "sample,lane,library,accession\na,,pcr,SRX738839\na,mine,,SAMN0001\n")
    lanes = normalised(file)
    assert [lane["lane"] for lane in lanes] == ["SRR000001", "SRR000002", "mine"]
    names = [
        [(lane[name] or "").rpartition("/")[2].partition(".")[0] for name in ("fastq_1", "fastq_2")] for lane in lanes
    ]
    assert names == [["SRR000001_1", "SRR000001_2"], ["SRR000002_1", "SRR000002_2"], ["ERR000009_1", ""]]
    assert [lane.get("library") for lane in lanes] == ["pcr", "pcr", None]
    assert "warning" not in run_command("manifest", "validate", file).err
    assert len(asked(ena)) == 2  # without --normalised, nothing is asked for


def errors(ended: Ended, folder: Path) -> list[str]:
    assert ended.code == 1
    return [line.replace(f"{folder}/", "") for line in ended.err.splitlines()]


def test_all_accessions_that_cannot_be_used_are_reported_at_once(copying: SmallProject, ena: WebFiles) -> None:
    report(ena, "SRR000002", {"SRR000002": ()})
    report(ena, "SRR000003", {"SRR000003": ("_a", "_b")})
    report(ena, "SRR000004", {"SRR000004": ("",)})
    report(ena, "SRX000004", {"SRR000004": ("",)})
    ena.reports["SRR000005"] = b'{"message": "Invalid fieldName(s) supplied"}'
    ena.reports["SRR000006"] = b""
    names = ["SRR000001", *(f"SRR00000{number}" for number in range(2, 7)), "SRX000004"]
    sheet(copying, "sample,accession\n" + "".join(f"s{n},{name}\n" for n, name in enumerate(names)))
    public = "expected a public run, experiment or sample, found none at ENA with the accession"
    assert errors(run_command(*copying.arguments()), copying.folder) == [
        f"error: sheet.csv:2:accession: sample s0: {public} SRR000001",
        "error: sheet.csv:3:accession: sample s1: expected FASTQ files of SRR000002 at ENA, found none; convert its "
        "files of the SRA and name them as fastq_1 and fastq_2",
        "error: sheet.csv:4:accession: sample s2: expected one FASTQ file of SRR000003 at ENA, or a pair, found "
        "SRR000003_a.fastq.gz, SRR000003_b.fastq.gz; name them yourself",
        "error: sheet.csv:6:accession: sample s4: expected ENA's report on the files of SRR000005, found something "
        "else; try again later",
        f"error: sheet.csv:7:accession: sample s5: {public} SRR000006",
        f"error: sheet.csv:8:accession: expected each run once, found {ena.url}/vol1/fastq/SRR000/SRR000004/"
        "SRR000004.fastq.gz on line 5 too",
    ]
    assert not copying.run.exists()


def test_no_answer_is_reported_after_another_attempt(copying: SmallProject, ena: WebFiles) -> None:
    report(ena, "SRR000001", {"SRR000001": ("",)})
    file = sheet(copying, "sample,accession\na,SRR000001\n")
    ena.statuses = [503]
    assert normalised(file)
    ena.statuses = [503, 503]
    (line,) = errors(run_command("manifest", "validate", file, "--normalised"), copying.folder)
    assert line.startswith(
        f"error: sheet.csv:2:accession: sample a: expected ENA's report on SRR000001: {ena.url}/portal/"
    )
    assert line.endswith("expected a file that can be read, found the answer 503 Service Unavailable")
