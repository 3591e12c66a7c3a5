"""Rule for secrets in definitions, which everyone may read who may describe the state machine or its executions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.model.secrets import HIDDEN
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import is_expression, values
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Severity

# Texts that can only be secrets: access keys of AWS, tokens of GitHub, GitLab, Slack, Stripe and OpenAI, JSON Web
# Tokens, private keys. Each service documents its prefix.
_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{40,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\b[rs]k_live_[A-Za-z0-9]{16,}|\bsk-[A-Za-z0-9_-]{32,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*"
    r"|(?<=Bearer )[A-Za-z0-9._~+/-]{20,}=*"
)
# Names of fields whose values are secrets, without case, hyphens and underscores.
_PASSWORD = re.compile(r".*(?:password|passwd|passphrase|pwd)")
_TOKEN = re.compile(
    r".*(?:secretaccesskey|secretkey|clientsecret|apikey|xapikey|privatekey|accesstoken|authtoken|bearertoken|"
    r"apitoken|sessiontoken|authorization)|secret|token"
)
# URIs with a password, and presigned ones.
_SECRET_URI = re.compile(r"://(?:[^/?#@\s]*:[^/?#@\s]+@|.*[?&]X-(?:Amz|Goog)-Signature=)", re.IGNORECASE)
_AWS_EXAMPLE = "EXAMPLE"  # the end of the keys in AWS's documentation
_NOT_SECRET = re.compile(r"arn:|\{\{resolve:|[<$]|s3://|States\.|(?:true|false)$|\*+$|x+$", re.IGNORECASE)
_SHORTEST_TOKEN = 12
_SHOWN = 4


def check_secrets(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield literals that are secrets, by their form or by the names of their fields."""
    for path, key, text in values(definition.document):
        if isinstance(text, str) and (secret := _secret(key, text)):
            shown = f"{secret[:_SHOWN]}{HIDDEN}" if len(secret) > 2 * _SHOWN else HIDDEN
            why = (
                f"A secret is in the definition: {shown}. Who may describe the state machine reads it, and it is in "
                "the history of each execution. Revoke it, and let the task read it from Secrets Manager, or use a "
                "connection of EventBridge."
            )
            yield Remark(path, why)


def secrets_of(document: Mapping[str, Any]) -> set[str]:
    """Return the secrets in a document, which must not be shown."""
    found = (_secret(key, text) for _, key, text in values(document) if isinstance(text, str))
    return {secret for secret in found if secret}


def _secret(key: str, text: str) -> str:
    """Return the secret in a member's text; empty if there is none."""
    if (match := _SECRET.search(text)) and not match[0].endswith(_AWS_EXAMPLE):
        return match[0]
    if not is_expression(key, text) and _SECRET_URI.search(text):
        return text
    name = re.sub(r"[-_.]", "", key).lower()
    if is_expression(key, text) or _NOT_SECRET.match(text) or not text.strip():
        return ""
    if _PASSWORD.fullmatch(name):
        return text
    looks_random = len(text) >= _SHORTEST_TOKEN and any(c.isdigit() for c in text) and not re.search(r"\s", text)
    return text if _TOKEN.fullmatch(name) and looks_random else ""


RULES = (AdviceRule("secret", Severity.ERROR, check_secrets),)
