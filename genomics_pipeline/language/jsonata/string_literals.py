"""String literals of expressions, read in time linear in their length: the library appends one character at a time."""

from __future__ import annotations

import re
from typing import Any

from genomics_pipeline.language.jsonata.library import JException, tokenizer

_OPENING = re.compile(r"[ \t\n\r]*+(['\"])")
_CONTENT = {quote: re.compile(rf"(?:[^{quote}\\]|\\.)*+", re.DOTALL) for quote in "'\""}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


class LinearTokenizer(tokenizer.Tokenizer):  # type: ignore[misc]
    """The library's tokenizer, but for string literals."""

    position: int

    def next(self, prefix: bool) -> Any:
        """Return the next token, or None at the end.

        Args:
            prefix: True if a slash divides; otherwise it begins a regular expression.

        Raises:
            JException: for a syntax error.
        """
        opening = _OPENING.match(self.path, self.position)
        if opening is None:
            return super().next(prefix)
        content = _CONTENT[opening[1]].match(self.path, opening.end())
        assert content is not None  # it may be empty
        text = _ESCAPE.sub(_unescape, content[0])
        self.position = content.end() + 1
        if self.path[content.end() : self.position] != opening[1]:
            raise JException("S0101", self.position)
        return self.create("string", text)


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    if escape == "u":
        raise JException("S0104", match.start())
    if escape not in LinearTokenizer.escapes:
        raise JException("S0301", match.start(), escape)
    return str(LinearTokenizer.escapes[escape])
