"""Pages of a list, with tokens that fit only the request that they were given for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from genomics_pipeline.model import quotas
from tests.fakes.faults import ApiError

DEFAULT = 100  # botocore's model: maxResults


def page(
    entries: Iterable[tuple[int, Any]], request: Any, size: int | None, token: str | None
) -> tuple[list[Any], dict[str, str]]:
    """Return the entries of one page, and the token of the next, if there is one.

    Args:
        entries: Each with its number; the numbers go up or down, and what is new comes after or before all others.
        request: What the token belongs to.
        size: ``maxResults``.
        token: ``nextToken``.

    Raises:
        ApiError: ``InvalidToken``.
    """
    mark = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:16]
    left = list(entries)
    if token is not None:
        try:
            owner, last = json.loads(base64.b64decode(token, validate=True))
        except ValueError:
            owner, last = None, 0
        if owner != mark:
            raise ApiError("InvalidToken", f"Invalid Token: '{token}'")
        rising = len(left) > 1 and left[0][0] < left[1][0]
        left = [entry for entry in left if (entry[0] > last if rising else entry[0] < last)]
    wanted = min(size or DEFAULT, quotas.PAGE.value)
    found = [entry for _, entry in left[:wanted]]
    if len(left) <= wanted:
        return found, {}
    following = base64.b64encode(json.dumps([mark, left[wanted - 1][0]]).encode()).decode()
    return found, {"nextToken": following}
