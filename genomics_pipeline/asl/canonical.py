"""The text of a state machine document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def canonical_json(document: Mapping[str, Any]) -> str:
    """Return a document as text, always the same bytes: keys in the generator's order, indented by two spaces.

    >>> print(canonical_json({"StartAt": "Sample", "States": {}}), end="")
    {
      "StartAt": "Sample",
      "States": {}
    }
    """
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def canonical_digest(document: Mapping[str, Any]) -> str:
    """Return the sha256 of a document's text, in hexadecimal."""
    return sha256(canonical_json(document).encode()).hexdigest()
