"""The child executions of a Map Run, each from its start to the journal record of its end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.distributed_map.children import ChildInput
from genomics_pipeline.engine.distributed_map.map_run_journal import ChildEnd, MapRunJournal
from genomics_pipeline.engine.distributed_map.result_writer import ended_row
from genomics_pipeline.engine.events import ChildEnded, ChildStarted
from genomics_pipeline.engine.execution import Engine, Execution
from genomics_pipeline.engine.history import History
from genomics_pipeline.engine.interpreter import Frame, run_machine
from genomics_pipeline.engine.journal import JournalRecord
from genomics_pipeline.engine.redrive import NOT_REDRIVEN
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import TIMEOUT, StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps, quoted, text_of

_ABORTED = {"status": "ABORTED"}


@dataclass(frozen=True, slots=True)
class ChildRunner:
    """The runner of a Map Run's children.

    Attributes:
        engine: The state that all executions share.
        processor: ``ItemProcessor``.
        machine: Name of the children's state machine: ``NAME/LABEL``.
        label: The Map's label.
        express: Whether children are Express executions, whose time is limited and whose history is not.
        query_language: ``QueryLanguage`` of the document.
        journal: The Map Run's journal.
        map_run: The Map Run's UUID, from which children's names are derived, so that a restarted child keeps its name.
        is_aborted: Returns whether AWS aborts the Map Run.
        first: What is added to the index of a child in events and contexts; see `engine.events`.
    """

    engine: Engine
    processor: Mapping[str, Any]
    machine: str
    label: str
    express: bool
    query_language: str
    journal: MapRunJournal
    map_run: str
    is_aborted: Callable[[], bool]
    first: int = 0

    def start(self, child: ChildInput) -> Execution:
        """Return the execution of a child that is about to run; its start counts as a transition."""
        engine, now = self.engine, self.engine.clock.now()
        name = f"{self.map_run[:24]}{child.index:012x}"  # unique, and the same after a crash
        engine.observer(ChildStarted(self.label, self.first + child.index, name, child.value))
        before = self.journal.redriven.get(child.index)
        redriven = before and not self.express  # an Express child is restarted as another execution of the same name
        return Execution(
            engine,
            self.machine,
            name,
            child.value,
            before.start if before and redriven else now,
            self.journal.recorder(child.index),
            History(engine.clock, limit=math.inf if self.express else quotas.HISTORY.value),
            self.query_language,
            self.label,
            self.first + child.index,
            # A redriven child is not started again, but the repeated entry of its state is a transition.
            (before.transitions if before else 0) + (0 if redriven else 1),
            before.redrives.next(now) if before and redriven else NOT_REDRIVEN,
            self.is_aborted,
        )

    async def run(self, child: Execution) -> JournalRecord:
        """Run a child to its end and return the members of its record that describe the end."""
        trail = Trail(child.history)
        child.history.add("ExecutionStarted", 0)
        try:
            output = await run_machine(Frame(child, self.processor, trail), child.input, {})
        except StatesError as error:
            return {"status": "FAILED", "error": error.error, "cause": error.cause}
        return {"status": "SUCCEEDED", "output": output}

    async def run_within_limit(self, child: Execution) -> JournalRecord:
        """Run an Express child to its end or to its time limit; see `run`."""
        deadline = asyncio.timeout(quotas.EXPRESS_SECONDS.value)
        try:
            async with deadline:
                return await self.run(child)
        except TimeoutError:
            if not deadline.expired():
                raise
            return {"status": "TIMED_OUT", "error": TIMEOUT, "cause": None}

    def end(self, child: Execution, items: int, outcome: JournalRecord) -> ChildEnd:
        """Return a child's end.

        Args:
            child: The child.
            items: The number of items in its input.
            outcome: The members that describe the end; see `run`.
        """
        assert child.index is not None
        record = {
            "name": child.name,
            "start": child.started,
            "stop": self.engine.clock.now(),
            "items": items,
            "transitions": child.transitions,
            **({"redrives": child.redrives.count, "redriven": child.redrives.time} if child.redrives.count else {}),
        }
        index, text = child.index - self.first, text_of(child.input)
        if outcome["status"] != "SUCCEEDED":
            return ChildEnd(index, {**record, "input": text.decode(), **outcome})
        record["status"] = "SUCCEEDED"
        value = quoted(text)
        output = value if outcome["output"] is child.input else quoted(text_of(outcome["output"]))
        _, row = ended_row({**record, "input": value, "output": output}, self.machine)
        return ChildEnd(index, record, dumps(row))

    def abortion(self, child: Execution, items: int) -> ChildEnd:
        """Return the end of a child that was stopped with its Map Run."""
        return self.end(child, items, _ABORTED)

    async def save(self, ended: Sequence[tuple[Execution, ChildEnd]]) -> None:
        """Make children's ends durable, count them, and report them to the observer."""
        await self.journal.add([end for _, end in ended])
        for child, end in ended:
            self._report(child, end.record)

    def _report(self, child: Execution, record: JournalRecord) -> None:
        assert child.index is not None
        end = record["status"], record.get("error"), record.get("cause"), record["items"]
        counts = child.transitions, child.history.last + 1  # with the event of its end
        self.engine.observer(ChildEnded(self.label, child.index, child.name, child.input, *end, *counts))
