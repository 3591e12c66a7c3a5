"""Fixtures of the validation's tests: valid documents, and changes to them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.language.validation.diagnostics import SCHEMA
from genomics_pipeline.language.validation.validate import diagnose

HERE = Path(__file__).parent


def change_document(document: Any, place: str, value: Any) -> Any:
    """Return a copy of a document with another value at a path; ``...`` removes the value that is there.

    Args:
        document: The document.
        place: The path, with slashes between keys and indexes.
        value: The value.
    """
    document = copy.deepcopy(document)
    *parents, last = place.split("/")
    node = document
    for key in parents:
        node = node[int(key) if isinstance(node, list) else key]
    last_key = int(last) if isinstance(node, list) else last
    if value is ...:
        del node[last_key]
    else:
        node[last_key] = value
    return document


def problem_lines(document: Any, **options: Any) -> list[str]:
    """Return the diagnostics of a document as lines, without the most frequent code."""
    lines = []
    for diagnostic in diagnose(document, **options):
        code = "" if diagnostic.code == SCHEMA else f"{diagnostic.code}: "
        lines.append(f"{diagnostic.path}: {code}{diagnostic.message}")
    return lines


@pytest.fixture(scope="session")
def good() -> dict[str, Any]:
    """Return documents that AWS accepts, by ``language:name``."""
    return {
        f"{language}:{name}": document
        for language in ("jsonata", "jsonpath")
        for name, document in json.loads((HERE / f"good_{language}.json").read_text("utf-8")).items()
    }


@pytest.fixture
def check(good: dict[str, Any]) -> Callable[..., list[str]]:
    """Return a function that returns the problems of a valid document after one change."""

    def call(name: str, place: str, value: Any, **options: Any) -> list[str]:
        return problem_lines(change_document(good[name], place, value), **options)

    return call
