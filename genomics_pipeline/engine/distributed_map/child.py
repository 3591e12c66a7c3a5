"""The child executions of a Map Run, each from its start to the journal record of its end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orjson import Fragment

from genomics_pipeline.engine.distributed_map.children import ChildInput
from genomics_pipeline.engine.distributed_map.map_run_journal import ChildEnd, MapRunJournal
from genomics_pipeline.engine.distributed_map.result_rows import SuccessRows, ended_row
from genomics_pipeline.engine.events import ChildEnded, ChildStarted, StateEntered
from genomics_pipeline.engine.execution import Engine, Execution
from genomics_pipeline.engine.history import History
from genomics_pipeline.engine.interpreter import Frame, handing_on_chain, run_machine
from genomics_pipeline.engine.journal import JournalRecord
from genomics_pipeline.engine.redrive import NOT_REDRIVEN
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import TIMEOUT, StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps, quoted, text_of

_ABORTED = {"status": "ABORTED"}


@dataclass(slots=True)
class EndedChild:
    """A child that has ended.

    Attributes:
        input: Its input, perhaps as a `KeptJson`.
        end: Its end, which is not durable yet.
        events: The number of events of its history.
    """

    input: Any
    end: ChildEnd
    events: int


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
    _rows: SuccessRows = field(init=False)
    _chain: Sequence[tuple[str, str]] | None = field(init=False)

    def __post_init__(self) -> None:
        limit = math.inf if self.express else quotas.HISTORY.value
        chain = handing_on_chain(self.processor)
        object.__setattr__(self, "_rows", SuccessRows(self.machine))
        object.__setattr__(self, "_chain", None if chain is None or _events(len(chain)) > limit else chain)

    def name(self, index: int) -> str:
        """Return the name of a child: unique, and the same after a crash."""
        return f"{self.map_run[:24]}{index:012x}"

    def start(self, child: ChildInput) -> Execution:
        """Return the execution of a child that is about to run; its start counts as a transition."""
        engine, now = self.engine, self.engine.clock.now()
        name = self.name(child.index)
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

    def handed_on(self, child: ChildInput) -> EndedChild | None:
        """Run a child whose states hand on its input as it is, and return its end; None for any other child."""
        if self._chain is None or child.index in self.journal.redriven:
            return None
        index, name = self.first + child.index, self.name(child.index)
        observer, start = self.engine.observer, self.engine.clock.now()
        observer(ChildStarted(self.label, index, name, child.value))
        for state, kind in self._chain:
            observer(StateEntered(state, kind, 0, self.label, index))
        record = {
            "name": name,
            "start": start,
            "stop": start,
            "items": child.items,
            "transitions": 1 + len(self._chain),
            "status": "SUCCEEDED",
        }
        text = quoted(child.value.text)
        row = self._rows.row(name, (start, start), (text, text))
        return EndedChild(child.value, ChildEnd(child.index, record, row), _events(len(self._chain)))

    def end(self, child: Execution, items: int, outcome: JournalRecord) -> EndedChild:
        """Return a child with its end.

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
        row, text = None, text_of(child.input)
        if outcome["status"] != "SUCCEEDED":
            record = {**record, "input": text.decode(), **outcome}
        else:
            record["status"] = "SUCCEEDED"
            before = quoted(text)
            after = before if outcome["output"] is child.input else quoted(text_of(outcome["output"]))
            row = self._row(record, before, after)
        end = ChildEnd(child.index - self.first, record, row)
        return EndedChild(child.input, end, child.history.last + 1)  # with the event of its end

    def _row(self, record: JournalRecord, before: bytes, after: bytes) -> Sequence[bytes]:
        """Return the row of a child that succeeded, given its record and its input and output as JSON strings."""
        if "redrives" not in record:
            return self._rows.row(record["name"], (record["start"], record["stop"]), (before, after))
        _, row = ended_row({**record, "input": Fragment(before), "output": Fragment(after)}, self.machine)
        return [dumps(row)]

    def abortion(self, child: Execution, items: int) -> EndedChild:
        """Return the end of a child that was stopped with its Map Run."""
        return self.end(child, items, _ABORTED)

    async def save(self, ended: Sequence[EndedChild]) -> None:
        """Make children's ends durable, count them, and report them to the observer."""
        await self.journal.add([child.end for child in ended])
        for child in ended:
            self._report(child)

    def _report(self, child: EndedChild) -> None:
        record, index = child.end.record, self.first + child.end.index
        end = record["status"], record.get("error"), record.get("cause"), record["items"]
        counts = record["transitions"], child.events
        self.engine.observer(ChildEnded(self.label, index, record["name"], child.input, *end, *counts))


def _events(states: int) -> int:
    """Return the number of events of a child that succeeds: two for each state, its start and its end."""
    return 2 * states + 2
