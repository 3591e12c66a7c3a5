"""Redrives of Map Runs while they run: crashes, descriptions, and executions that were stopped before."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.events import ChildEnded
from genomics_pipeline.engine.execution import Engine, Stop
from genomics_pipeline.engine.history import EventFile
from genomics_pipeline.engine.start import StartRequest, run_execution
from genomics_pipeline.engine.tasks.handlers import Handlers
from tests.engine.conftest import EngineHarness
from tests.engine.distributed_map.map_states import WRITER, over
from tests.engine.distributed_map.redriven_files import files, rows
from tests.engine.redrive_service import Service, run

NONE = {"timedOut": 0, "failuresNotRedrivable": 0, "pendingRedrive": 0, "running": 0}


def test_a_crash_in_a_redrive_loses_nothing(harness: EngineHarness, tmp_path: Path) -> None:
    """Truncate the Map Run's file at every line after the start of the redrive: it stays the same redrive."""
    service = Service(1, 3)
    state = over(list(range(5)), "work", MaxConcurrency=1, ToleratedFailureCount=1, ResultWriter=WRITER)
    states = {"M": state}
    run(harness, service, states)
    service.repair()
    complete = run(harness, service, states, redrive=True)
    assert service.ran == [1, 3, 4]
    (uuid,) = (path.stem for path in harness.journal.glob("*.jsonl") if path.stem != "execution")
    ends = (harness.journal / f"{uuid}.jsonl").read_bytes().splitlines(keepends=True)
    log = (harness.journal / "execution.jsonl").read_bytes().splitlines(keepends=True)
    redriven = next(n for n, line in enumerate(log) if line.startswith(b'{"redrive"')) + 1
    first = next(n for n, line in enumerate(ends) if line.startswith(b'{"redrive"'))
    row_files = list(harness.journal.glob("*.rows"))
    for cut in range(first, len(ends) + 1):
        harness.journal = tmp_path / f"cut-{cut}"
        harness.journal.mkdir()
        for row_file in row_files:
            shutil.copy(row_file, harness.journal)
        (harness.journal / "execution.jsonl").write_bytes(b"".join(log[:redriven]))
        (harness.journal / f"{uuid}.jsonl").write_bytes(b"".join(ends[:cut]))
        service.ran = []
        again = run(harness, service, states)
        assert (again.status, again.map_runs, again.transitions) == (
            "SUCCEEDED",
            complete.map_runs,
            complete.transitions,
        )
        done = sum(line.startswith(b'{"end"') for line in ends[first:cut])
        assert service.ran == [1, 3, 4][done:]
        listed = files(harness, "Redrive-1/")
        assert [row["Input"] for row in rows(harness, listed, "SUCCEEDED")] == ["0", "2", "1", "3", "4"]


def test_children_that_wait_for_their_redrive_are_counted(harness: EngineHarness, tmp_path: Path) -> None:
    """Check that children that wait for their redrive are ``pendingRedrive``, neither failed nor pending."""
    service = Service(0, 1)
    live: list[Any] = []
    engines: list[Engine] = []

    async def work(arguments: Any, context: Any) -> Any:
        if not service.broken:
            live.extend(describe() for describe in engines[-1].running_map_runs.values())
        return await service.work(arguments, context)

    async def go(redrive: bool) -> Any:
        store: Any = harness.store
        engine = Engine(store, Handlers({"work": work}), harness.clock, harness.events.append, harness.journal)
        engines.append(engine)
        state = over([0, 1, 2], "work", MaxConcurrency=1, ToleratedFailureCount=1, ResultWriter=WRITER)
        document = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}}
        with EventFile(None) as events:
            return await run_execution(engine, StartRequest(document, 1, "run-1", "machine"), events, redrive)

    harness.journal.mkdir()
    assert asyncio.run(go(False)).status == "FAILED"
    service.repair()
    assert asyncio.run(go(True)).status == "SUCCEEDED"
    counts = {**NONE, "failed": 0, "aborted": 0, "total": 3, "resultsWritten": 0, "running": 1}
    assert [description["itemCounts"] for description in live] == [
        {**counts, "succeeded": 0, "pending": 1, "pendingRedrive": 1},
        {**counts, "succeeded": 1, "pending": 1},
        {**counts, "succeeded": 2, "pending": 0},
    ]


def test_a_stopped_execution_can_be_redriven(harness: EngineHarness, tmp_path: Path) -> None:
    service = Service()
    waiting = asyncio.Event

    async def go(redrive: bool) -> Any:
        main = asyncio.current_task()
        assert main is not None

        async def work(arguments: Any, context: Any) -> Any:
            service.ran.append(arguments)
            if not redrive and arguments == "b":
                engine.stop = Stop("Cancelled", "by a person")
                main.cancel()
                await waiting().wait()
            return arguments

        store: Any = harness.store
        engine = Engine(store, Handlers({"work": work}), harness.clock, harness.events.append, harness.journal)
        state = over(["a", "b", "c"], "work", MaxConcurrency=1, ResultWriter=WRITER)
        document = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}}
        with EventFile(tmp_path / "history") as events:
            return await run_execution(engine, StartRequest(document, 1, "run-1", "machine"), events, redrive)

    harness.journal.mkdir()
    stopped = asyncio.run(go(False))
    assert (stopped.status, stopped.map_runs[0]["status"]) == ("ABORTED", "ABORTED")
    harness.events.clear()
    again = asyncio.run(go(True))
    assert (again.status, again.map_runs[0]["redriveCount"]) == ("SUCCEEDED", 1)
    assert service.ran == ["a", "b", "b", "c"]
    assert [event.index for event in harness.seen(ChildEnded)] == [1, 2]
