"""Damaged records of a run: commands that read it end with a message, change nothing, and copy whole outputs only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.runs.software_versions import FILE as VERSIONS
from tests.fuzz.harness import Ended, batches, for_each_input, run_command, tree
from tests.fuzz.mutations import HOSTILE, damage_bytes, damage_value
from tests.small_project import SmallProject, stage_toml

pytestmark = pytest.mark.fuzz
COUNT = """\
import json, sys
task = json.load(open(sys.argv[1]))
text = open(task["inputs"]["reads"][0]["fastq_1"]).read()
if "bad" in text:
    sys.exit("error: a bad read")
open(task["outputs"]["count"], "w").write(f"{len(text)}\\n")
"""
DECLARATIONS = """\
[inputs.reads]
type = "reads"
[outputs.count]
path = "{sample}.count.txt"
"""
NEVER_READ = ("results/", "log.txt", ".lock")  # the outputs and the logs are data
OUTPUT_BYTES = len(b"15\n")
READERS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("status", "--json"),
    ("results",),
    ("results", "--json"),
    ("results", "--failed"),
    ("results", "--failed", "--tsv"),
    ("logs", "--failed"),
)
WORDS = (*HOSTILE, b"null", b"{}", b"[]", b'"results/../../x"', b"SUCCEEDED", b"FAILED", b"{\n", b'"Key":')


@pytest.fixture(scope="module")
def ended_run(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """Return a project whose run ended, with one of two samples failed, and was rerun once."""
    project = SmallProject(tmp_path_factory.mktemp("project"))
    project.step("counting", COUNT, DECLARATIONS)
    project.pipeline(stage_toml("counting", "./counting", "counts/{sample}", {"reads": "sample.reads"}))
    project.samples({"good": "@r\nACGT\n+\nIIII\n", "bad": "@bad\nACGT\n+\nIIII\n"})
    run_command(*project.arguments())
    run_command("rerun", project.run, "--sample", "bad")
    assert len(list(project.run.glob("map-runs/*/*/FAILED_0.jsonl"))) == 2
    return project


@pytest.fixture
def copied_run(ended_run: SmallProject, tmp_path: Path) -> Path:
    """Return a copy of the run, in a folder of its own."""
    shutil.copytree(ended_run.run, tmp_path / "inside" / "run")
    return tmp_path / "inside" / "run"


def records_of(run: Path) -> list[Path]:
    return sorted(
        path
        for path in run.rglob("*")
        if path.is_file() and not any(part in f"{path.relative_to(run)}" for part in NEVER_READ)
    )


def damaged(data: bytes, random: Random) -> bytes:
    """Return a damaged record: members of its JSON object in half of the cases, else its bytes."""
    if data.startswith(b"{") and data.count(b"\n{") == 0 and random.random() < 0.5:
        return json.dumps(damage_value(json.loads(data), random)).encode()
    return damage_bytes(data, random, WORDS)


@pytest.mark.parametrize("numbers", batches(2500, 125))
def test_readers(numbers: range, copied_run: Path, tmp_path: Path) -> None:
    records = records_of(copied_run)

    def check(random: Random) -> None:
        record = random.choice(records)
        with_damage(record, damaged(record.read_bytes(), random), lambda: reads_only(random, copied_run, tmp_path))

    for_each_input("records", numbers, check)


def with_damage(record: Path, data: bytes, check: Callable[[], object]) -> None:
    """Call a check while a record is damaged, and name the record if the check fails."""
    original = record.read_bytes()
    record.write_bytes(data)
    try:
        check()
    except Exception as error:
        raise AssertionError(f"{record.name}: {data!r}: {error}") from error
    finally:
        record.write_bytes(original)


def reads_only(random: Random, run: Path, around: Path) -> Ended:
    before = tree(around)
    command, *options = random.choice(READERS)
    ended = run_command(command, run, *options)
    assert tree(around) == before
    return ended


@pytest.mark.parametrize("numbers", batches(1000, 125))
def test_download(numbers: range, copied_run: Path, tmp_path: Path) -> None:
    """Whatever the completion record says, only whole outputs of the run are copied, below the folder asked for.

    The file of versions says what the record says, in characters that can be printed.
    """
    record = copied_run / "steps" / "counting" / "good" / "step.json"
    outputs = {path.read_bytes() for path in (copied_run / "results").rglob("*") if path.is_file()}
    out = tmp_path / "inside" / "out"

    def check(random: Random) -> None:
        shutil.rmtree(out, ignore_errors=True)
        with_damage(record, damaged(record.read_bytes(), random), download)

    def download() -> None:
        before = tree(tmp_path)
        run_command("results", copied_run, "--download", out)
        after = {path: stat for path, stat in tree(tmp_path).items() if not path.startswith("inside/out/")}
        assert after == before
        copied = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        versions = copied.pop(out / "pipeline_info" / VERSIONS, b"").decode()
        assert all(line.isprintable() for line in versions.split("\n"))
        assert set(copied.values()) <= outputs

    for_each_input("downloads", numbers, check)


@pytest.mark.parametrize("numbers", batches(250, 25))
def test_run_again(numbers: range, ended_run: SmallProject) -> None:
    """Whatever is damaged, the same command ends with the same outputs, or says what is wrong and changes none."""
    records = records_of(ended_run.run)
    original = {path: path.read_bytes() for path in ended_run.run.rglob("*") if path.is_file()}
    output = ended_run.run / "results" / "counts" / "good" / "good.count.txt"

    def restore() -> None:
        shutil.rmtree(ended_run.run)
        for path, data in original.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def check(random: Random) -> None:
        record = random.choice([*records, output])
        how = random.choice(["--resume", "", "rerun"])
        damage = damaged(original[record], random)
        record.write_bytes(damage)
        try:
            again = ["rerun", str(ended_run.run)] if how == "rerun" else ended_run.arguments(*filter(None, [how]))
            ended = run_command(*again)
            # A last output, which no step reads, is compared by its size only.
            assert output.read_bytes() in (original[output], damage if len(damage) == OUTPUT_BYTES else b""), ended
        except Exception as error:
            raise AssertionError(f"{how} {record.name}: {damage!r}: {error}") from error
        finally:
            restore()

    for_each_input("runs", numbers, check)
