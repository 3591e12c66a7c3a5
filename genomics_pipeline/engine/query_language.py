"""What a state asks of its query language: JSONata or JSONPath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from genomics_pipeline.engine.visit import Visit

Node = Mapping[str, Any]
Outcome = tuple[Any, Mapping[str, Any]]  # output, variables


class QueryLanguage(Protocol):
    """How the fields of a state are evaluated. `at` leads to the node, for messages: ``"ItemReader/"``, ``""``.

    Every method raises StatesError with the name AWS gives the failure.
    """

    def input(self, visit: Visit) -> Any:
        """The state's effective input."""

    def arguments(self, visit: Visit, node: Node, at: str, default: Any) -> Any:
        """What is sent: ``Arguments``, or ``Parameters``; the default where there is neither."""

    def field(self, visit: Visit, node: Node, name: str, at: str, default: Any) -> Any:
        """The value of a field: literal, by expression, or of its ``…Path`` form; the default where there is none."""

    def template(self, visit: Visit, value: Any, at: str, item: Node | None) -> Any:
        """The value of a payload template, of a Map's item where one is given (``Map.Item`` of the context object)."""

    def items(self, visit: Visit) -> Any:
        """The items in a Map's data, an array or an object: ``Items``, ``ItemsPath``, or its input."""

    def condition(self, visit: Visit, rule: Node, at: str) -> bool:
        """Whether a Choice rule matches."""

    def passed(self, visit: Visit, node: Node, at: str) -> Outcome:
        """After a state without a result (Pass, Wait, Choice, Succeed); the node is the state, or the chosen rule."""

    def finished(self, visit: Visit, result: Any) -> Outcome:
        """After a state with a result (Task, Parallel, Map)."""

    def caught(self, visit: Visit, error: dict[str, str], node: Node, at: str) -> Outcome:
        """After a catcher, from the error's output."""
