"""One visit to one state: what its fields are evaluated over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.engine.clock import timestamp
from genomics_pipeline.engine.execution import Execution
from genomics_pipeline.engine.query_language import Node, QueryLanguage


@dataclass(slots=True)
class Visit:
    """One visit to one state.

    Attributes:
        execution: The execution.
        name: The state's name.
        state: The state.
        raw: Its input, before InputPath.
        variables: The variables it sees.
        path: Names this visit in the journal.
        language: What its fields are written in.
        item: ``Map`` of the context object, inside an iteration of an inline Map.
        attempt: 0, or how many times it was retried.
        entered: When, in seconds since the epoch.
        input: Its effective input.
    """

    execution: Execution
    name: str
    state: Mapping[str, Any]
    raw: Any
    variables: Mapping[str, Any]
    path: str
    language: QueryLanguage
    item: Node | None = None
    attempt: int = 0
    entered: float = field(init=False)
    input: Any = field(init=False)

    def __post_init__(self) -> None:
        self.entered = self.execution.engine.clock.now()
        self.input = self.language.input(self)

    def context(self, item: Node | None = None, **more: Any) -> dict[str, Any]:
        """The context object; `item` is ``Map`` of one item of this state, `more` further members."""
        found = self.execution.context()
        found["State"] = {"EnteredTime": timestamp(self.entered), "Name": self.name, "RetryCount": self.attempt}
        if item or self.item:
            found["Map"] = item or self.item
        return found | more

    def arguments(self, node: Node, at: str = "", default: Any = None) -> Any:
        """``Arguments`` or ``Parameters`` of a node of the state; the default where there is neither."""
        return self.language.arguments(self, node, at, default)

    def field(self, node: Node, name: str, default: Any = None, at: str = "") -> Any:
        """The value of a field of a node of the state, or of its ``…Path`` form; the default where there is none."""
        return self.language.field(self, node, name, at, default)

    def template(self, value: Any, at: str, item: Node | None = None) -> Any:
        """The value of a payload template: ItemSelector, BatchInput."""
        return self.language.template(self, value, at, item)
