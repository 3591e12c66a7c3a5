"""The syntax of a path: its root, the steps to one node, and a query that may select several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from genomics_pipeline.language.jsonpath.syntax_error import PathSyntaxError

if TYPE_CHECKING:
    from genomics_pipeline.language.jsonpath.query import Query

_ROOT = re.compile(r"\$\$|\$([^\W\d]\w*)?")
# .name  ['name']  ["name"]  [-1]; a dot before a bracket is ignored. AWS has no functions: `name()` is a member.
_STEP = re.compile(
    r"""\.(?P<name>[^\s.,:;()\[\]{}'"*?@$&|<>=!~^#]+(?:\(\))?)"""
    r"""|\.?\[\s*(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<index>-?\d{1,18}))\s*\]""",
    re.DOTALL,
)

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

Step = str | int


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path.

    Attributes:
        root: ``$``, ``$$``, or the name of a variable.
        steps: Member names and array indexes that lead to one node.
        query: The query of that node; None for a path to the node itself.
    """

    root: str
    steps: tuple[Step, ...]
    query: Query | None

    @property
    def function(self) -> str | None:
        """The function that the path calls in other JSONPath libraries; AWS has none."""
        return next((step for step in self.steps if isinstance(step, str) and step.endswith("()")), None)


@lru_cache(maxsize=4096)
def parse(text: str) -> JsonPath:
    """Return the parts of a path.

    >>> parse("$.a['b c'][0]")
    JsonPath(root='$', steps=('a', 'b c', 0), query=None)
    >>> parse("$$.Map.Item.Value").root
    '$$'
    >>> parse("$order.lines").root
    'order'

    Raises:
        PathSyntaxError: if the text is not a path.
    """
    root = _ROOT.match(text)
    if root is None:
        raise PathSyntaxError("a path must start with '$'")
    steps, end = _steps(text, root.end())
    name = root[1] or root[0]
    if end == len(text):
        return JsonPath(name, steps, None)
    from genomics_pipeline.language.jsonpath.query import compiled  # slow to import

    return JsonPath(name, steps, compiled(text[end:]))


def _steps(text: str, position: int) -> tuple[tuple[Step, ...], int]:
    """Return the steps from a position on, and the position of their end."""
    steps: list[Step] = []
    while match := _STEP.match(text, position):
        if match["index"] is not None:
            steps.append(int(match["index"]))
        elif match["name"] is not None:
            steps.append(match["name"])
        else:
            quoted = match["single"] if match["single"] is not None else match["double"]
            steps.append(_ESCAPE.sub(_unescape, quoted))
        position = match.end()
    return tuple(steps), position


def _unescape(match: re.Match[str]) -> str:
    """Return the character of an escape in a quoted name, as Jayway does: any other character stands for itself."""
    return chr(int(match[1], 16)) if match[1] else _CONTROLS.get(match[2], match[2])


def spell_path(root: str, steps: tuple[Step, ...]) -> str:
    """Return a path as AWS spells it in causes.

    >>> spell_path("$", ("a", 0))
    "$['a'][0]"
    """
    start = root if root.startswith("$") else f"${root}"
    return start + "".join(f"['{step}']" if isinstance(step, str) else f"[{step}]" for step in steps)
