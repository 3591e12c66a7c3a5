"""Steps on Lambda with --containers: the image below our Runtime API, with the same results as in processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from tests.fakes import lambda_rie
from tests.small_annotation import SmallAnnotation, small_pipeline
from tests.small_functions import write_function, write_pipeline

PROGRAM = """
import os, pathlib, time

def tried(path):
    try:
        pathlib.Path(path, "written").write_text("x")
        return True
    except OSError:
        return False

def handle(batch):
    for index, record in enumerate(batch.records.to_pylist()):
        if record["do"] == "fail":
            batch.fail(index, "asked for")
        if record["do"] == "raise":
            raise KeyError("amount")
        if record["do"] == "use":
            bytes(bytearray(b"x") * (600 << 20))
        if record["do"] == "wait":
            time.sleep(600)
        if record["do"] == "look":
            return {"root": os.getuid() == 0, "etc": tried("/etc"), "step": tried("/opt/step"), "tmp": tried("/tmp")}
    return [one * 2 for one in batch.records["amount"].to_pylist()]
"""


def genomics_pipeline(*words: str | Path, **variables: str) -> str:
    """Run the program with further environment variables, and return what it prints."""
    argv = [sys.executable, "-m", "genomics_pipeline", *map(str, words)]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    assert ended.stdout, ended.stderr
    return ended.stdout


def run(folder: Path, out: str, *more: str, **variables: str) -> dict[str, object]:
    """Run the records of a folder, and return the summary."""
    words: list[str | Path] = ["--out", folder / out, "--pipeline", folder / "sums.toml", "--json", *more]
    summary: dict[str, object] = json.loads(genomics_pipeline("run", folder / "day.jsonl", *words, **variables))
    return summary


@pytest.fixture(params=["runtime api", "emulator"])
def variables(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return the variables for calls through our Runtime API, or through the stand-in of AWS's emulator."""
    if request.param == "runtime api":
        return {}
    program = lambda_rie.install(tmp_path, "/opt/genomics-pipeline/bin/python")  # of the image
    return {"GENOMICS_PIPELINE_LAMBDA_RIE": str(program)}


def test_the_image_gives_the_results_and_errors_of_processes(
    engine: ContainerEngine, tmp_path: Path, variables: dict[str, str]
) -> None:
    """The function is no root, and can write to nothing but /tmp."""
    write_function(tmp_path / "score", PROGRAM, form="arrow", timeout_s=20)
    write_pipeline(tmp_path, settings="items_per_batch = 1")
    asked = ["", "fail", "raise", "look", "use", "wait", ""]
    records = ({"amount": number, "do": do} for number, do in enumerate(asked))
    (tmp_path / "day.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    there = run(tmp_path, "there", "--containers", **variables)
    lines = [json.loads(line) for line in (tmp_path / "there/results/score.jsonl").read_text().splitlines()]
    assert lines == [0, 2, {"root": False, "etc": False, "step": False, "tmp": True}, 12]
    here = run(tmp_path, "here")
    assert there["missing"] == here["missing"]
    assert there["missing"]["by_class"] == {"bad_input": 1, "tool_error": 1, "out_of_memory": 1, "timeout": 1}  # type: ignore[index]
    left = engine.run("ps", "--all", "--quiet", "--filter", f"label=genomics-pipeline.run={tmp_path / 'there'}")
    assert left == ""
    log = (tmp_path / "there/steps/score/log.txt").read_text()
    assert ("START RequestId: " in log) == bool(variables), "only the emulator logs as Lambda does"


def test_the_shipped_function_gives_the_same_alerts_in_its_image(engine: ContainerEngine, tmp_path: Path) -> None:
    genomics_pipeline("simulate", "--out", tmp_path, "--transactions", "3000")
    profiles = f"transactions.profiles={tmp_path / 'profiles.json'}"
    options = ["--pipeline", "transactions", "--param", profiles]
    for out, more in (("here", []), ("there", ["--containers"])):
        records = tmp_path / "transactions" / "000000.jsonl"
        genomics_pipeline("run", records, *options, "--out", tmp_path / out, *more)
    here, there = ((tmp_path / out / "results" / "transactions.jsonl").read_bytes() for out in ("here", "there"))
    assert here == there
    assert b'"account"' in here


def test_preflight_reads_the_files_of_a_sheet_in_its_image(engine: ContainerEngine, tmp_path: Path) -> None:
    """The files are mounted one by one, those behind links too."""
    genomics_pipeline("simulate", "--out", tmp_path / "made", "--samples", "3", "--length", "10000", "--depth", "5")
    lines = ["sample,lane,fastq_1,fastq_2"]
    for lane in ("L001", "L002"):
        pair = [tmp_path / f"{lane}_R{mate}.fastq.gz" for mate in (1, 2)]
        for mate, link in enumerate(pair, 1):
            link.symlink_to(tmp_path / "made/fastq" / f"sample1_S1_{lane}_R{mate}_001.fastq.gz")
        lines.append(",".join(("a", lane, *map(str, pair))))
    (tmp_path / "sheet.csv").write_text("\n".join(lines) + "\n")
    for out, more in (("here", []), ("there", ["--containers"])):
        genomics_pipeline("run", tmp_path / "sheet.csv", "--pipeline", "preflight", "--out", tmp_path / out, *more)
    here, there = ((tmp_path / out / "results" / "preflight.jsonl").read_bytes() for out in ("here", "there"))
    assert here == there
    assert here.count(b'"whole"') == 4


def test_shards_of_a_vcf_are_annotated_and_joined_in_images(engine: ContainerEngine, tmp_path: Path) -> None:
    """The functions write files of the run, though they are no root, and own nothing of it where the user is."""
    small = SmallAnnotation(tmp_path)
    options: list[str | Path] = ["--pipeline", small_pipeline(tmp_path, shard_bytes=20_000), *small.parameters]
    for out, more in (("here", []), ("there", ["--containers"])):
        genomics_pipeline("run", small.vcf, *options, "--out", tmp_path / out, *more)
    names = ("results/annotation/annotated.vcf.gz", "results/annotation/annotation.json", "results/join.jsonl")
    here, there = ([(tmp_path / out / name).read_bytes() for name in names] for out in ("here", "there"))
    assert here == there
    assert json.loads(here[-1])["shards"] > 1
