"""The worker with a small step: an item is run, or its result is reused, or its failure is reported."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.worker.failure import StepFailed
from genomics_pipeline.worker.run import run_task
from genomics_pipeline.worker.step_folder import read_step
from genomics_pipeline.worker.task_resources import TaskResources
from tests.small_project import COPY, COPY_DECLARATIONS, write_step

EXIT_CODES = '[exit_codes]\n75 = "out_of_memory"\n'

# What the program of the step may do wrong.
REFUSE = """
print("error: reads.fq: record 3: expected '@', found '>'", file=sys.stderr)
sys.exit(65)
"""
CRASH = "raise ZeroDivisionError('of the program')"
FILL = """
open(outputs["copy"], "w").write("much")
print("[E::hts] failed to write: No space left on device", file=sys.stderr)
sys.exit("error: copy failed")
"""
STARVE = "sys.exit(75)"
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
FORGET = "endings = ['.idx']"
NO_INDEX = "endings = ['']"
BY_READS = "if text in ('bad', 'large'): sys.exit(65 if text == 'bad' else 75)"

Run = Callable[..., list[CompletionRecord]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_step(tmp_path, "copy", COPY, COPY_DECLARATIONS + EXIT_CODES)
    for name in ("a", "b"):
        (tmp_path / f"{name}.fq").write_text(f"@{name}\n")
    return tmp_path


def payload(folder: Path, *samples: str, **parameters: Any) -> TaskPayload:
    lanes = {name: [{"lane": "L1", "fastq_1": str(folder / f"{name}.fq"), "fastq_2": None}] for name in samples}
    return TaskPayload(
        stage="copying",
        step="copy",
        scope="sample",
        run=RunPlace("r", "RUN", "runs/r/"),
        reference="",
        parameters=parameters,
        inputs={"reads": "sample.reads"},
        publish={"copy": "copies/{sample}"},
        items=tuple({"sample": name, "lanes": lanes[name]} for name in samples),
        upstream={},
    )


@pytest.fixture
def run(folder: Path) -> Run:
    def call(
        task: TaskPayload, cancelled: threading.Event | None = None, host: Mapping[str, str] | None = None
    ) -> list[CompletionRecord]:
        store = LocalStore({"RUN": folder / "bucket"})
        return run_task(
            task,
            read_step(folder / "copy"),
            store,
            TaskResources(
                vcpus=1,
                memory_mib=100,
                scratch=folder / "scratch",
                cache=folder / "cache",
                cancelled=cancelled or threading.Event(),
                environment=os.environ,
                host=host or {},
            ),
        )

    return call


OPTIONAL = '[outputs.more]\npath = "{sample}.more.{ending}"\nindexes = ["idx"]\noptional = true\n'


def test_an_optional_output_may_be_left_out_and_what_is_left_of_it_goes(folder: Path, run: Run) -> None:
    write_step(folder, "copy", COPY, OPTIONAL + COPY_DECLARATIONS)
    task = replace(payload(folder, "a"), publish={"copy": "copies/{sample}", "more": "copies/{sample}"})
    without = replace(task, parameters={"program": 'del outputs["more"]'})
    copies = folder / "bucket/runs/r/results/copies/a"

    def files() -> list[str]:
        return sorted(file.name for file in copies.iterdir())

    (first,) = run(without)
    assert (list(first.outputs), files()) == (["copy"], ["a.txt", "a.txt.idx"])
    assert [record.reused for record in run(without)] == [True]
    assert list(run(task)[0].outputs) == ["more", "copy"]
    assert files() == ["a.more.txt", "a.more.txt.idx", "a.txt", "a.txt.idx"]
    run(without)
    assert files() == ["a.txt", "a.txt.idx"]
    run(replace(task, parameters={"ending": "fq"}))
    assert files() == ["a.fq", "a.fq.idx", "a.more.fq", "a.more.fq.idx"]


def test_outputs_record_and_log_are_in_their_folders(folder: Path, run: Run) -> None:
    (record,) = run(payload(folder, "a"))
    base = folder / "bucket/runs/r"
    assert (base / "results/copies/a/a.txt").read_text() == "@a\n"
    assert (base / "results/copies/a/a.txt.idx").exists()
    command, *printed = (base / "steps/copying/a/log.txt").read_text().splitlines()
    assert command.startswith("$ ")
    assert printed == ["working on a"]
    written = json.loads((base / "steps/copying/a/step.json").read_text())
    assert written == json.loads(json.dumps(record.to_json()))
    assert written["outputs"]["copy"]["key"] == "results/copies/a/a.txt"
    assert written["outputs"]["copy"]["indexes"] == [
        {"key": "results/copies/a/a.txt.idx", "size_bytes": 3, "sha256": sha256(b"@a\n").hexdigest()}
    ]
    assert written["parameters"] == {"ending": "txt", "panel": None, "program": "pass"}
    assert list((folder / "scratch").iterdir()) == []


def test_a_done_item_is_not_run_again(folder: Path, run: Run) -> None:
    assert [record.reused for record in run(payload(folder, "a"))] == [False]
    assert [record.reused for record in run(payload(folder, "a", "b"))] == [True, False]


def edit(record: Path, **members: Any) -> None:
    record.write_text(json.dumps({**json.loads(record.read_text()), **members}))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "record empty": lambda record: os.truncate(record, 0),
    "record cut": lambda record: os.truncate(record, record.stat().st_size - 3),
    "record of another item": lambda record: edit(record, item="b"),
    "record without output": lambda record: edit(record, outputs={}),
}


@pytest.mark.parametrize(
    "change",
    [
        "reads",
        "program",
        "parameter",
        "panel",
        "output lost",
        "output cut",
        "output longer",
        "index lost",
        "index cut",
        "record empty",
        "record cut",
        "record of another item",
        "record without output",
    ],
)
def test_a_changed_item_is_run_again(folder: Path, run: Run, change: str) -> None:
    panel = folder / "panel.bed"
    panel.write_text("chr1\n")
    task = payload(folder, "a", panel=str(panel))
    run(task)
    assert run(task)[0].reused
    result = folder / "bucket/runs/r/results/copies/a/a.txt"
    record = folder / "bucket/runs/r/steps/copying/a/step.json"
    if change == "reads":
        (folder / "a.fq").write_text("@changed\n")
    elif change == "program":
        (folder / "copy/copy.py").write_text(COPY + "\n# changed")
    elif change == "parameter":
        task = replace(task, parameters={**task.parameters, "ending": "text"})
    elif change == "panel":
        panel.write_text("chr1\nchr2\n")
    elif change in DAMAGE:
        DAMAGE[change](record)
    elif change.endswith("lost"):
        (result if change == "output lost" else result.with_name("a.txt.idx")).unlink()
    else:
        os.truncate(result.with_name("a.txt.idx") if "index" in change else result, 9 if "longer" in change else 1)
    assert not run(task)[0].reused
    assert change == "parameter" or result.read_text() == (folder / "a.fq").read_text()
    assert run(task)[0].reused


@pytest.mark.parametrize(
    ("program", "failure", "code", "message"),
    [
        (REFUSE, FailureClass.BAD_INPUT, 65, "reads.fq: record 3: expected '@', found '>'"),
        (KILLED, FailureClass.OUT_OF_MEMORY, 137, "killed as out of memory (exit code 137; it had 100 MiB)"),
        (STARVE, FailureClass.OUT_OF_MEMORY, 75, "working on a\nout of memory (exit code 75; it had 100 MiB)"),
        (
            FILL,
            FailureClass.OUT_OF_DISK,
            73,
            "copy failed\nno space left on the disk of {scratch}: free some space, then run again; "
            "the largest file of the task: out/a.txt",
        ),
        (
            FORGET,
            FailureClass.TOOL_ERROR,
            1,
            "expected the output copy, a.txt: the program succeeded without writing it",
        ),
        (
            NO_INDEX,
            FailureClass.TOOL_ERROR,
            1,
            "expected the output copy, a.txt: the program succeeded without writing its index (.idx)",
        ),
    ],
    ids=["refuse", "killed", "starve", "fill", "forget", "no index"],
)
def test_a_failure_has_its_class_and_message(
    folder: Path, run: Run, program: str, failure: FailureClass, code: int, message: str
) -> None:
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a", program=program))
    message = message.format(scratch=folder / "scratch")
    assert (caught.value.failure_class, caught.value.task_exit_code, str(caught.value)) == (failure, code, message)
    assert caught.value.log == "s3://RUN/runs/r/steps/copying/a/log.txt"
    assert not (folder / "bucket/runs/r/steps/copying/a/step.json").exists()
    assert not (folder / "bucket/runs/r/results").exists()


def test_a_crash_is_reported_with_its_last_lines(folder: Path, run: Run) -> None:
    with pytest.raises(StepFailed, match=r"ZeroDivisionError: of the program$") as caught:
        run(payload(folder, "a", program=CRASH))
    assert caught.value.failure_class is FailureClass.TOOL_ERROR


def test_a_full_disk_is_reported_whatever_the_program_prints(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=0))
    message = f"no space left on the disk of {folder}/scratch: free some space, then run again"
    with pytest.raises(StepFailed, match=rf"ZeroDivisionError: of the program\n{re.escape(message)}$") as caught:
        run(payload(folder, "a", program=CRASH))
    assert (caught.value.failure_class, caught.value.task_exit_code) == (FailureClass.OUT_OF_DISK, 73)


def test_a_full_disk_of_a_host_in_aws_is_reported_with_what_to_change(folder: Path, run: Run) -> None:
    declared = folder / "copy/step.toml"
    declared.write_text(declared.read_text() + "[resources]\ndisk_gib = 30\nvcpus = 2\n")
    host = {"instance_type": "m6id.large", "zone": "us-east-1a", "market": "spot"}
    for program, advised in ((FILL, True), (REFUSE, False)):
        with pytest.raises(StepFailed) as caught:
            run(payload(folder, "a", program=program), host=host)
        advice = (
            "\ncopy declares disk_gib = 30 for 2 vCPUs: if retries with more vCPUs fail, too, set disk_gib = 60 in "
            "[resources] of its step.toml, deploy, then rerun"
        )
        assert str(caught.value).endswith(advice) == advised
        assert (caught.value.task_exit_code == 73) == advised
        assert caught.value.log == "s3://RUN/runs/r/steps/copying/a/log.txt"


def test_a_bad_item_does_not_stop_the_others_of_its_batch(folder: Path, run: Run) -> None:
    (folder / "a.fq").write_text("bad")
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a", "b", program=BY_READS))
    assert caught.value.item == "a"
    assert (folder / "bucket/runs/r/steps/copying/b/step.json").exists()


def test_of_a_batch_a_failure_that_more_memory_may_fix_is_reported_first(folder: Path, run: Run) -> None:
    (folder / "a.fq").write_text("bad")
    (folder / "b.fq").write_text("large")
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a", "b", program=BY_READS))
    assert (caught.value.item, caught.value.failure_class) == ("b", FailureClass.OUT_OF_MEMORY)
    records = {name: failure(folder, name) for name in ("a", "b")}
    assert {name: record and record["class"] for name, record in records.items()} == {
        "a": "bad_input",
        "b": "out_of_memory",
    }


OF_THE_TASK = {"step", "version", "submitted", "started", "peak_memory_mib", "processor_seconds"}


def failure(folder: Path, sample: str) -> dict[str, Any] | None:
    """Return the content of ``failure.json``, which has no completion record beside it."""
    folder_of_item = folder / "bucket/runs/r/steps/copying" / sample
    if not (folder_of_item / "failure.json").exists():
        return None
    assert not (folder_of_item / "step.json").exists()
    record: dict[str, Any] = json.loads((folder_of_item / "failure.json").read_bytes())
    here = {"seconds", "vcpus", "memory_mib", "host", "number", "program", "because"}
    assert record.keys() - {"class", "message", "exit_code"} == here | OF_THE_TASK
    assert record["seconds"] >= 0
    return {name: record[name] for name in ("class", "message", "exit_code")}


def test_the_records_of_an_item_are_those_of_its_newest_task(folder: Path, run: Run) -> None:
    run(payload(folder, "a"))
    assert failure(folder, "a") is None
    with pytest.raises(StepFailed):
        run(payload(folder, "a", program=REFUSE))
    message = "reads.fq: record 3: expected '@', found '>'"
    assert failure(folder, "a") == {"class": "bad_input", "message": message, "exit_code": 65}
    assert not run(payload(folder, "a"))[0].reused
    assert failure(folder, "a") is None
    (folder / "a.fq").unlink()  # so that it fails before the program starts
    with pytest.raises(StepFailed):
        run(payload(folder, "a"))
    assert failure(folder, "a") == {
        "class": "bad_input",
        "message": f"{folder / 'a.fq'}: expected a file, found none",
        "exit_code": 65,
    }


def test_the_record_of_an_item_lists_the_attempts_that_failed_before(folder: Path, run: Run) -> None:
    reads = folder / "a.fq"
    good = reads.read_bytes()
    for bad in ("bad", "large"):
        reads.write_text(bad)
        with pytest.raises(StepFailed):
            run(payload(folder, "a", program=BY_READS))
    reads.unlink()  # so that it fails before the program starts
    with pytest.raises(StepFailed):
        run(payload(folder, "a", program=BY_READS))
    reads.write_bytes(good)
    (record,) = run(payload(folder, "a", program=BY_READS))
    assert [(one.number, one.failure_class, one.exit_code) for one in record.failed_attempts] == [
        (1, "bad_input", 65),
        (2, "out_of_memory", 75),
        (3, "bad_input", 65),
    ]
    assert failure(folder, "a") is None
    reads.write_text("bad")  # it was done: what fails now is a first attempt
    with pytest.raises(StepFailed):
        run(payload(folder, "a", program=BY_READS))
    text = json.loads((folder / "bucket/runs/r/steps/copying/a/failure.json").read_bytes())
    assert (text["number"], text.get("earlier")) == (1, None)


def test_a_step_that_runs_again_has_no_completion_record_meanwhile(folder: Path, run: Run) -> None:
    run(payload(folder, "a"))
    record = folder / "bucket/runs/r/steps/copying/a/step.json"
    assert record.exists()
    program = f"import os; assert not os.path.exists({str(record)!r})\n{COPY}"
    (folder / "copy/copy.py").write_text(program)
    run(payload(folder, "a"))
    assert record.exists()


def test_a_cancelled_task_keeps_the_completion_record(folder: Path, run: Run) -> None:
    run(payload(folder, "a"))
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(StepFailed):
        run(payload(folder, "a"), cancelled)
    assert failure(folder, "a") is None
    assert run(payload(folder, "a"))[0].reused


def test_missing_reads_are_bad_input(folder: Path, run: Run) -> None:
    (folder / "a.fq").unlink()
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a"))
    assert caught.value.failure_class is FailureClass.BAD_INPUT
    assert str(caught.value) == f"{folder / 'a.fq'}: expected a file, found none"


def test_a_missing_parameter_file_is_bad_input(folder: Path, run: Run) -> None:
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a", panel="/no/such.bed"))
    assert str(caught.value) == "parameter panel: /no/such.bed: expected a file, found none"


def test_a_cancelled_task_does_nothing(folder: Path, run: Run) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a"), cancelled)
    assert (caught.value.failure_class, caught.value.task_exit_code) == (FailureClass.CANCELLED, 143)


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "-rf"])
def test_a_name_that_leads_out_of_its_folder_is_refused(folder: Path, run: Run, name: str) -> None:
    task = replace(payload(folder, "a"), items=({"sample": name, "lanes": []},))
    with pytest.raises(Exception, match="expected a sample's name of letters"):
        run(task)


def test_a_parameter_cannot_lead_an_output_out_of_its_folder(folder: Path, run: Run) -> None:
    with pytest.raises(StepFailed) as caught:
        run(payload(folder, "a", ending="../../escaped"))
    assert caught.value.failure_class is FailureClass.BAD_INPUT
    assert str(caught.value) == (
        "output copy: expected a plain file name of {sample}.{ending}, found 'a.../../escaped'"
    )
    assert not list(folder.rglob("escaped"))
