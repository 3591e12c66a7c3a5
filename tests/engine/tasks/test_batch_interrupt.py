"""The interruption of a process whose Batch jobs are running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.engine.tasks.batch_jobs import each, submit

INTERRUPTED = """
import json, sys, threading
from pathlib import Path
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.tasks.job import JobDefinition, JobEnd
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.machine_jobs import MachineJobs
from genomics_pipeline.engine.tasks.handlers import Handlers

folder, states, first = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "first"
both, ended, ran = threading.Barrier(2), [], []

def job(job):
    item = int(job.environment["ITEM"])
    ran.append(item)
    if not first or item < 2:
        return JobEnd(0)
    if both.wait() == 0:
        print("interrupt me", flush=True)
    assert job.cancelled.wait()
    ended.append(item)
    return JobEnd(143)

tasks = BatchTasks(MachineJobs({"small": JobDefinition(1, 1)}, job, cores=2, memory_mib=100))
document = {"QueryLanguage": "JSONata", "StartAt": "M", "States": states}
try:
    result = execute(document, {}, name="run-1", state_machine="m", store=None, journal=folder,
                     tasks=Handlers({"arn:aws:states:::batch:submitJob.sync": tasks.run}))
    print(json.dumps([result.status, sorted(ran), sorted(ended)]))
except KeyboardInterrupt:
    print(json.dumps(["interrupted", sorted(ran), sorted(ended)]))
"""


def test_an_interrupt_cancels_running_jobs_and_the_journal_can_be_resumed(tmp_path: Path) -> None:
    environment = [{"Name": "ITEM", "Value": "{% $string($states.input) %}"}]
    state = submit(JobDefinition="small", ContainerOverrides={"Environment": environment})
    state["Retry"] = [{"ErrorEquals": ["States.ALL"]}]  # which must not retry a job that was interrupted
    states = json.dumps({"M": each(state, 5, MaxConcurrency=2)})
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)

    def attempt(which: str) -> Any:
        command = [sys.executable, str(script), str(tmp_path / "journal"), states, which]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=accept_interrupts) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            if line == "interrupt me\n":
                process.send_signal(signal.SIGINT)
                line = process.stdout.readline()
        assert process.returncode == 0
        return json.loads(line)

    assert attempt("first") == ["interrupted", [0, 1, 2, 3], [2, 3]]
    assert attempt("again") == ["SUCCEEDED", [2, 3, 4], []]


def accept_interrupts() -> None:
    """Restore the handling of SIGINT, which the process that runs the tests may ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgrp()
