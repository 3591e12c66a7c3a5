"""JSON files that are checked by a JSON Schema."""

from __future__ import annotations

import json
import re
from typing import Any

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.declared_file import DeclaredFile, Keys
from genomics_pipeline.model.errors import DataError, Problem

JSON_WORDS = {
    "object": "an object",
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"(?P<key>\s*+:)?|[{}]')


class JsonFile(DeclaredFile):
    """A parsed JSON file of objects in objects, with the line of each key.

    Args:
        text: The file's text.
        file: Its name, for messages.
        schema: The name of a schema in `genomics_pipeline/schemas`.

    Raises:
        DataError: for text that is not JSON or does not fit the schema, with all problems in source order.
    """

    def __init__(self, text: str, *, file: str, schema: str) -> None:
        super().__init__(_parse(text, file), lambda: _keys(text), file=file, schema=schema, words=JSON_WORDS)


def _parse(text: str, file: str) -> Any:
    if len(text.encode("utf-8", "surrogatepass")) > budgets.TOML_SIZE.value:
        raise DataError(Problem(f"expected a JSON file of at most {budgets.TOML_SIZE}, found a larger one", file))
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        raise DataError(Problem(f"expected JSON: {error.msg}", file, error.lineno, error.colno)) from None
    except ValueError as error:
        raise DataError(Problem(f"expected JSON, found {error}", file)) from None


def _keys(text: str) -> Keys:
    """Yield the 1-based line and full path of each key, of text that is JSON."""
    parents: list[str] = []
    key, line, counted = "", 1, 0
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            parents.append(key)
        elif token[0] == "}":
            parents.pop()
        elif token["key"]:
            line, counted = line + text.count("\n", counted, token.start()), token.start()
            key = json.loads(token[0][: token.start("key") - token.start()])
            yield line, (*parents[1:], key)
