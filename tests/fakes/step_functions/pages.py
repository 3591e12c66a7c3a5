"""Pages of a list, with tokens that are valid only for the same request."""

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
        entries: The entries with their numbers, which rise or fall; new entries come last or first.
        request: The request that the token belongs to.
        size: ``maxResults``.
        token: ``nextToken``.

    Raises:
        ApiError: ``InvalidToken``.
    """
    owner_digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:16]
    rest = list(entries)
    if token is not None:
        try:
            owner, last = json.loads(base64.b64decode(token, validate=True))
        except ValueError:
            owner, last = None, 0
        if owner != owner_digest:
            raise ApiError("InvalidToken", f"Invalid Token: '{token}'")
        rising = len(rest) > 1 and rest[0][0] < rest[1][0]
        rest = [entry for entry in rest if (entry[0] > last if rising else entry[0] < last)]
    count = min(size or DEFAULT, quotas.PAGE.value)
    page_entries = [entry for _, entry in rest[:count]]
    if len(rest) <= count:
        return page_entries, {}
    following = base64.b64encode(json.dumps([owner_digest, rest[count - 1][0]]).encode()).decode()
    return page_entries, {"nextToken": following}
