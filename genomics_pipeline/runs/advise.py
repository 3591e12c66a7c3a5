"""Advice on a definition: what AWS would refuse, and what costs more, fails more or waits longer than it must."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model.secrets import HIDDEN
from genomics_pipeline.planning.advice.finding import DefinitionAdvice
from genomics_pipeline.planning.advice.placeholders import quote_placeholders
from genomics_pipeline.planning.advice.problems import problems
from genomics_pipeline.planning.advice.rules import advise_on
from genomics_pipeline.planning.advice.secret_literals import secrets_of
from genomics_pipeline.prices.price import Prices
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.json_file import read_json, shown_name
from genomics_pipeline.stores.protocol import Store


def advise_on_file(definition: str, store: Store, prices: Prices, *, express: bool) -> DefinitionAdvice:
    """Return the advice on a definition in a file.

    Args:
        definition: The path or URI of the definition, or ``-`` for standard input.
        store: Reads objects by their URIs.
        prices: The prices of its Region.
        express: True if its type is EXPRESS.

    Raises:
        DataError: if the file cannot be read or is not JSON.
    """
    document = read_json(definition, store, prepare=quote_placeholders)
    return _advise(shown_name(definition), document, prices, express=express)


def advise_on_pipeline(pipeline: str, prices: Prices, *, express: bool) -> DefinitionAdvice:
    """Return the advice on the definition of a pipeline: a shipped one by its name, or any by its file.

    Args:
        pipeline: The name or file.
        prices: The prices of its Region.
        express: True if its type is EXPRESS.

    Raises:
        DataError: if there is no such pipeline; with all problems of its file and its steps.
    """
    return _advise(pipeline, generate(load_pipeline(pipeline)[0]), prices, express=express)


def _advise(name: str, document: Any, prices: Prices, *, express: bool) -> DefinitionAdvice:
    diagnostics = problems(document, express=express)
    if not isinstance(document, dict):
        return DefinitionAdvice(name, tuple(diagnostics), ())
    secrets = secrets_of(document)
    return DefinitionAdvice(
        name=name,
        problems=tuple(
            replace(one, path=_hide(one.path, secrets), message=_hide(one.message, secrets)) for one in diagnostics
        ),
        findings=tuple(
            replace(one, path=_hide(one.path, secrets), why=_hide(one.why, secrets))
            for one in advise_on(document, prices, express=express)
        ),
    )


def _hide(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
