"""The members of variables that an expression reads, which are all that is converted for the library.

An ItemSelector is evaluated for each item of a Map while ``$states.input`` holds all of them: the cost of an evaluation
must not depend on data that it does not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.language.jsonata.library import Parser
from genomics_pipeline.language.jsonata.values import with_nulls

_WITH_NODES = (list, tuple, Parser.Symbol)  # values of a node's attributes that may contain nodes

ReadMembers = dict[str, Any]  # by member: the members of it that are read; None for all of it


def read_members(tree: Any) -> ReadMembers:
    """Return the members that a syntax tree reads, by variable.

    >>> from genomics_pipeline.language.jsonata.syntax_tree import parse
    >>> read_members(parse("$states.input.a.b & $states.input.c[0].d & $x"))
    {'states': {'input': {'a': {'b': None}, 'c': None}}, 'x': None}
    """
    members: ReadMembers = {}
    _walk(tree, members, set())
    return members


def pure_path(path: Any) -> list[str]:
    """Return the names of a path that consists of a variable and names only; empty for any other path."""
    steps = path.steps
    if steps[0].type != "variable" or path.keep_singleton_array or path.group or path.tuple:
        return []
    plain = all(step.type == "name" for step in steps[1:]) and not any(map(_has_modifiers, steps))
    return [str(step.value) for step in steps] if plain and steps[0].value else []


def _has_modifiers(step: Any) -> bool:
    return bool(
        step.predicate
        or step.stages
        or step.group
        or step.index
        or step.focus
        or step.tuple
        or step.ancestor
        or step.keep_array
    )


def prepare_bindings(bindings: Mapping[str, Any], read: ReadMembers) -> dict[str, Any]:
    """Return the parts of the variables that are read, as the library represents them."""
    return {name: with_nulls(value) for name, value in read_parts(bindings, read).items()}


def read_parts(bindings: Mapping[str, Any], read: ReadMembers) -> dict[str, Any]:
    """Return the parts of the variables that are read.

    >>> read_parts({"states": {"input": {"a": 1, "b": 2}}, "x": 3}, {"states": {"input": {"a": None}}})
    {'states': {'input': {'a': 1}}}
    """
    return {name: _prune(bindings[name], below) for name, below in read.items() if name in bindings}


def _prune(value: Any, read: ReadMembers | None) -> Any:
    if read is None or not isinstance(value, Mapping):
        return value
    return {name: _prune(value[name], below) for name, below in read.items() if name in value}


def _walk(node: Any, members: ReadMembers, visited: set[int]) -> None:
    if isinstance(node, list | tuple):
        for child in node:
            _walk(child, members, visited)
    elif isinstance(node, Parser.Symbol) and id(node) not in visited:
        visited.add(id(node))
        if node.type == "path" and node.steps[0].type == "variable":
            _add_chain(members, _chain(node.steps))
        elif node.type == "variable":
            _add_chain(members, [str(node.value)])
        skipped = [node.steps[0]] if node.type == "path" and node.steps[0].type == "variable" else []
        for name, below in vars(node).items():
            if name != "_outer_instance" and isinstance(below, _WITH_NODES):
                _walk(
                    [child for child in below if child not in skipped] if isinstance(below, list) else below,
                    members,
                    visited,
                )
        for first in skipped:
            _walk([first.predicate, first.stages, first.group], members, visited)


def _chain(steps: list[Any]) -> list[str]:
    """Return the variable and the names that follow it, up to the first step of another kind."""
    names: list[str] = []
    for step in steps:
        if step.type != ("variable" if step is steps[0] else "name") or step.focus or step.tuple or step.ancestor:
            break
        names.append(str(step.value))
        if _has_modifiers(step):
            break
    return names or [str(steps[0].value)]


def _add_chain(members: ReadMembers, names: list[str]) -> None:
    for index, name in enumerate(names):
        below = members.setdefault(name, {} if index < len(names) - 1 else None)
        if below is None or index == len(names) - 1:
            members[name] = None
            return
        members = below
