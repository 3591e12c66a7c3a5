"""The registry of all rules, and the advice that they give together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.planning.advice import (
    choices,
    concurrency,
    conventions,
    distributed_maps,
    execution_types,
    expressions,
    handlers,
    loops,
    passes,
    payloads,
    retries,
    secret_literals,
    timeouts,
)
from genomics_pipeline.planning.advice.definition import read_definition
from genomics_pipeline.planning.advice.dollars import with_dollars
from genomics_pipeline.planning.advice.fields import values
from genomics_pipeline.planning.advice.finding import Finding, Severity
from genomics_pipeline.prices.price import Prices

RULES = (
    *secret_literals.RULES,
    *distributed_maps.RULES,
    *concurrency.RULES,
    *timeouts.RULES,
    *retries.RULES,
    *handlers.RULES,
    *loops.RULES,
    *passes.RULES,
    *execution_types.RULES,
    *payloads.RULES,
    *choices.RULES,
    *expressions.RULES,
    *conventions.RULES,
)


def advise_on(document: Mapping[str, Any], prices: Prices, *, express: bool = False) -> list[Finding]:
    """Return what the rules find in a document, the severest first, then in the document's order.

    Args:
        document: The state machine; it may be one that AWS would refuse.
        prices: The prices of its Region.
        express: True if its type is EXPRESS.
    """
    definition = read_definition(document, express=express)
    findings = [
        Finding(rule.id, remark.severity or rule.severity, remark.path, remark.why, with_dollars(remark.saving, prices))
        for rule in RULES
        for remark in rule.check(definition)
    ]
    if findings:
        order = {path: number for number, (path, _, _) in enumerate(values(document))}
        severities = list(Severity)
        findings.sort(key=lambda one: (severities.index(one.severity), order.get(one.path, 0)))
    return findings
