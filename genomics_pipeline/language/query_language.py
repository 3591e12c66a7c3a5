"""The interface of the two query languages, JSONata and JSONPath, by which a state's fields are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from genomics_pipeline.language.host import Host

Node = Mapping[str, Any]  # an object of a document
Outcome = tuple[Any, Mapping[str, Any]]  # a state's output, and the variables after it


class StateScope(Protocol):
    """Data that the fields of one state are evaluated over."""

    @property
    def name(self) -> str:
        """The state's name."""

    @property
    def state(self) -> Node:
        """The state."""

    @property
    def raw(self) -> Any:
        """The state's input, before InputPath."""

    @property
    def input(self) -> Any:
        """The state's effective input."""

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables that the state sees."""

    @property
    def host(self) -> Host:
        """The source of time and chance."""

    def context(self, item: Node | None = None) -> dict[str, Any]:
        """Return the context object; `item` is its ``Map``, for one item of a Map state."""


class QueryLanguage(Protocol):
    """A query language.

    A `prefix` leads from the state to a node in it, for messages: ``"ItemReader/"``; it is empty for the state itself.
    Every method raises StatesError with the name that AWS gives the failure.
    """

    def input(self, scope: StateScope) -> Any:
        """Return the state's effective input."""

    def arguments(self, scope: StateScope, node: Node, prefix: str, default: Any) -> Any:
        """Return the value of ``Arguments`` or ``Parameters``; the default where there is neither."""

    def field(self, scope: StateScope, node: Node, name: str, prefix: str, default: Any) -> Any:
        """Return the value of a field, or of its ``…Path`` form; the default where there is neither."""

    def template(self, scope: StateScope, value: Any, field: str, item: Node | None) -> Any:
        """Return the value of a field's payload template; `item` is ``Map`` of the context object."""

    def items(self, scope: StateScope) -> Any:
        """Return the items in a Map's data, an array or an object: ``Items``, ``ItemsPath``, or its input."""

    def condition(self, scope: StateScope, rule: Node, prefix: str) -> bool:
        """Return whether a Choice rule matches."""

    def passed(self, scope: StateScope, node: Node, prefix: str) -> Outcome:
        """Evaluate what follows a state without a result: a Pass, Wait, Choice or Succeed.

        Args:
            scope: The state's data.
            node: The state, or the Choice rule that matched.
            prefix: Its prefix.
        """

    def finished(self, scope: StateScope, result: Any) -> Outcome:
        """Evaluate what follows a state with a result: a Task, Parallel or Map."""

    def caught(self, scope: StateScope, error: dict[str, str], node: Node, prefix: str) -> Outcome:
        """Evaluate what follows a catcher, from the error's output."""
