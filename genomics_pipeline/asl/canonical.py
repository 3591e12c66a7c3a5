"""The one text of a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical(document: Mapping[str, Any]) -> str:
    """A document as text: keys in the generator's order, two spaces, a newline at the end; the same bytes every time.

    >>> print(canonical({"StartAt": "Sample", "States": {}}), end="")
    {
      "StartAt": "Sample",
      "States": {}
    }
    """
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
