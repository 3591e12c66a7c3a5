"""The interface of the two query languages, JSONata and JSONPath, that evaluate a state's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from genomics_pipeline.language.host import Host

Node = Mapping[str, Any]  # an object of a document
Outcome = tuple[Any, Mapping[str, Any]]  # a state's output, and the variables after it


class StateScope(Protocol):
    """The data over which the fields of one state are evaluated."""

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
        """The variables that are in scope for the state."""

    @property
    def host(self) -> Host:
        """The source of time and random numbers."""

    def context(self, item: Node | None = None) -> dict[str, Any]:
        """Return the context object; for one item of a Map state, `item` is its member ``Map``."""


class QueryLanguage(Protocol):
    """A query language.

    A `prefix` is the path from the state to a node in it, for messages: ``"ItemReader/"``; it is empty for the state
    itself. Every method raises StatesError with the name that AWS gives the failure.
    """

    def input(self, scope: StateScope) -> Any:
        """Return the state's effective input."""

    def arguments(self, scope: StateScope, node: Node, prefix: str, default: Any) -> Any:
        """Return the value of ``Arguments`` or ``Parameters``, or the default if the node has neither."""

    def field(self, scope: StateScope, node: Node, name: str, prefix: str, default: Any) -> Any:
        """Return the value of a field or of its ``…Path`` form, or the default if the node has neither."""

    def template(self, scope: StateScope, value: Any, field: str, item: Node | None) -> Any:
        """Return the value of a field's payload template; `item` is the member ``Map`` of the context object."""

    def items(self, scope: StateScope) -> Any:
        """Return the array or object that a Map iterates over: ``Items``, ``ItemsPath``, or its input."""

    def condition(self, scope: StateScope, rule: Node, prefix: str) -> bool:
        """Return whether a Choice rule matches."""

    def outcome_without_result(self, scope: StateScope, node: Node, prefix: str) -> Outcome:
        """Return the outcome of a state without a result: a Pass, Wait, Choice or Succeed.

        Args:
            scope: The state's data.
            node: The state, or the Choice rule that matched.
            prefix: The path to the node.
        """

    def outcome_with_result(self, scope: StateScope, result: Any) -> Outcome:
        """Return the outcome of a state with a result: a Task, Parallel or Map."""

    def outcome_of_catcher(self, scope: StateScope, error: dict[str, str], node: Node, prefix: str) -> Outcome:
        """Return the outcome of a catcher.

        Args:
            scope: The state's data.
            error: The error output.
            node: The catcher.
            prefix: The path to the catcher.
        """
