"""The command with --containers: the same files as without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.containers.container_engine import ContainerEngine
from tests.containers.conftest import SHARED
from tests.output_digests import output_digests
from tests.small_project import READS, SmallProject, stage_toml

DATA = SHARED / "data" / "1000g-3sample-chr21-chr22"
GENES = """\
chr22\tx\tgene\t1001\t7000\t.\t+\t.\tID=gene:G1;Name=G1;biotype=protein_coding
chr22\tx\tmRNA\t1001\t7000\t.\t+\t.\tID=transcript:T1;Parent=gene:G1;biotype=protein_coding
chr22\tx\tCDS\t1001\t7000\t.\t+\t0\tID=CDS:P1;Parent=transcript:T1
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "genomics_pipeline", "run", *map(str, arguments), "--json"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_real_reads_give_the_same_bytes_in_containers(
    images: dict[str, str], missing: Callable[[str], None], tmp_path: Path
) -> None:
    if not DATA.is_dir():
        missing(f"no real sequencing data in {DATA}")
    rows = [f"{name},{DATA}/{name}_R1.fastq.gz,{DATA}/{name}_R2.fastq.gz" for name in ("NA12878", "NA19401", "NA20359")]
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
    genes = tmp_path / "genes.gff3"
    genes.write_text(GENES)
    common = (sheet, "--reference", DATA / "reference.fa.gz", "--param", f"annotation.gff3={genes}")
    here = run(*common, "--out", tmp_path / "here")
    there = run(*common, "--out", tmp_path / "there", "--containers")
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    stages = {stage.name for stage in load_pipeline("germline")[0].stages}
    assert {place.partition("/")[0] for place in output_digests(tmp_path / "here")} == stages <= set(images)
    assert output_digests(tmp_path / "there") == output_digests(tmp_path / "here")
    again = run(*common, "--out", tmp_path / "there", "--containers")
    assert json.loads(again.stdout)["steps"]["run"] == 0


@pytest.fixture
def one_step(own_step: Callable[..., Path], project: SmallProject) -> Callable[..., list[str]]:
    """Return `one_step(name, program, memory_mib=…)`, which returns the arguments to run that step over a sample."""

    def call(name: str, program: str, memory_mib: int = 256) -> list[str]:
        own_step(name, program, memory_mib)
        project.pipeline(stage_toml(name, f"./steps/{name}", "out", {"reads": "sample.reads"}), settings="")
        project.samples({"a": READS})
        return project.arguments("--containers")[1:]

    return call


def leftovers(run_folder: Path, engine: ContainerEngine) -> str:
    return engine.run("ps", "--all", "--quiet", "--filter", f"label=genomics-pipeline.run={run_folder}")


def test_inputs_may_be_anywhere_on_this_machine(
    one_step: Callable[..., list[str]], engine: ContainerEngine, tmp_path: Path
) -> None:
    program = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["out"], "w").write(open(task["inputs"]["reads"][0]["fastq_1"]).read())
"""
    sheet, *options = one_step("copy", program)
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/link.fq").symlink_to("../../a.fastq")
    (tmp_path / "sheet.csv").write_text(f"sample,fastq_1\na,deep/er/link.fq\nb,file://{tmp_path}/a.fastq\n")
    out = tmp_path / "run 10:30, again"
    process = run(sheet, *options, "--reference", tmp_path / "deep/../reference.fa", "--out", out)
    assert process.returncode == 0, process.stdout + process.stderr
    assert {file.name: file.read_text() for file in (out / "results/out").iterdir()} == {
        "a.txt": READS,
        "b.txt": READS,
    }


TRIES = """
import json, os, sys
task = json.load(open(sys.argv[1]))
root = task["outputs"]["out"].partition("/.scratch/")[0]
found = {"engine": os.listdir(root + "/.engine"), "refused": []}
for name in ("definition.json", "manifest.jsonl", ".engine/lock"):
    try:
        open(root + "/" + name, "a")
    except OSError:
        found["refused"].append(name)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
found |= {name: status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs")}
try:
    found["parent"] = open(f"/proc/{os.getppid()}/environ").read()
except OSError:
    found["parent"] = None
open(task["outputs"]["out"], "w").write(json.dumps(found))
"""


def test_a_program_has_no_way_to_what_the_execution_keeps(one_step: Callable[..., list[str]], tmp_path: Path) -> None:
    process = run(*one_step("tries", TRIES), "--out", tmp_path / "run")
    assert process.returncode == 0, process.stdout + process.stderr
    assert json.loads((tmp_path / "run/results/out/a.txt").read_text()) == {
        "engine": ["verified"],
        "refused": ["definition.json", "manifest.jsonl", ".engine/lock"],
        "CapEff": "0000000000000000",
        "CapBnd": "0000000000000000",
        "NoNewPrivs": "1",
        "parent": None,
    }


WAITS = """
import json, signal, sys
task = json.load(open(sys.argv[1]))
root = task["outputs"]["out"].partition("/.scratch/")[0]
open(root + "/started", "w").close()
while True:
    signal.pause()
"""


@pytest.mark.parametrize(("number", "code", "remain"), [(signal.SIGINT, 130, False), (signal.SIGKILL, -9, True)])
def test_containers_end_with_their_run_or_with_the_next(
    number: signal.Signals,
    code: int,
    remain: bool,
    one_step: Callable[..., list[str]],
    engine: ContainerEngine,
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    (out / ".engine").mkdir(parents=True)
    os.mkfifo(out / "started")
    arguments = map(str, (*one_step("waits", WAITS), "--out", out))
    argv = [sys.executable, "-m", "genomics_pipeline", "run", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        (out / "started").open().close()  # blocks until the program opens it
        process.send_signal(number)
        assert process.wait() == code
    assert bool(leftovers(out, engine)) is remain
    if remain:
        (out / "started").unlink()  # the program then writes an ordinary file, and waits
        next_run = run(*one_step("ends", "import sys; sys.exit('error: no')"), "--out", out)
        assert json.loads(next_run.stdout)["samples"][0]["error"] == "ends: no"
        assert leftovers(out, engine) == ""


def test_a_task_that_exceeds_its_memory_is_reported_as_out_of_memory(
    one_step: Callable[..., list[str]], tmp_path: Path
) -> None:
    process = run(*one_step("hungry", "x = bytearray(400 << 20)\n", 128), "--out", tmp_path / "run")
    assert process.stdout, process.stderr
    (sample,) = json.loads(process.stdout)["samples"]
    assert sample["state"] == "FAILED"
    assert sample["error"] == "hungry: OutOfMemoryError: Container killed due to memory usage"
