"""Parsing of an expression into a syntax tree, by the library's parser."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any

from genomics_pipeline.language.jsonata.library import JException, Parser, tokenizer
from genomics_pipeline.language.jsonata.limits import ErrorWithoutCode
from genomics_pipeline.language.jsonata.messages import JsonataError
from genomics_pipeline.language.jsonata.regular_expressions import parse_regex
from genomics_pipeline.language.jsonata.string_literals import LinearTokenizer
from genomics_pipeline.model import budgets

_NUMERAL = r"-?[0-9.eE+-]*"


def _share_defaults() -> None:
    """Keep the 50 attributes that most nodes never set in the class: parsing takes half the time and a third of memory.

    The library creates nodes with all of them, and copies each from the operator's.
    """
    for name, value in vars(Parser.Symbol(None)).items():
        setattr(Parser.Symbol, name, value)
    Parser.Symbol.pure_path = None  # `Evaluator.evaluate_path` caches here what `reads.pure_path` returns
    Parser.Symbol.__init__ = _init_symbol
    Parser.Symbol.clone = _clone_symbol


def _init_symbol(self: Any, outer_instance: Any, id: str | None = None, bp: int = 0) -> None:  # noqa: A002
    self._outer_instance, self.id, self.value, self.bp = outer_instance, id, id, bp


def _clone_symbol(self: Any) -> Any:
    clone = object.__new__(type(self))
    clone.__dict__.update(self.__dict__)
    return clone


_share_defaults()
tokenizer.Tokenizer = LinearTokenizer


class _LaterOperator(Parser.Symbol):  # type: ignore[misc]
    """An operator newer than JSONata 2.0, AWS's version, in which its second character is a syntax error."""

    def nud(self) -> Any:
        raise JsonataError("S0211", token=self.id[1])

    def led(self, left: Any) -> Any:
        raise JsonataError("S0211", token=self.id[1])


class _JsonataParser(Parser):  # type: ignore[misc]
    """The library's parser, restricted to JSONata 2.0."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("??", "?:"):
            symbol = _LaterOperator(self, name, self.symbol_table[name].lbp)
            symbol.value, symbol.lbp = name, self.symbol_table[name].lbp
            self.symbol_table[name] = symbol

    def tree(self, text: str) -> Any:
        """Parse one text, after resetting the state that the previous one left."""
        self.ancestor_label = self.ancestor_index = self.symbols = 0
        self.ancestry: list[Any] = []
        return self.parse(text, parse_regex)

    def advance(self, id: str | None = None, infix: bool = False) -> Any:  # noqa: A002
        """Read the next symbol, within the budget of an expression.

        Args:
            id: The symbol that is required here; None for any.
            infix: True if a slash divides; otherwise it begins a regular expression.
        """
        self.symbols += 1
        if self.symbols > budgets.EXPRESSION_SYMBOLS.value:
            raise ErrorWithoutCode(f"An expression may have at most {budgets.EXPRESSION_SYMBOLS}, found more")
        return super().advance(id, infix)


class _Parsers(threading.local):
    """A parser for each thread: it parses one text at a time, and takes longer to create than to use."""

    def __init__(self) -> None:
        self.tree = _JsonataParser().tree


@cache
def _parsers() -> _Parsers:
    return _Parsers()


def parse(text: str) -> Any:
    """Return the syntax tree of an expression.

    Raises:
        JException: for a syntax error.
    """
    try:
        return _parsers().tree(text)
    except IndexError:  # the library reads beyond the end
        raise JsonataError("S0106" if "/*" in text else "S0207") from None
    except KeyError as error:
        raise JsonataError("S0204", token=error.args[0]) from None
    except JException as error:
        if error.error == "S0301" and error.current is not None:  # the library uses one code for two errors
            raise JsonataError("S0103", token=error.current) from None
        if error.error == "S0102":
            raise JsonataError("S0102", token=re.findall(_NUMERAL, text[error.location :])[0]) from None
        raise


@cache
def parse_wrapper(name: str, count: int) -> Any:
    """Return the syntax tree of a lambda that calls a function with `count` parameters, for partial application."""
    names = ", ".join(f"$a{number}" for number in range(count))
    return parse(f"function({names}){{ ${name}({names}) }}")
