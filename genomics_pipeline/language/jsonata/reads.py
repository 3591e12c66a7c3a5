"""Which members of its variables an expression reads, so that no others need be made ready for it.

An ItemSelector is evaluated for each item of a Map while ``$states.input`` holds all of them: what an evaluation costs
must not grow with what it does not look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.language.jsonata.library import Parser
from genomics_pipeline.language.jsonata.values import with_nulls

Reads = dict[str, Any]  # member → what is read of it; None is all of it


def reads(tree: Any) -> Reads:
    """Return what a syntax tree reads, by variable.

    >>> from genomics_pipeline.language.jsonata.syntax_tree import parsed
    >>> reads(parsed("$states.input.a.b & $states.input.c[0].d & $x"))
    {'states': {'input': {'a': {'b': None}, 'c': None}}, 'x': None}
    """
    found: Reads = {}
    _walk(tree, found, set())
    return found


def pure(path: Any) -> list[str]:
    """Return the names of a path that is nothing but a variable and names; none of any other."""
    steps = path.steps
    if steps[0].type != "variable" or path.keep_singleton_array or path.group or path.tuple:
        return []
    plain = all(step.type == "name" for step in steps[1:]) and not any(map(_more, steps))
    return [str(step.value) for step in steps] if plain and steps[0].value else []


def _more(step: Any) -> bool:
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


def ready(bindings: Mapping[str, Any], read: Reads) -> dict[str, Any]:
    """Return the variables as the library takes them, with what is read of them."""
    return {name: _pruned(bindings[name], below) for name, below in read.items() if name in bindings}


def _pruned(value: Any, read: Reads | None) -> Any:
    if read is None or not isinstance(value, Mapping):
        return with_nulls(value)
    return {name: _pruned(value[name], below) for name, below in read.items() if name in value}


def _walk(node: Any, found: Reads, seen: set[int]) -> None:
    if isinstance(node, list | tuple):
        for one in node:
            _walk(one, found, seen)
    elif isinstance(node, Parser.Symbol) and id(node) not in seen:
        seen.add(id(node))
        if node.type == "path" and node.steps[0].type == "variable":
            _add(found, _chain(node.steps))
        elif node.type == "variable":
            _add(found, [str(node.value)])
        skipped = [node.steps[0]] if node.type == "path" and node.steps[0].type == "variable" else []
        for name, below in vars(node).items():
            if name != "_outer_instance":
                _walk([one for one in below if one not in skipped] if isinstance(below, list) else below, found, seen)
        for first in skipped:
            _walk([first.predicate, first.stages, first.group], found, seen)


def _chain(steps: list[Any]) -> list[str]:
    """Return the names from the variable on, as far as they are nothing but names."""
    names: list[str] = []
    for step in steps:
        if step.type != ("variable" if step is steps[0] else "name") or step.focus or step.tuple or step.ancestor:
            break
        names.append(str(step.value))
        if _more(step):
            break
    return names or [str(steps[0].value)]


def _add(found: Reads, names: list[str]) -> None:
    for place, name in enumerate(names):
        below = found.setdefault(name, {} if place < len(names) - 1 else None)
        if below is None or place == len(names) - 1:
            found[name] = None
            return
        found = below
