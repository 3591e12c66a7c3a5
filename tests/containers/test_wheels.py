"""The wheels of the images exist for every architecture; needs a package index, or the cache of an earlier run."""

from __future__ import annotations

from collections.abc import Callable

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.containers import images
from tests.containers.conftest import USER_CACHE


def test_every_locked_wheel_exists(missing: Callable[[str], None]) -> None:
    folders, errors = {}, []
    for architecture in Architecture:
        try:
            folders[architecture] = images.wheels(images.lock_files(architecture), architecture, USER_CACHE)
        except RunError as error:
            errors.append(str(error))
    if not folders:
        missing(f"no wheels can be downloaded: {errors[0]}")
    assert errors == []  # pip has the same message for a wheel that does not exist as without a network
    for architecture, folder in folders.items():
        texts = [lock.read_text() for lock in images.lock_files(architecture)]
        pinned = {line.partition("==")[0] for text in texts for line in text.splitlines() if "==" in line}
        found = {path.name.partition("-")[0].lower().replace("_", "-"): path.name for path in folder.glob("*.whl")}
        assert set(found) == pinned
        for name in found.values():
            assert name.endswith("-none-any.whl") or architecture.wheels in name
