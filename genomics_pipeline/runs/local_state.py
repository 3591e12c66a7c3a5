"""How a run in a folder stands: from its record, its lock and its journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from genomics_pipeline.engine.progress import Progress, UnfinishedMapRun, read_progress
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.chain import Earlier, Execution, answers, earlier, local_chain
from genomics_pipeline.runs.find_run import LocalRun
from genomics_pipeline.runs.map_run_answer import failures_of, failures_of_child, failures_once, map_run_state
from genomics_pipeline.runs.run_files import COHORT, RunFiles, StageGroup, run_files
from genomics_pipeline.runs.run_state import MapRunState, RunState


class LocalState:
    """Looks at one run again and again; what earlier executions left is only read once.

    Args:
        run: The run.
    """

    def __init__(self, run: LocalRun) -> None:
        self._run = run
        self._chain: list[Execution] = []
        self._before = Earlier()

    def now(self) -> RunState:
        """The run's state now.

        Raises:
            RunError: for files that are not a run's.
        """
        chain = local_chain(self._run.folder)
        if chain != self._chain:
            self._before = earlier(run_files(self._run), chain, partial(answers, self._run))
            self._chain = chain
        return _state(self._run, chain, self._before)


def _state(run: LocalRun, chain: Sequence[Execution], before: Earlier) -> RunState:
    folder, files = run.folder, run_files(run)
    record = folder.record()
    if not record:
        raise RunError(f"{folder.path}: expected an execution, found none yet: its inputs are prepared, or were")
    newest = chain[-1]
    progress = read_progress(folder.journal(newest.name))
    status = folder.status()
    groups = files.groups()
    summary = record.get("summary") or {}
    result = progress.result or {}
    failure = classify(result.get("error") or "", result.get("cause") or "") if status == "FAILED" else None
    cohort = [stage for group in groups if group.label is None for stage in group.stages]
    started = datetime.fromisoformat(record["started"]).timestamp()
    return RunState(
        run=folder.name,
        place=str(folder.path),
        pipeline=record["pipeline"],
        status=status,
        started=started,
        stopped=started + summary["seconds"] if summary else None,
        map_runs=[before.with_newest(one) for one in _map_runs(groups, progress, files, status, newest.manifest)],
        cohort=[(stage, done(files, stage)) for stage in cohort],
        failures=[
            *before.all_failures(),
            *(failure for one in progress.ended for failure in failures_of(files.store, one)),
            *(failure for one in progress.unfinished for told in one.failures for failure in failures_of_child(*told)),
            *failures_once(failure, cohort),
        ],
        error=summary.get("error"),
        execution=newest.name,
        executions=len(chain),
    )


def done(files: RunFiles, stage: str) -> bool:
    """Whether a stage that runs once is done."""
    return files.completion(stage, COHORT) is not None


def _map_runs(
    groups: list[StageGroup], progress: Progress, files: RunFiles, status: str, manifest: str
) -> Iterator[MapRunState]:
    ended = {one["label"]: one for one in progress.ended}
    unfinished = iter(progress.unfinished)  # one after the other, in the definition's order
    for group in groups:
        if group.label is None:
            continue
        if group.label in ended:
            yield map_run_state(ended[group.label])
            continue
        items = files.items_in(manifest) if group.scope == "sample" else files.items(group.scope)
        total = sum(1 for _ in items)
        if one := next(unfinished, None):
            yield _unfinished(group.label, total, one, status)
        else:
            yield MapRunState(group.label, "PENDING", total)


def _unfinished(label: str, total: int, one: UnfinishedMapRun, status: str) -> MapRunState:
    succeeded = one.items["SUCCEEDED"]
    running = len(one.begun) if status == "RUNNING" else 0
    return MapRunState(label, status, total, succeeded, one.items.total() - succeeded, running, one.started)
