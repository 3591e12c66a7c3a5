"""The page on failures: it agrees with `explain` on every class and error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genomics_pipeline.cli.main import main
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.failure_tables import BY_EXIT_CODE
from genomics_pipeline.report.advice import ADVICE, BY_BLOCK_REASON, BY_ERROR_NAME, HERE, Advice

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "failures.md").read_text("utf-8")
EXPLAINED = {
    "stage": "alignment",
    "class": "out_of_memory",
    "error": "States.TaskFailed",
    "cause": json.dumps(
        {
            "JobId": "4d1c",
            "Attempts": [{}, {"Container": {"LogStreamName": "align/default/2"}}],
            "Container": {
                "ExitCode": 137,
                "Memory": 8192,
                "Reason": "OutOfMemoryError: Container killed due to memory usage",
            },
        }
    ),
    "tried": [
        {"class": "host_lost", "memory_mib": 8192, "job_id": "3a77"},
        {"class": "out_of_memory", "memory_mib": 8192, "job_id": "4d1c"},
    ],
}


def row(name: str, advice: Advice) -> str:
    return f"| `{name}` | {advice.means} | {advice.by_itself} | {advice.to_do} |"


def test_every_class_and_error_has_its_row() -> None:
    assert list(ADVICE) == list(FailureClass)
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == [
        row(name, advice) for each in (ADVICE, HERE, BY_BLOCK_REASON, BY_ERROR_NAME) for name, advice in each.items()
    ]


def test_every_exit_code_is_listed() -> None:
    for code in BY_EXIT_CODE:
        assert f"{code} " in PAGE


def test_the_example_is_what_explain_prints(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cause.json"
    file.write_text(json.dumps(EXPLAINED))
    with pytest.raises(SystemExit) as end:
        main(["explain", str(file)])
    assert end.value.code in (0, None)
    assert f"```\n{capfd.readouterr().out}```" in PAGE
