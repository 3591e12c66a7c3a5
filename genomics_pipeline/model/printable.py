"""Text from outside, made harmless for a terminal, a line of progress and a cell of a table."""

from __future__ import annotations

import json
import re

from genomics_pipeline.model.secrets import redact

# C0 and C1 controls but tab and line feed, the controls of bidirectional text (Unicode Standard Annex 9), the line and
# paragraph separators, and halves of surrogate pairs, which no encoding of a terminal has.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
# Format characters that nobody sees, so that different texts look the same (Unicode's general category Cf), and tags.
_UNSEEN = "\xad\u180e\u200b\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
# Joiners have a meaning between the letters of some scripts, and in emoji.
_LETTER = "[^\x00-\xff\u2000-\u206f]"
_JOINER = f"(?<!{_LETTER})[\u200c\u200d]|[\u200c\u200d](?!{_LETTER})"
_ESCAPED = re.compile(f"[{_CONTROLS}{_UNSEEN}]|{_JOINER}")

# Beginnings that spreadsheets take for a formula (OWASP, "CSV Injection"), and the mark that prevents it.
_FORMULAS = tuple("=+-@＝＋－＠")  # their full-width forms too
_MARK = "'"
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CELL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def printable(text: str) -> str:
    r"""Return text that may be written to a terminal: without control characters but tab and line feed.

    Each control character, and each character that cannot be seen, is written as in JSON, so that JSON text remains
    JSON of the same value.

    >>> printable("a\x1b]0;title\x07"), printable("\u202e\u009b")
    ('a\\u001b]0;title\\u0007', '\\u202e\\u009b')
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text  # as most texts are, which may be large
    return _ESCAPED.sub(_escape, text)


def has_control(text: str) -> bool:
    """Return whether a name or path has a character that a terminal may not get, a tab or a line feed."""
    return bool(_CONTROL.search(text)) or "\t" in text or "\n" in text


def printable_line(text: str) -> str:
    r"""Return text that may be written to a terminal as one line.

    >>> printable_line("a\nb")
    'a\\nb'
    """
    return printable(text).replace("\n", "\\n")


def indented(text: str, columns: int = 2) -> str:
    r"""Return text whose lines after the first are indented, so that none of them looks like a message of its own.

    >>> indented("a\nb")
    'a\n  b'
    """
    return text.replace("\n", "\n" + " " * columns)


def table_cell(text: str) -> str:
    r"""Return a cell of a tab-separated table: on one line, without control characters, and never a formula.

    Backslash, tab and line ends are escaped as in C. A cell that a spreadsheet would evaluate, and one that begins with
    an apostrophe or with a quotation mark, which spreadsheets remove, begins with one more apostrophe; numbers are
    unchanged.

    >>> table_cell("=1+1"), table_cell("-1.5"), table_cell("'a"), table_cell("two\nlines")
    ("'=1+1", '-1.5', "''a", 'two\\nlines')
    """
    is_formula = text.lstrip().startswith((*_FORMULAS, '"')) and not _NUMBER.fullmatch(text)
    mark = _MARK if is_formula or text.startswith(_MARK) else ""
    return mark + _ESCAPED.sub(_escape, redact(text).translate(_CELL))


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if match[0] > "\xff" else f"\\u{ord(match[0]):04x}"
