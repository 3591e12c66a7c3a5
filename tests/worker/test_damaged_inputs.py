"""Inputs of a step that change while it reads them, and outputs of earlier stages that are not as recorded."""

from __future__ import annotations

import json
import os
import threading
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord, read_completion
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.stores.protocol import Store, TransferStopped
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import read_step
from genomics_pipeline.worker.task_resources import TaskResources
from genomics_pipeline.worker.verified import VerifiedFiles
from tests.small_project import COPY, COPY_DECLARATIONS, write_step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST = f"""{COPY_DECLARATIONS}
[inputs.reference]
type = "reference"
indexes = ["fai"]
"""
SECOND = """
[inputs.text]
type = "file"
HOW
[outputs.upper]
path = "{sample}.upper.txt"
"""
UPPER = """
import json, sys
task = json.load(open(sys.argv[1]))
open(task["outputs"]["upper"], "w").write(open(task["inputs"]["text"]).read().upper())
"""
INDEXED = 'indexes = ["idx"]'
FILES = {"a.fq": "@a\n", "reference.fa": ">c\nACGT\n", "panel.bed": "c\n"}
REPLACE = (
    "open({file} + '.new', 'w').write(open({file}).read()); "
    "os.utime({file} + '.new', ns=(0, os.stat({file}).st_mtime_ns)); os.replace({file} + '.new', {file})"
)


class Stages:
    """Two stages over the sample ``a``: copying reads, then upper case.

    Attributes:
        folder: The folder of the user's files.
        store: The store of the run.
        place: The place of the run.
    """

    def __init__(self, folder: Path, store: Store, place: RunPlace, stream: bool = False) -> None:
        self.folder, self.store, self.place = folder, store, place
        write_step(folder, "copy", COPY, FIRST)
        write_step(folder, "upper", UPPER, SECOND.replace("HOW", "stream = true" if stream else INDEXED))
        for name, text in FILES.items():
            (folder / name).write_text(text)

    def run(self, step: str, **parameters: Any) -> CompletionRecord:
        inputs = {"reads": "sample.reads", "reference": "reference"}
        lanes = [{"lane": "L1", "fastq_1": str(self.folder / "a.fq"), "fastq_2": None}]
        payload = TaskPayload(
            stage=f"{step}-stage",
            step=step,
            scope="sample",
            run=self.place,
            reference=str(self.folder / "reference.fa"),
            parameters=parameters,
            inputs=inputs if step == "copy" else {"text": "copy-stage.copy"},
            publish={"copy": "copies", "upper": "uppers"},
            items=({"sample": "a", "lanes": lanes},),
            upstream={},
        )
        resources = TaskResources(1, 100, self.folder / "scratch", self.folder / "cache", threading.Event(), os.environ)
        return run_task(payload, read_step(self.folder / step), self.store, resources)[0]

    def failure(self, step: str, **parameters: Any) -> StepFailed:
        with pytest.raises(StepFailed) as caught:
            self.run(step, **parameters)
        return caught.value


@pytest.fixture
def here(tmp_path: Path) -> Stages:
    return Stages(tmp_path, LocalStore({"RUN": tmp_path / "run"}), RunPlace("r", "RUN", ""))


@pytest.mark.parametrize("file", ["reads", "reference", "panel", "index"])
@pytest.mark.parametrize(
    "change",
    [
        "open({file}, 'a').write('more')",
        "os.truncate({file}, 1)",
        "open({file}, 'r+').write('X')",  # the size stays
        "os.utime({file}, ns=(0, 1))",
        REPLACE,  # the size and the time stay
        "os.unlink({file})",
    ],
)
def test_a_file_that_changes_while_it_is_read_is_reported(here: Stages, file: str, change: str) -> None:
    panel = here.folder / "panel.bed"
    names = {"reads": "a.fq", "reference": "reference.fa", "panel": "panel.bed", "index": "reference.fa.fai"}
    here.run("copy", panel=str(panel))  # builds the index
    program = change.format(file="reference + '.fai'" if file == "index" else file)
    failure = here.failure("copy", panel=str(panel), program=program)
    assert (failure.failure_class, failure.task_exit_code) == (FailureClass.BAD_INPUT, 65)
    assert str(failure).startswith(f"{here.folder / names[file]}: was changed while copy-stage of a read it: expected ")
    assert str(failure).endswith("nothing was published; run it again when the file no longer changes")
    assert read_completion(here.store, here.place, "copy-stage", "a") is None


def test_a_change_is_the_reason_also_if_the_program_fails(here: Stages) -> None:
    failure = here.failure("copy", program="os.truncate(reads, 1); sys.exit('error: a cut record')")
    assert "a.fq: was changed while copy-stage of a read it: expected 3 bytes" in str(failure)
    assert not (here.folder / "run/results").exists()


def test_files_that_are_only_looked_at_have_not_changed(here: Stages) -> None:
    assert not here.run("copy", program="os.chmod(reads, 0o600); open(reads).read(); open(reads + '.bai', 'w')").reused


def test_the_bytes_of_inputs_are_those_of_files_and_indexes_without_the_reference(here: Stages) -> None:
    assert here.run("copy").input_bytes == 3  # of the reads
    assert here.run("upper").input_bytes == 3 + 3  # of the copy and its index


def outputs(here: Stages) -> dict[str, Path]:
    return {name: here.folder / "run/results/copies" / name for name in ("a.txt", "a.txt.idx")}


@pytest.mark.parametrize("name", ["a.txt", "a.txt.idx"])
@pytest.mark.parametrize("damage", [b"", b"cut", b"@x\n", b"inde%", None])
def test_a_damaged_output_is_made_again_by_its_stage(here: Stages, name: str, damage: bytes | None) -> None:
    first = here.run("copy")
    output = outputs(here)[name]
    original = output.read_bytes()
    if damage is None:
        output.unlink()
    else:
        output.write_bytes(damage)
    failure = here.failure("upper")
    assert failure.failure_class is FailureClass.BAD_INPUT
    assert str(failure).startswith(f"{output}: expected ")
    assert str(failure).endswith("; copy-stage of a has to run again")
    assert read_completion(here.store, here.place, "copy-stage", "a") is None
    again = here.run("copy")
    assert (again.reused, again.outputs) == (False, first.outputs)
    assert output.read_bytes() == original
    assert not here.run("upper").reused
    assert here.run("upper").reused


def test_an_output_is_read_for_its_digest_once(here: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    here.run("copy")
    reads: list[str] = []
    original = here.store.open

    def opened(uri: str) -> BinaryIO:
        reads.append(uri)
        return original(uri)

    monkeypatch.setattr(here.store, "open", opened)
    here.run("upper")
    assert not [uri for uri in reads if "/results/" in uri]  # it was hashed when it was published
    (here.folder / "run/.engine/verified").rename(here.folder / "another run began")
    write_step(here.folder, "upper", UPPER, SECOND.replace("HOW", INDEXED), version="2")
    here.run("upper")
    assert sorted(uri for uri in reads if "/results/" in uri) == [
        "s3://RUN/results/copies/a.txt",
        "s3://RUN/results/copies/a.txt.idx",
    ]
    reads.clear()
    write_step(here.folder, "upper", UPPER, SECOND.replace("HOW", INDEXED), version="3")
    here.run("upper")
    assert not [uri for uri in reads if "/results/" in uri]


def test_a_cancelled_task_does_not_read_on(here: Stages) -> None:
    here.run("copy")
    (here.folder / "run/.engine/verified").rename(here.folder / "another run began")
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(TransferStopped):
        VerifiedFiles.of(here.store, here.place).check("s3://RUN/results/copies/a.txt", "0", cancelled)


@pytest.mark.parametrize(
    ("stream", "name", "damage"),
    [
        (False, "a.txt", b"@x\n"),
        (False, "a.txt", b""),
        (False, "a.txt.idx", b"inde%"),
        (True, "a.txt", b"@x\n"),
        (True, "a.txt", b""),
    ],
)
def test_a_damaged_object_is_made_again_by_its_stage(
    s3: S3Client, aws: str, tmp_path: Path, stream: bool, name: str, damage: bytes
) -> None:
    here = Stages(tmp_path, object_store(), RunPlace("r", "lab", "runs/r/"), stream)
    s3.create_bucket(Bucket="lab")
    here.run("copy")
    s3.put_object(Bucket="lab", Key=f"runs/r/results/copies/{name}", Body=damage)
    failure = here.failure("upper")
    assert str(failure).endswith("; copy-stage of a has to run again")
    assert read_completion(here.store, here.place, "copy-stage", "a") is None
    assert not here.run("copy").reused
    assert not here.run("upper").reused


def test_an_object_of_another_size_is_not_reused(s3: S3Client, aws: str, tmp_path: Path) -> None:
    here = Stages(tmp_path, object_store(), RunPlace("r", "lab", "runs/r/"))
    s3.create_bucket(Bucket="lab")
    here.run("copy")
    assert here.run("copy").reused
    s3.put_object(Bucket="lab", Key="runs/r/results/copies/a.txt", Body=b"cut")
    assert here.run("copy").reused  # of the same size: only a reader would notice
    s3.put_object(Bucket="lab", Key="runs/r/results/copies/a.txt", Body=b"cu")
    assert not here.run("copy").reused
    record = json.loads(s3.get_object(Bucket="lab", Key="runs/r/steps/copy-stage/a/step.json")["Body"].read())
    assert record["outputs"]["copy"]["sha256"] == sha256(b"@a\n").hexdigest()
