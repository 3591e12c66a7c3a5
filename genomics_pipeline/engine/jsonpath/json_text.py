"""JSON text as AWS writes it into causes and strings."""

from __future__ import annotations

import json
from typing import Any


def compact(value: Any) -> str:
    """JSON text without spaces, characters beyond ASCII as they are.

    >>> compact({"a": [1, None], "b": "é"})
    '{"a":[1,null],"b":"é"}'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
