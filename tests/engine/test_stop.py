"""StopExecution: the end of a running execution, and descriptions of its running Map Runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.events import ChildEnded
from genomics_pipeline.engine.execution import Engine, Stop
from genomics_pipeline.engine.history import EventFile
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.start import StartRequest, run_execution
from genomics_pipeline.engine.tasks.handlers import Handlers
from tests.engine.conftest import EngineHarness
from tests.engine.distributed_map.map_states import WRITER, over


class StoppedExecution:
    """An execution whose tasks wait forever, except that with the argument ``last``, which stops it.

    Attributes:
        map_runs: The number of Map Runs that it waits for before the stop.
        live: The descriptions of the running Map Runs just before the stop.
    """

    def __init__(self, harness: EngineHarness, history: Path, map_runs: int = 0) -> None:
        self.harness, self.history, self.map_runs = harness, history, map_runs
        self.live: list[dict[str, Any]] = []

    def run(self, state: dict[str, Any]) -> ExecutionResult:
        return asyncio.run(self._run(state))

    async def _run(self, state: dict[str, Any]) -> ExecutionResult:
        main = asyncio.current_task()
        assert main is not None

        async def task(arguments: Any, context: Any) -> Any:
            if arguments == "first":
                return arguments
            if arguments == "last":
                while len(engine.running_map_runs) < self.map_runs:
                    await asyncio.sleep(0)
                self.live = [describe() for describe in engine.running_map_runs.values()]
                engine.stop = Stop("Cancelled", "by a person")
                main.cancel()
            return await asyncio.Event().wait()

        harness = self.harness
        harness.journal.mkdir()
        store: Any = harness.store
        engine = Engine(store, Handlers({"work": task}), harness.clock, harness.events.append, harness.journal)
        document = {"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}}
        with EventFile(self.history) as events:
            return await run_execution(engine, StartRequest(document, "last", "run-1", "machine"), events)


def test_a_stopped_execution_is_aborted_in_its_result_history_and_journal(
    harness: EngineHarness, tmp_path: Path
) -> None:
    state = {"Type": "Task", "Resource": "work", "End": True}
    result = StoppedExecution(harness, tmp_path / "history").run(state)
    assert (result.status, result.error, result.cause) == ("ABORTED", "Cancelled", "by a person")
    last = json.loads((tmp_path / "history").read_bytes().splitlines()[-1])
    assert last["type"] == "ExecutionAborted"
    assert last["executionAbortedEventDetails"] == {"cause": "by a person", "error": "Cancelled"}
    again = [json.loads(line) for line in (harness.journal / "execution.jsonl").read_bytes().splitlines()]
    assert again[-1]["result"]["status"] == "ABORTED"


def test_a_running_map_run_can_be_described_and_its_files_are_written_on_abort(
    harness: EngineHarness, tmp_path: Path
) -> None:
    items: Any = ["first", "second", "last", "never"]
    stopped = StoppedExecution(harness, tmp_path / "history")
    result = stopped.run(over(items, "work", MaxConcurrency=2, ResultWriter=WRITER))
    assert result.status == "ABORTED"
    (live,) = stopped.live
    none = {"timedOut": 0, "aborted": 0, "failuresNotRedrivable": 0, "pendingRedrive": 0, "failed": 0}
    counts = {"pending": 1, "running": 2, "succeeded": 1, "total": 4, "resultsWritten": 0, **none}
    assert (live["status"], live["itemCounts"], live["executionCounts"]) == ("RUNNING", counts, counts)
    assert "stopDate" not in live
    (run,) = result.map_runs
    counts = {**none, "pending": 1, "running": 0, "succeeded": 1, "aborted": 2, "total": 4, "resultsWritten": 4}
    assert (run["status"], run["itemCounts"], run["executionCounts"]) == ("ABORTED", counts, counts)
    assert sorted(event.status for event in harness.seen(ChildEnded)) == ["ABORTED", "ABORTED", "SUCCEEDED"]
    files: Any = json.loads(harness.store.objects[harness.store.uri_of("manifest.json")])["ResultFiles"]
    rows: Any = {kind: harness.store.lines(f"s3://b/{files[kind][0]['Key']}") for kind in files}
    assert {kind: [row["Status"] for row in members] for kind, members in rows.items()} == {
        "FAILED": ["ABORTED", "ABORTED"],
        "PENDING": ["PENDING"],
        "SUCCEEDED": ["SUCCEEDED"],
    }


def test_the_counts_of_a_running_map_run_include_all_items_of_its_batches(
    harness: EngineHarness, tmp_path: Path
) -> None:
    stopped = StoppedExecution(harness, tmp_path / "history")
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": "work", "Arguments": "{% $states.input.Items[0] %}", "End": True}},
    }
    batcher = {"MaxItemsPerBatch": 2}
    stopped.run(over(["a", "b", "last", "c", "d"], ItemProcessor=processor, ItemBatcher=batcher, MaxConcurrency=2))
    (live,) = stopped.live
    counts = [
        {name: live[kind][name] for name in ("pending", "running", "total")}
        for kind in ("itemCounts", "executionCounts")
    ]
    assert counts == [{"pending": 1, "running": 4, "total": 5}, {"pending": 1, "running": 2, "total": 3}]


def test_map_runs_within_children_are_listed_in_the_order_of_their_children(
    harness: EngineHarness, tmp_path: Path
) -> None:
    inner = over("{% $states.input %}", "work", Label="Inner", ResultWriter=WRITER)
    outer = over([["wait"] * number for number in range(1, 9)] + [["wait"] * 8 + ["last"]])
    outer["ItemProcessor"] |= {"StartAt": "Within", "States": {"Within": inner}}
    result = StoppedExecution(harness, tmp_path / "history", map_runs=10).run(outer)
    assert [(run["status"], run["label"], run["itemCounts"]["total"]) for run in result.map_runs] == [
        *(("ABORTED", "Inner", number) for number in range(1, 10)),
        ("ABORTED", "Each", 9),
    ]
