"""Paths with ``..`` behind symbolic links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.stores.real_parents import follow_parents, follow_parents_in

PARTS = ("a", "b", "link", "deep", "..", ".", "")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which links lead up, down and aside."""
    top = tmp_path_factory.mktemp("tree")
    for folder in ("a/b/deep", "b/a/deep", "deep/a/b"):
        (top / folder).mkdir(parents=True)
    for link, target in (
        ("link", "a/b"),
        ("a/link", "../deep/a"),
        ("b/link", "."),
        ("deep/link", "../.."),
        ("b/a/b", ".."),
    ):
        (top / link).symlink_to(target)
    return top


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PARTS), max_size=7))
def test_the_path_leads_where_the_system_finds_it(tree: Path, parts: list[str]) -> None:
    path = f"{tree}/{'/'.join(parts)}"
    followed = follow_parents(path)
    assert ".." not in followed.split("/")
    try:
        status = Path(path).stat()
    except OSError:
        return
    assert os.path.samestat(Path(followed).stat(), status)


def test_links_behind_the_last_dots_are_kept(tree: Path) -> None:
    assert follow_parents(f"{tree}/link/../link/x") == f"{tree}/a/link/x"
    assert follow_parents(f"{tree}/link/x") == f"{tree}/link/x"


def test_only_files_are_followed(tree: Path) -> None:
    specs = {
        name: ParameterSpec(name, kind, "x") for name, kind in (("bed", "file"), ("text", "string"), ("n", "integer"))
    }
    path = f"{tree}/link/../x.bed"
    values = follow_parents_in({"bed": path, "text": path, "n": 1}, specs)
    assert values == {"bed": f"{tree}/a/x.bed", "text": path, "n": 1}
    assert follow_parents_in({"bed": None}, specs) == {"bed": None}
