"""The program of a head that is a job: run its command, and put itself back into the queue before its time limit.

Slurm starts it in the head's folder below the run. SIGUSR1 says that the time limit is near (``--signal``). SIGTERM
comes from ``genomics-pipeline cancel``, which leaves a file before, and the command then cancels the jobs of the run;
or from Slurm, as when the head is preempted. Then, as at the time limit, the command is killed, so that the jobs go on,
and the next start of this job resumes the run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from genomics_pipeline.report.output import echo_line
from genomics_pipeline.runs.slurm.head import CANCELLED, COMMAND, read_command
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError

JOB_ID = "SLURM_JOB_ID"
AGAIN_S = 5.0  # after a question that Slurm did not answer


class HeadJob:
    """The head of a run in this process.

    Args:
        folder: The folder of the head, below the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program: subprocess.Popen[bytes] | None = None
        self._wanted: signal.Signals | None = None  # for the program
        self._time_is_over = False

    def run(self) -> int:
        """Run the command to its end and return its exit code."""
        if self._is_cancelled():
            return 128 + signal.SIGTERM
        command = read_command(self._folder / COMMAND)
        signal.signal(signal.SIGUSR1, self._leave_in_time)
        signal.signal(signal.SIGTERM, self._end)
        self._program = subprocess.Popen(command.argv, cwd=command.folder, stdin=subprocess.DEVNULL)
        self._pass_on()  # a signal that came before
        code = self._program.wait()
        if self._time_is_over:
            self._requeue()
            return 0
        return code if code >= 0 else 128 - code

    def _is_cancelled(self) -> bool:
        return (self._folder / CANCELLED).exists()

    def _leave_in_time(self, *_: object) -> None:
        self._time_is_over, self._wanted = True, signal.SIGKILL
        self._pass_on()

    def _end(self, *_: object) -> None:
        self._wanted = signal.SIGTERM if self._is_cancelled() else signal.SIGKILL
        self._pass_on()

    def _pass_on(self) -> None:
        if self._program and self._wanted:
            self._program.send_signal(self._wanted)

    def _requeue(self) -> None:
        """Put this job back into the queue; Slurm then ends this process."""
        slurm, job_id = SlurmCommands(os.environ), os.environ[JOB_ID]
        for failures in count():
            try:
                slurm.requeue(job_id)
                return
            except SlurmError as error:
                if failures:  # the first may be the end of this job, whose processes Slurm ends
                    echo_line(f"the head is not put back into the queue yet: {error.message}", err=True)
                time.sleep(AGAIN_S)


if __name__ == "__main__":
    sys.exit(HeadJob(Path.cwd()).run())
