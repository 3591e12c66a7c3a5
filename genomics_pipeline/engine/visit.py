"""A visit to a state: the data of its fields, and the transition that ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from genomics_pipeline.engine.execution import Execution
from genomics_pipeline.engine.trail import Trail
from genomics_pipeline.language.errors import StatesError, too_large
from genomics_pipeline.language.host import Host
from genomics_pipeline.language.query_language import Node, Outcome, QueryLanguage
from genomics_pipeline.language.timestamps import format_timestamp
from genomics_pipeline.model import quotas
from genomics_pipeline.model.json_text import dumps

_RETRIED = frozenset({"Task", "Parallel", "Map"})  # what can be retried: recorded, a Pass has no RetryCount


@dataclass(slots=True)
class Transition:
    """The outcome of a visit, and the way on.

    Attributes:
        output: The state's output.
        variables: The variables after it.
        next: The next state; None where the machine ends.
        assign: ``Assign`` of what led on.
    """

    output: Any
    variables: Mapping[str, Any]
    next: str | None
    assign: Node | None = None

    @classmethod
    def of(cls, outcome: Outcome, node: Node) -> Self:
        """Return the transition after the state, the Choice rule or the catcher that leads on."""
        return cls(*outcome, node.get("Next"), node.get("Assign"))

    def exit_details(self, name: str) -> dict[str, Any]:
        """Return the details of the event of a state's exit."""
        if not self.assign:
            return {"name": name, "output": self.output}
        names = [key.removesuffix(".$") for key in self.assign]
        assigned = {key: self.variables[key] for key in names}
        return {"name": name, "output": self.output, "assignedVariables": assigned}


@dataclass(slots=True)
class Visit:
    """A visit to a state.

    Attributes:
        execution: The execution.
        name: The state's name.
        state: The state.
        raw: Its input, before InputPath.
        variables: The variables it sees.
        path: Names this visit in the journal.
        language: What its fields are written in.
        trail: Its path through the history.
        item: ``Map`` of the context object, inside an iteration of an inline Map.
        before: Its entry before a redrive, which it goes on with: `entry`.
        attempt: 0, or how many times it was retried.
        token: ``Task.Token`` of the context object, while a Task waits for it.
        entered: When, in seconds since the epoch.
        event: The number of the event it was entered at.
        input: Its effective input.
        started: Whether its branches or iterations were started, and have not succeeded.
    """

    execution: Execution
    name: str
    state: Mapping[str, Any]
    raw: Any
    variables: Mapping[str, Any]
    path: str
    language: QueryLanguage
    trail: Trail
    item: Node | None = None
    before: Node | None = None
    attempt: int = 0
    token: str | None = None
    entered: float = field(init=False)
    event: int = field(init=False)
    input: Any = field(init=False)
    started: bool = field(init=False)
    _start: int | None = field(init=False, default=None)  # the event of its branches' or iterations' start

    def __post_init__(self) -> None:
        kind = self.state["Type"]
        if self.before is None:
            self.entered = self.execution.engine.clock.now()
            self.event = self.trail.add(f"{kind}StateEntered", "stateEntered", {"name": self.name, "input": self.raw})
        else:
            self.entered, self.event = self.before["entered"], self.before["event"]
            self.trail.last = self.event
        self.trail.state = kind
        self.input = None
        self.started = False

    @property
    def host(self) -> Host:
        """The source of time and chance for the state's expressions."""
        return self.execution.engine.host

    def entry(self) -> dict[str, Any]:
        """Return what a redrive goes on with: when it was entered, and the events of that."""
        return {"entered": self.entered, "event": self.event, "start": self._start}

    @property
    def attempt_path(self) -> str:
        """Names this attempt in the journal; attempts before a redrive count here, though not for ``Retry``."""
        earlier = self.execution.recorder.last_attempt(self.path) if self.execution.redrives.count else 0
        return f"{self.path}.{earlier + self.attempt}"

    def start(self, details: Node | None = None) -> None:
        """Its branches or iterations start: ``MapStateStarted``; a redrive goes on where they did."""
        kind, before = self.state["Type"], self.before
        self.before = None
        if before is not None and before["start"] is not None:
            self._start = self.trail.last = before["start"]
        else:
            self._start = self.trail.add(f"{kind}StateStarted", f"{kind.lower()}StateStarted", details)
        self.started = True

    def succeed(self) -> None:
        """They succeeded."""
        self.trail.add_side_event(f"{self.state['Type']}StateSucceeded")
        self.started = False

    def report_failure(self, failure: StatesError) -> StatesError:
        """Return a failure of the state in AWS's words; add an event for that of an expression."""
        error = failure.with_state(self.name, self.event)
        if failure.location is not None:
            details = {**error.details(), "location": failure.location, "state": self.name}
            self.trail.add("EvaluationFailed", "evaluationFailed", details)
        return error.with_final_cause()

    def context(self, item: Node | None = None) -> dict[str, Any]:
        """Return the context object; `item` is ``Map`` of one item of this state."""
        found = self.execution.context()
        found["State"] = {"Name": self.name, "EnteredTime": format_timestamp(self.entered)}
        if self.state["Type"] in _RETRIED:
            found["State"]["RetryCount"] = self.attempt
        if item or self.item:
            found["Map"] = item or self.item
        if self.token is not None:
            found["Task"] = {"Token": self.token}
        return found

    def arguments(self, node: Node, prefix: str = "", default: Any = None) -> Any:
        """Return ``Arguments`` or ``Parameters`` of a node of the state; the default where there is neither."""
        return self.language.arguments(self, node, prefix, default)

    def field(self, node: Node, name: str, default: Any = None, prefix: str = "") -> Any:
        """Return the value of a field of a node, or of its ``…Path`` form; the default where there is neither."""
        return self.language.field(self, node, name, prefix, default)

    def template(self, value: Any, field: str, item: Node | None = None) -> Any:
        """Return the value of a payload template: ItemSelector, BatchInput."""
        return self.language.template(self, value, field, item)

    def transition(self) -> Transition:
        """Return the transition after a state without a result."""
        return Transition.of(self.language.outcome_without_result(self, self.state, ""), self.state)

    def check_payload(self, value: Any) -> Any:
        """Return the value, which is part of the state's input or output.

        Raises:
            StatesError: ``States.DataLimitExceeded``.
        """
        if len(dumps(value)) > quotas.PAYLOAD.value:
            raise too_large(self.name)
        return value
