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

_RETRIABLE = frozenset({"Task", "Parallel", "Map"})  # other states have no RetryCount, as recorded of a Pass


@dataclass(slots=True)
class Transition:
    """The end of a visit: its output, and the state that follows.

    Attributes:
        output: The state's output.
        variables: The variables after the state.
        next: The next state; None if the machine ends.
        assign: ``Assign`` of the state, the Choice rule or the catcher that decided on the next state.
    """

    output: Any
    variables: Mapping[str, Any]
    next: str | None
    assign: Node | None = None

    @classmethod
    def of(cls, outcome: Outcome, node: Node) -> Self:
        """Return the transition that a state, a Choice rule or a catcher decides on."""
        return cls(*outcome, node.get("Next"), node.get("Assign"))

    def exit_details(self, name: str) -> dict[str, Any]:
        """Return the details of the event of the exit from the state with that name."""
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
        variables: The variables that it sees.
        path: The visit's identity in the journal.
        language: The query language of its fields.
        trail: Its path through the history.
        item: ``Map`` of the context object, inside an iteration of an inline Map.
        before: The entry before a redrive, which this visit continues; see `entry`.
        attempt: The number of retries so far.
        token: ``Task.Token`` of the context object, while a Task waits for it.
        entered: Time of entry in seconds since the epoch.
        event: The number of the event of its entry.
        input: Its effective input.
        started: Whether its branches or iterations have started and not yet succeeded.
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
    _start: int | None = field(init=False, default=None)  # number of the …StateStarted event of a Map or Parallel

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
        """The source of time and randomness for the state's expressions."""
        return self.execution.engine.host

    def entry(self) -> dict[str, Any]:
        """Return the time and the events of the entry, from which a redrive continues."""
        return {"entered": self.entered, "event": self.event, "start": self._start}

    @property
    def attempt_path(self) -> str:
        """The attempt's identity in the journal, where unlike in ``Retry`` attempts before a redrive count."""
        earlier = self.execution.recorder.last_attempt(self.path) if self.execution.redrives.count else 0
        return f"{self.path}.{earlier + self.attempt}"

    def start(self, details: Node | None = None) -> None:
        """Add the event of the start of the branches or iterations; a redrive continues after the earlier one."""
        kind, before = self.state["Type"], self.before
        self.before = None
        if before is not None and before["start"] is not None:
            self._start = self.trail.last = before["start"]
        else:
            self._start = self.trail.add(f"{kind}StateStarted", f"{kind.lower()}StateStarted", details)
        self.started = True

    def succeed(self) -> None:
        """Add the event of the success of the branches or iterations."""
        self.trail.add_side_event(f"{self.state['Type']}StateSucceeded")
        self.started = False

    def report_failure(self, failure: StatesError) -> StatesError:
        """Return a failure in AWS's wording; if an expression failed, add an event."""
        error = failure.with_state(self.name, self.event)
        if failure.location is not None:
            details = {**error.details(), "location": failure.location, "state": self.name}
            self.trail.add("EvaluationFailed", "evaluationFailed", details)
        return error.with_final_cause()

    def context(self, item: Node | None = None) -> dict[str, Any]:
        """Return the context object; `item` is ``Map`` of one item of this state."""
        context = self.execution.context()
        context["State"] = {"Name": self.name, "EnteredTime": format_timestamp(self.entered)}
        if self.state["Type"] in _RETRIABLE:
            context["State"]["RetryCount"] = self.attempt
        if item or self.item:
            context["Map"] = item or self.item
        if self.token is not None:
            context["Task"] = {"Token": self.token}
        return context

    def arguments(self, node: Node, prefix: str = "", default: Any = None) -> Any:
        """Evaluate ``Arguments`` or ``Parameters`` of a node of the state.

        Args:
            node: The state itself, its ItemReader or its ResultWriter.
            prefix: The node's path within the state, for messages.
            default: The value if there is neither field.
        """
        return self.language.arguments(self, node, prefix, default)

    def field(self, node: Node, name: str, default: Any = None, prefix: str = "") -> Any:
        """Evaluate a field of a node of the state, or its ``…Path`` form.

        Args:
            node: The state itself, or an object in it.
            name: The field's name, without ``Path``.
            default: The value if there is neither form.
            prefix: The node's path within the state, for messages.
        """
        return self.language.field(self, node, name, prefix, default)

    def template(self, value: Any, field: str, item: Node | None = None) -> Any:
        """Evaluate a payload template: ItemSelector or BatchInput.

        Args:
            value: The template.
            field: The field's path within the state, for messages.
            item: ``Map`` of the context object, for an item of this state.
        """
        return self.language.template(self, value, field, item)

    def transition(self) -> Transition:
        """Return the transition of a state that has no result of its own."""
        return Transition.of(self.language.outcome_without_result(self, self.state, ""), self.state)

    def check_payload(self, value: Any) -> Any:
        """Return a part of the state's input or output if it is within AWS's limit on payloads.

        Raises:
            StatesError: ``States.DataLimitExceeded`` if it is larger.
        """
        if len(dumps(value)) > quotas.PAYLOAD.value:
            raise too_large(self.name)
        return value
