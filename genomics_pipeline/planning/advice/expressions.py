"""Rule for expressions that are not evaluated, because their field or their form makes them plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genomics_pipeline.language.walker import JSONATA, StateNode
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import values
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Severity

_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign", "Result")
_JSONATA_FIELDS = ("Arguments", "ItemSelector", "Output", "Assign", "Items")
_PATH = re.compile(r"\$\$?[.\[].+|States\.[A-Z]\w+\(.*\)", re.DOTALL)
_JSONATA_TEXT = re.compile(r"\$\$?\.\w.*|\$states\.\w.*", re.DOTALL)


def check_unevaluated(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield texts that look like expressions, where AWS takes them as they are."""
    for state in definition.states:
        for field in _JSONATA_FIELDS if state.language == JSONATA else _TEMPLATES:
            for path, key, value in values(state.node.get(field), f"{state.path}/{field}"):
                if isinstance(value, str) and (advice := _advice(state, field, key, value)):
                    yield Remark(path, f"This is passed on as text, not evaluated. {advice}")


def _advice(state: StateNode, field: str, key: str, text: str) -> str:
    """Return what to do about a text that looks like an expression; empty for any other."""
    if state.language == JSONATA:
        is_whole = text.startswith("{%") and text.endswith("%}")
        if "{%" in text and "%}" in text and not is_whole:
            return "An expression is the whole text, from {% to %}; join texts inside it with &."
        return "Write it between {% and %}." if not is_whole and _JSONATA_TEXT.fullmatch(text) else ""
    if key.endswith(".$") or not _PATH.fullmatch(text):
        return ""
    return "A Result is constant: use Parameters." if field == "Result" else "End the name of its field in .$."


RULES = (AdviceRule("unevaluated-expression", Severity.WARNING, check_unevaluated),)
