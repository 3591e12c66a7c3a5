"""Requests and reports of a check of rights as text."""

from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.rights import RightsCheck, RightsReport, RightsRequest, find_report

REPORT = RightsReport("new", [RightsCheck("read", "s3://b/k"), RightsCheck("write", "s3://b/w", "access denied: é")])
OLD = RightsReport("old", [RightsCheck("write", "s3://b/w")])


def test_the_report_of_the_job_is_found_among_others() -> None:
    others = [
        "",
        "null",
        "[]",
        "7",
        '{"job_id": "new"}',
        '{"job_id": "new", "checks": [1]}',
        "[" * 10_000,
        OLD.to_text(),
    ]
    assert find_report(iter([*others, REPORT.to_text()]), "new") == REPORT
    assert find_report(iter(others), "new") is None


def test_a_request_is_read_as_written() -> None:
    request = RightsRequest(("s3://b/a b", 's3://b/"'), "s3://b/r")
    assert RightsRequest.from_text(request.to_text()) == request


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"reads": 1, "report": "r"}', '{"reads": []}'])
def test_another_text_is_no_request(text: str) -> None:
    with pytest.raises(DataError, match="GENOMICS_PIPELINE_RIGHTS: expected a JSON object with reads and report"):
        RightsRequest.from_text(text)
