"""What the validation's tests share: good documents, and one change to them."""

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


def damaged(document: Any, place: str, value: Any) -> Any:
    """A copy with one change: what lies at the place becomes the value, and goes for ``...``."""
    document = copy.deepcopy(document)
    *way, last = place.split("/")
    node = document
    for step in way:
        node = node[int(step) if isinstance(node, list) else step]
    key = int(last) if isinstance(node, list) else last
    if value is ...:
        del node[key]
    else:
        node[key] = value
    return document


def told(document: Any, **how: Any) -> list[str]:
    """The diagnostics as lines; the commonest code goes without saying."""
    return [
        f"{found.path}: {found.message}" if found.code == SCHEMA else f"{found.path}: {found.code}: {found.message}"
        for found in diagnose(document, **how)
    ]


@pytest.fixture(scope="session")
def good() -> dict[str, Any]:
    """Documents that AWS takes, by ``language:name``."""
    return {
        f"{language}:{name}": document
        for language in ("jsonata", "jsonpath")
        for name, document in json.loads((HERE / f"good_{language}.json").read_text("utf-8")).items()
    }


@pytest.fixture
def after(good: dict[str, Any]) -> Callable[..., list[str]]:
    """What is told of a good document after one change."""

    def one_change(name: str, place: str, value: Any, **how: Any) -> list[str]:
        return told(damaged(good[name], place, value), **how)

    return one_change
