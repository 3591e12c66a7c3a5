from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Ended


def test_the_command_writes_a_folder_and_refuses_options_of_the_other_kind(
    cli: Callable[..., Ended], tmp_path: Path
) -> None:
    ended = cli("simulate", "--out", tmp_path / "pay", "--transactions", "20", "--accounts", "9", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["records"] == 20
    files = sorted(file.relative_to(tmp_path).as_posix() for file in (tmp_path / "pay").rglob("*.json*"))
    assert files == ["pay/profiles.json", "pay/transactions/000000.jsonl", "pay/truth.jsonl"]
    for options, message in (
        (("--transactions", "9", "--depth", "3"), "--depth: expected no option of a cohort with --transactions"),
        (("--files", "3"), "--files: expected --transactions N with it, since a cohort has none"),
        (("--transactions", "9", "--out", tmp_path / "pay"), "expected a new or empty folder"),
    ):
        refused = cli("simulate", "--out", tmp_path / "new", *options)
        assert (refused.code, message in refused.err) == (2, True)
        assert not (tmp_path / "new").exists()
