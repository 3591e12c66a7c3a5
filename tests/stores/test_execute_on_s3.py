"""`genomics-pipeline execute` without ``--root``: buckets are those of S3, at the endpoint of the environment."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.cli.main import main

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ITEMS = {"Bucket": "reads", "Key": "items.csv.gz"}


def document(bucket: str) -> dict[str, Any]:
    """Return a Distributed Map over a compressed CSV file in a bucket, and a Task that reads the results' manifest."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "Label": "Each",
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                    "Arguments": ITEMS,
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "P",
                    "States": {"P": {"Type": "Pass", "End": True}},
                },
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
                    "Arguments": {"Bucket": bucket, "Prefix": "out"},
                },
                "Output": "{% $states.result.ResultWriterDetails %}",
                "Next": "G",
            },
            "G": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
                "Arguments": "{% $states.input %}",
                "Output": "{% $parse($states.result.Body).ResultFiles %}",
                "End": True,
            },
        },
    }


@pytest.fixture
def execute(s3: S3Client, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Return `execute(document)`, which runs the command and returns its JSON output and exit code."""

    def call(definition: dict[str, Any]) -> tuple[Any, int]:
        file = tmp_path / "machine.json"
        file.write_text(json.dumps(definition))
        with pytest.raises(SystemExit) as end:
            main(["execute", str(file), "--json"])
        return json.loads(capfd.readouterr().out), int(end.value.code or 0)

    return call


def test_items_and_results_are_in_s3(execute: Any, s3: S3Client) -> None:
    s3.put_object(Bucket=ITEMS["Bucket"], Key=ITEMS["Key"], Body=gzip.compress(b"sample,n\na,1\nb,2\n"))
    summary, code = execute(document("reads"))
    assert (summary["status"], code) == ("SUCCEEDED", 0)
    (file,) = summary["output"]["SUCCEEDED"]
    assert summary["map_runs"][0]["itemCounts"]["succeeded"] == 2
    body = s3.get_object(Bucket="reads", Key=file["Key"])["Body"].read()
    assert body == b'{"sample":"a","n":"1"}\n{"sample":"b","n":"2"}\n'
    assert file["Size"] == len(body)


@pytest.mark.parametrize(("exists", "error"), [(False, "States.ItemReaderFailed"), (True, "States.ResultWriterFailed")])
def test_missing_items_and_missing_bucket_of_results(execute: Any, s3: S3Client, exists: bool, error: str) -> None:
    if exists:
        s3.put_object(Bucket="reads", Key="items.csv.gz", Body=b"")
    summary, code = execute(document("nowhere"))
    assert (summary["status"], summary["error"], code) == ("FAILED", error, 1)
