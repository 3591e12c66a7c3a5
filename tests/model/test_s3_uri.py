from __future__ import annotations

import pytest

from genomics_pipeline.model.manifest import parse_sheet
from genomics_pipeline.model.parameters import ParameterSpec, misfit
from genomics_pipeline.model.s3_uri import object_misfit, split_object, split_prefix
from genomics_pipeline.runs.given_files import uri_problems

BUCKET = "expected a bucket of letters, digits, '.', '_' and '-' after s3://, found"
NO_KEY = "expected s3://BUCKET/KEY, found no key after the bucket"
WRONG = {
    "s3:///a.fastq": f"{BUCKET} none",
    "s3://a.fastq": NO_KEY,
    "s3://a b/a.fastq": f"{BUCKET} the name 'a b'",
    "s3://../a.fastq": f"{BUCKET} the name '..'",
    "s3://.fastq": f"{BUCKET} the name '.fastq'",
    f"s3://{'b' * 256}/a.fastq": f"{BUCKET} the name '{'b' * 256}'",
    "s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/p/a.fastq": (
        f"{BUCKET} the name 'arn:aws:s3:eu-west-1:111122223333:accesspoint'"
    ),
}


@pytest.mark.parametrize("uri", ["s3://b/k", "s3://b-1.x_Y/k/l", "s3://b//k", "s3://b/é ?#%2f"])
def test_objects(uri: str) -> None:
    assert "s3://" + "/".join(split_object(uri)) == uri


@pytest.mark.parametrize("uri", WRONG)
def test_what_is_no_object_is_found_by_the_checks_of_sheets_and_parameters(uri: str) -> None:
    assert object_misfit(uri) == WRONG[uri]
    assert misfit(ParameterSpec("panel", "file", "regions"), uri) == WRONG[uri]
    samples = parse_sheet(f"sample,fastq_1\nb,b.fastq\na,{uri}\n", "sheet.csv", "/data")
    (problem,) = uri_problems(samples, "sheet.csv")
    assert str(problem) == f"sheet.csv:3:fastq_1: sample a, lane L001: {uri}: {WRONG[uri]}"


def test_a_relative_path_does_not_leave_the_bucket_of_its_sheet() -> None:
    (sample,) = parse_sheet("sample,fastq_1\na,../../../other/a.fastq\n", "sheet.csv", "s3://bucket/data")
    assert sample.lanes[0].fastq_1 == "s3://bucket/other/a.fastq"


@pytest.mark.parametrize("length", [1024, 1025])
def test_a_key_has_at_most_1024_bytes(length: int) -> None:
    uri = "s3://b/" + "é" * (length // 2) + "k" * (length % 2)
    assert (object_misfit(uri) is None) == (length == 1024)


def test_a_prefix_may_be_a_whole_bucket() -> None:
    assert [split_prefix(uri) for uri in ("s3://b", "s3://b/", "s3://b/x/")] == [("b", ""), ("b", ""), ("b", "x/")]
