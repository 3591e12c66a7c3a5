"""The syntax tree of an expression, from the library's parser."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any

from genomics_pipeline.language.jsonata.library import JException, Parser
from genomics_pipeline.language.jsonata.messages import Thrown
from genomics_pipeline.language.jsonata.regular_expressions import compiled

_NUMERAL = r"-?[0-9.eE+-]*"

Parser.Symbol.pure = None  # `Evaluator.evaluate_path` keeps here what it finds of a path


class _Later(Parser.Symbol):  # type: ignore[misc]
    """An operator that came after JSONata 2.0, which is AWS's: there, its second sign stands where a value should."""

    def nud(self) -> Any:
        raise Thrown("S0211", token=self.id[1])

    def led(self, left: Any) -> Any:
        raise Thrown("S0211", token=self.id[1])


class _JsonataParser(Parser):  # type: ignore[misc]
    """The library's parser, of the language's version 2.0."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("??", "?:"):
            symbol = _Later(self, name, self.symbol_table[name].lbp)
            symbol.value, symbol.lbp = name, self.symbol_table[name].lbp
            self.symbol_table[name] = symbol

    def tree(self, text: str) -> Any:
        """Return the tree of one text; nothing is left of the one before."""
        self.ancestor_label = self.ancestor_index = 0
        self.ancestry: list[Any] = []
        return self.parse(text, compiled)


class _Parsers(threading.local):
    """A parser of each thread: to make one takes longer than to use it, and it serves one text at a time."""

    def __init__(self) -> None:
        self.tree = _JsonataParser().tree


@cache
def _parsers() -> _Parsers:
    return _Parsers()


def parsed(text: str) -> Any:
    """Return the syntax tree of an expression.

    Raises:
        JException: Syntax error.
    """
    try:
        return _parsers().tree(text)
    except IndexError:  # the library reads past the end
        raise Thrown("S0106" if "/*" in text else "S0207") from None
    except KeyError as error:
        raise Thrown("S0204", token=error.args[0]) from None
    except JException as error:
        if error.error == "S0301" and error.current is not None:  # it has one code for two things
            raise Thrown("S0103", token=error.current) from None
        if error.error == "S0102":
            raise Thrown("S0102", token=re.findall(_NUMERAL, text[error.location :])[0]) from None
        raise
