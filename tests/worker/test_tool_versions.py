"""The versions of tools that a step's program writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.worker.tool_versions import LONGEST, MOST_TOOLS, read_tool_versions


def test_versions_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "versions.json"
    assert read_tool_versions(file) == {}
    file.write_text('{"samtools": "1.24", "bwa": "0.7.19-r1273"}')
    assert list(read_tool_versions(file).items()) == [("bwa", "0.7.19-r1273"), ("samtools", "1.24")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"a": 1}',
        '{"a": ""}',
        '{"": "1"}',
        '{"a": "\\u001b[31m"}',
        '{"a": "\udcff"}',
        '{"a": "' + "1" * (LONGEST + 1) + '"}',
        "[" * 100_000,
        "{" + ",".join(f'"{number}": "1"' for number in range(MOST_TOOLS + 1)) + "}",
    ],
    ids=lambda text: text[:9] or "empty",
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "versions.json"
    file.write_text(text, errors="surrogateescape")
    with pytest.raises(DataError, match=r"^versions\.json: expected a JSON object of at most 100 names and versions"):
        read_tool_versions(file)
