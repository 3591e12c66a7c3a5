"""Names and keys from outside: those that may become paths, and those that lead elsewhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from random import Random

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.plain_path import file_name, is_plain_key, is_plain_name, plain_key

PLAIN = ["a", "NA12878.md.cram", "HLA-A*01:01", "a b", "é.txt", ".hidden", "...", "-x", "a~", "日本", "x" * 255]
HOSTILE = [
    *("", ".", "..", "/", "a/b", "/etc", "a/", "a\\b", "..\\a", "C:", "c:\\a", "~", "~root"),
    *("a\0b", "a\nb", "a\tb", "\x7f"),
    *("\x1b[2J", "\x9b", "\u202ea", "\ud800", "x" * 256, "é" * 128),
]


@pytest.mark.parametrize("name", PLAIN)
def test_plain_names(name: str) -> None:
    assert is_plain_name(name)
    assert is_plain_key(f"results/{name}/{name}", "results/")
    assert file_name(f"s3://bucket/{name}") == file_name(f"/folder/{name}") == name


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    assert not is_plain_name(name)
    for key in (name, f"results/{name}", f"results/{name}/a", f"results/a/{name}"):
        assert is_plain_key(key) == (key in ("a/b", "results/a/b", "results/a/b/a", "results/a/a/b")), key


@pytest.mark.parametrize(
    "uri", ["s3://b/", "s3://b/a/", "s3://b/..", "s3://b/a/..", "s3://b/.", "s3://b/a\0", "s3://b/~a"]
)
def test_no_local_copy_has_a_hostile_name(uri: str) -> None:
    with pytest.raises(DataError, match="expected an object whose last part can be the name of a file"):
        file_name(uri)


def test_a_key_lies_below_its_prefix() -> None:
    for key in ("results", "results/", "resultsa/b", "steps/a/b", "/results/a", "results//tmp/a"):
        assert not is_plain_key(key, "results/")
        with pytest.raises(DataError, match="expected a key of plain names below results/"):
            plain_key(key, "results/")


def test_a_key_is_no_longer_than_one_of_s3() -> None:
    assert is_plain_key("/".join(["a" * 127] * 8))
    assert not is_plain_key("/".join(["a" * 127] * 8) + "/b")


def test_no_plain_key_leaves_its_folder(tmp_path: Path) -> None:
    random = Random(13)
    parts = [*PLAIN[:9], *HOSTILE[:-2]]
    kept = 0
    for _ in range(5000):
        key = "/".join(random.choices(parts, k=random.randint(1, 4)))
        if is_plain_key(key):
            kept += 1
            assert (tmp_path / key).resolve().is_relative_to(tmp_path.resolve())
            assert len(PurePosixPath(key).parts) == key.count("/") + 1
    assert kept > 500
