"""Paths that links lead out of a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.stores.open_folder import LeadsOutside, refuse_leading_out

TARGETS = {"inner": "folder", "outer": "..", "etc": "/etc", "loop": "loop", "broken": "missing", "back": "../run"}
NAMES = ["folder", "file", "missing", "..", *TARGETS]


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a folder with folders and links of every kind, by its path and by a link to it."""
    parent = tmp_path_factory.mktemp("links")
    run = parent / "run"
    for folder in (run, run / "folder"):
        folder.mkdir()
        (folder / "file").touch()
        for name, target in TARGETS.items():
            (folder / name).symlink_to(target)
    (parent / "linked").symlink_to(run)
    return [run, parent / "linked"]


@given(st.lists(st.sampled_from(NAMES), max_size=4), st.integers(0, 1))
def test_a_path_is_refused_if_it_leads_out(roots: list[Path], names: list[str], number: int) -> None:
    path, root = roots[number].joinpath(*names), roots[number]
    refused = False
    try:
        refuse_leading_out(path, root)
    except LeadsOutside:
        refused = True
    assert refused is not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def test_a_path_of_another_folder_with_the_same_beginning_is_refused(roots: list[Path]) -> None:
    root = roots[0]
    with pytest.raises(LeadsOutside):
        refuse_leading_out(root.with_name(f"{root.name}-2") / "folder" / "file", root)
    with pytest.raises(LeadsOutside):
        refuse_leading_out(root.parent, root)
