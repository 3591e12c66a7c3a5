"""The check of nodes before the first job of a run: a short job on one node of each partition, or on every node."""

from __future__ import annotations

import hashlib
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import Problem, RunError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.slurm_options import BY_NODE, UNCHECKED, SlurmOptions
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.run_folder import RunFolder
from genomics_pipeline.runs.slurm.ends import never_starts
from genomics_pipeline.runs.slurm.job_output import tail
from genomics_pipeline.runs.slurm.node_check import (
    REQUEST,
    Answer,
    Expectation,
    answer_file,
    clock_s,
    package_words,
    read_answer,
    write_expectation,
)
from genomics_pipeline.runs.slurm.submission import PYTHON
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.slurm.slurm_job import SlurmJob
from genomics_pipeline.stores.publish import make_folders, publish_bytes

SCRIPT = f'#!/bin/sh\nexec "${PYTHON}" -P -m genomics_pipeline.runs.slurm.node_check\n'
PASSED = "passed"
MINUTES, MEMORY_MIB = 5, 512
LOOK_S = 1.0  # between two looks at the answers
LATE_S = 30.0  # after which a job that has ended, or is not listed, has no answer: file servers are late
SILENT_S = 600.0  # between two notes about jobs that wait
SHOWN_FOLDERS = 200  # of reads


def check_nodes(
    folder: RunFolder,
    options: SlurmOptions,
    reference: Path,
    samples: Sequence[Sample],
    adapters: Adapters,
    note: Callable[[str], None],
) -> None:
    """Check the nodes of a run, unless they were checked for it before.

    Args:
        folder: The folder of the run.
        options: The options of its jobs.
        reference: The prepared reference.
        samples: The samples, whose reads jobs read.
        adapters: The environment and the cache.
        note: Shows a line.

    Raises:
        RunError: with all problems of all nodes.
    """
    if options.check == UNCHECKED:
        return
    expected = _expectation(folder, options, reference, samples, adapters.cache)
    key = [sys.executable, expected.python, expected.package, expected.files, expected.folders, options.scratch]
    place = [options.partition, options.on_demand_partition, options.account, options.qos, options.check]
    digest = hashlib.sha256(compact([*key, *place]).encode()).hexdigest()[:16]
    check = folder.path / run_layout.SLURM_CHECKS / digest
    if (check / PASSED).exists():
        return
    make_folders(check, folder.path)
    write_expectation(check / REQUEST, expected, folder.path)
    try:
        problems = list(_NodeChecks(check, options, SlurmCommands(adapters.environment), note).problems())
    except SlurmError as error:
        raise RunError(f"the nodes cannot be checked: {error.message}; --slurm-check none leaves it out") from None
    if problems:
        raise RunError(problems)
    publish_bytes(check / PASSED, b"", folder.path)


def _expectation(
    folder: RunFolder, options: SlurmOptions, reference: Path, samples: Sequence[Sample], cache: Path
) -> Expectation:
    make_folders(folder.path / run_layout.SLURM_CHECKS, folder.path)
    names = (name for sample in samples for lane in sample.lanes for _, name in lane.files)
    folders = dict.fromkeys(str(Path(name).parent) for name in names if name.startswith("/"))
    return Expectation(
        python=platform.python_version(),
        package=package_words(),
        files=[(str(reference), reference.stat().st_size), *((one, 0) for one in list(folders)[:SHOWN_FOLDERS])],
        folders=[str(folder.path), *([str(cache)] if cache.is_dir() else [])],
        scratch=options.scratch,
        clock_s=clock_s(folder.path / run_layout.SLURM_CHECKS),
    )


class _NodeChecks:
    """The jobs of a check.

    Args:
        folder: The folder of the check.
        options: The options of jobs.
        slurm: The commands of Slurm.
        note: Shows a line.
    """

    def __init__(self, folder: Path, options: SlurmOptions, slurm: SlurmCommands, note: Callable[[str], None]) -> None:
        self._folder, self._options, self._slurm, self._note = folder, options, slurm, note
        self._jobs: dict[str, str] = {}  # by ID: the place that it checks, in words
        self._late: dict[str, float] = {}

    def problems(self) -> Iterator[Problem]:
        """Submit the jobs, and yield what they find.

        Raises:
            SlurmError: if Slurm does not take them.
        """
        for words, chosen in self._places():
            job_id = self._slurm.submit(self._argv(chosen), SCRIPT, {PYTHON: sys.executable})
            self._jobs[job_id] = words
        self._note(f"checking {', '.join(self._jobs.values())}: job {', '.join(self._jobs)}")
        try:
            yield from self._follow()
        finally:
            if self._jobs:
                with suppress(SlurmError):
                    self._slurm.cancel(list(self._jobs))

    def _places(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the partitions, or the nodes, to check, with the options of sbatch that choose them."""
        options = self._options
        partitions = dict.fromkeys([options.partition, *filter(None, [options.on_demand_partition])])
        seen: set[str] = set()
        for partition in partitions:
            chosen = [f"--partition={partition}"] if partition else []
            if options.check != BY_NODE:
                yield f"partition {partition}" if partition else "the default partition", chosen
                continue
            for node in self._slurm.usable_nodes(partition):
                if node not in seen:
                    seen.add(node)
                    yield node, [*chosen, f"--nodelist={node}"]

    def _argv(self, chosen: list[str]) -> list[str]:
        options = self._options
        named = {"account": options.account, "qos": options.qos}
        return [
            "--no-requeue",
            "--export=ALL",
            "--nodes=1",
            "--ntasks=1",
            "--cpus-per-task=1",
            options.memory(MEMORY_MIB, 1),
            f"--time={MINUTES}",
            f"--comment={self._folder.name}",
            "--job-name=genomics-pipeline-check",
            f"--chdir={self._folder}",
            "--output=%j.log",
            *chosen,
            *(f"--{name}={value}" for name, value in named.items() if value),
            *options.extra,
        ]

    def _follow(self) -> Iterator[Problem]:
        now = time.monotonic()
        next_question, next_note = now + self._options.poll_s, now + SILENT_S
        while self._jobs:
            time.sleep(LOOK_S)
            for job_id in list(self._jobs):
                if answer := read_answer(answer_file(self._folder, job_id)):
                    yield from self._answered(job_id, answer)
            now = time.monotonic()
            if now >= next_question:
                next_question, is_long = now + self._options.poll_s, now >= next_note
                next_note = now + SILENT_S if is_long else next_note
                yield from self._ask(is_long)

    def _answered(self, job_id: str, answer: Answer) -> Iterator[Problem]:
        del self._jobs[job_id]
        yield from (Problem(f"node {answer.node}: {problem}") for problem in answer.problems)
        if not answer.problems:
            self._note(f"checked: node {answer.node}, with {answer.free_gib:,} GiB free in {answer.scratch}")

    def _ask(self, is_long: bool) -> Iterator[Problem]:
        """Ask Slurm about the jobs without an answer, and yield why there will be none."""
        try:
            listed = {job.job_id: job for job in self._slurm.jobs()}
        except SlurmError as error:
            if is_long:
                self._note(f"Slurm does not answer; the check waits: {error.message}")
            return
        for job_id, words in list(self._jobs.items()):
            job = listed.get(job_id)
            if job and (end := never_starts(job)):
                yield self._refusal(job_id, f"{words}: {end.reason}")
            elif job is None or job.has_ended:
                if time.monotonic() - self._late.setdefault(job_id, time.monotonic()) >= LATE_S:
                    yield self._refusal(job_id, self._silence(words, job_id, job))
            elif is_long:
                self._note(f"the check of {words} waits: job {job_id} is {job.state} ({job.reason})")

    def _refusal(self, job_id: str, message: str) -> Problem:
        del self._jobs[job_id]
        with suppress(SlurmError):
            self._slurm.cancel([job_id])
        return Problem(message)

    def _silence(self, words: str, job_id: str, job: SlurmJob | None) -> str:
        """Return why a job that has ended left no answer."""
        log = self._folder / f"{job_id}.log"
        said = tail(log).strip().splitlines()
        place = f"node {job.node}" if job and job.node else words
        state = job.state if job else "no longer listed"
        found = said[-1] if said else "no output: the node may not have the run folder, or not at the same path"
        return f"{place}: expected {sys.executable} and {self._folder} there, found {found} (job {job_id}, {state})"
