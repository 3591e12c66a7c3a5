"""Placeholders of CloudFormation, SAM and Terraform, which stand in a definition until it is deployed."""

from __future__ import annotations

import re

_STRING_OR_PLACEHOLDER = re.compile(r'"(?:[^"\\]|\\.)*+"|(?P<bare>\$\{[^}"\n]*\})', re.DOTALL)


def quote_placeholders(text: str) -> str:
    """Return the text of a definition with its bare placeholders as strings, so that it is JSON.

    >>> quote_placeholders('{"MaxConcurrency": ${Most}, "Comment": "of ${Most}"}')
    '{"MaxConcurrency": "${Most}", "Comment": "of ${Most}"}'
    """
    return _STRING_OR_PLACEHOLDER.sub(lambda match: f'"{match["bare"]}"' if match["bare"] else match[0], text)
