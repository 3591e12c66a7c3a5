"""Steps on Lambda with --containers: the image below our Runtime API, with the same results as in processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from genomics_pipeline.runs.containers.container_engine import ContainerEngine
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


def genomics_pipeline(*words: str | Path) -> str:
    """Run the program, and return what it prints."""
    argv = [sys.executable, "-m", "genomics_pipeline", *map(str, words)]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    return ended.stdout


def run(folder: Path, out: str, *more: str) -> dict[str, object]:
    """Run the records of a folder, and return the summary."""
    words: list[str | Path] = ["--out", folder / out, "--pipeline", folder / "sums.toml", "--json", *more]
    summary: dict[str, object] = json.loads(genomics_pipeline("run", folder / "day.jsonl", *words))
    return summary


def test_the_image_gives_the_results_and_errors_of_processes(engine: ContainerEngine, tmp_path: Path) -> None:
    """The function is no root, and can write to nothing but /tmp."""
    write_function(tmp_path / "score", PROGRAM, form="arrow", resources="timeout_s = 20")
    write_pipeline(tmp_path, settings="items_per_batch = 1")
    asked = ["", "fail", "raise", "look", "use", "wait", ""]
    records = ({"amount": number, "do": do} for number, do in enumerate(asked))
    (tmp_path / "day.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    there = run(tmp_path, "there", "--containers")
    lines = [json.loads(line) for line in (tmp_path / "there/results/score.jsonl").read_text().splitlines()]
    assert lines == [0, 2, {"root": False, "etc": False, "step": False, "tmp": True}, 12]
    here = run(tmp_path, "here")
    assert there["missing"] == here["missing"]
    assert there["missing"]["by_class"] == {"bad_input": 1, "tool_error": 1, "out_of_memory": 1, "timeout": 1}  # type: ignore[index]
    left = engine.run("ps", "--all", "--quiet", "--filter", f"label=genomics-pipeline.run={tmp_path / 'there'}")
    assert left == ""


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
