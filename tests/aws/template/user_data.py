"""The parts of the hosts' user data."""

from __future__ import annotations

from email import message_from_string
from typing import Any

from genomics_pipeline.aws.template.scratch import user_data


def scripts() -> dict[str, str]:
    """Return the scripts in the archive, which Batch merges with its own parts, by content type."""
    archive = message_from_string(user_data())
    assert archive.get_content_type() == "multipart/mixed"
    parts: Any = archive.get_payload()
    texts = {part.get_content_type(): str(part.get_payload()) for part in parts}
    assert all(text.startswith("#!/bin/bash\n") for text in texts.values())
    return texts
