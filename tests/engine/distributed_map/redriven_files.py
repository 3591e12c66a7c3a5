"""The result files of the only Map Run in a store, for tests of redrives."""

from __future__ import annotations

import json
from typing import Any

from tests.engine.conftest import EngineHarness


def files(harness: EngineHarness, folder: str) -> dict[str, Any]:
    """Return the files that the manifest in a folder of the only Map Run lists."""
    (uri,) = (
        uri for uri in harness.store.objects if uri.endswith(f"{folder}manifest.json") and manifest_of(uri, folder)
    )
    listed: dict[str, Any] = json.loads(harness.store.objects[uri])["ResultFiles"]
    return listed


def manifest_of(uri: str, folder: str) -> bool:
    return ("Redrive-" in uri) == bool(folder)


def rows(harness: EngineHarness, listed: dict[str, Any], kind: str) -> list[Any]:
    return [row for file in listed[kind] for row in harness.store.lines(f"s3://b/{file['Key']}")]
