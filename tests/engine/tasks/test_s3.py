"""``aws-sdk:s3``: S3's members and errors, over a store of local folders.

The shapes: radkawar/stackd testdata/aws/stepfunctions/task_integrations.json (s3-flow, s3-empty-list, s3-no-such-key,
s3-null-body, s3-base64-body) and sdk_requests.json (default-checksum, string-false); a missing bucket: localstack
v2/error_handling/test_aws_sdk.snapshot.json (test_no_such_bucket).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.s3 import S3, S3Tasks
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.stores.local import Folders, LocalStore

Call = Callable[..., Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    return tmp_path


@pytest.fixture
def call(root: Path, task: Callable[..., TaskContext]) -> Call:
    """Return `call(operation, **arguments)`, which performs an operation in the bucket `b`."""
    tasks = S3Tasks(LocalStore(Folders(root)))

    def perform(operation: str, **arguments: Any) -> Any:
        return asyncio.run(tasks({"Bucket": "b", **arguments}, task(S3 + operation)))

    return perform


@pytest.mark.parametrize(
    ("body", "stored", "checksum"),
    [
        ("hello\nπ", '"hello\\nπ"', "AUmDVw=="),
        ("AP9BQgo=", '"AP9BQgo="', "FAe4eQ=="),
        ({"message": "sdk-checksum-control"}, '{"message":"sdk-checksum-control"}', "VRQQRw=="),
        (None, "null", "Jcv8Tw=="),
    ],
)
def test_a_body_is_stored_as_json_text(call: Call, root: Path, body: Any, stored: str, checksum: str) -> None:
    put = call("putObject", Key="deep/text", Body=body, ContentType=None)
    assert re.fullmatch(r'"[^"]+"', put.pop("ETag"))
    assert put == {"ChecksumCRC32": checksum, "ChecksumType": "FULL_OBJECT", "ServerSideEncryption": "AES256"}
    assert (root / "b" / "deep" / "text").read_text() == stored
    os.utime(root / "b" / "deep" / "text", (1790201703.9, 1790201703.9))
    etag = call("headObject", Key="deep/text")["ETag"]
    got = call("getObject", Key="deep/text")
    assert got.pop("Body") == stored
    metadata = {
        "AcceptRanges": "bytes",
        "ContentLength": len(stored.encode()),
        "ContentType": "text/plain; charset=UTF-8",
        "ETag": etag,
        "LastModified": "2026-09-23T22:15:03Z",
        "Metadata": {},
        "ServerSideEncryption": "AES256",
    }
    assert got == call("headObject", Key="deep/text", ChecksumMode="ENABLED") == metadata


def test_without_a_body_the_object_is_empty(call: Call, root: Path) -> None:
    call("putObject", Key="empty")
    assert (root / "b" / "empty").read_bytes() == b""


def test_a_list_describes_the_objects(call: Call, root: Path) -> None:
    for name in ("a.txt", "run-1/x", "run-1/y", "run-2/x", "z.txt"):
        call("putObject", Key=name, Body=name)
    response = call("listObjectsV2", MaxKeys=10)
    contents = response.pop("Contents")
    assert response == {"IsTruncated": False, "KeyCount": 5, "MaxKeys": 10, "Name": "b", "Prefix": ""}
    assert [entry["Key"] for entry in contents] == ["a.txt", "run-1/x", "run-1/y", "run-2/x", "z.txt"]
    head = call("headObject", Key="a.txt")
    assert contents[0] == {
        "ETag": head["ETag"],
        "Key": "a.txt",
        "LastModified": head["LastModified"],
        "Size": 7,
        "StorageClass": "STANDARD",
    }


def test_an_empty_list_has_no_contents(call: Call) -> None:
    assert call("listObjectsV2", Prefix="absent/", MaxKeys=2) == {
        "IsTruncated": False,
        "KeyCount": 0,
        "MaxKeys": 2,
        "Name": "b",
        "Prefix": "absent/",
    }


@pytest.mark.parametrize("delimiter", [None, "/"])
def test_all_pages_together_are_the_whole_list(call: Call, delimiter: str | None) -> None:
    # The members: botocore s3, ListObjectsV2Output.
    for name in ("a.txt", "run-1/x", "run-1/y", "run-2/x", "z.txt"):
        call("putObject", Key=name, Body=name)
    arguments = {"Delimiter": delimiter} if delimiter else {}
    whole = call("listObjectsV2", **arguments)
    pages: list[Any] = []
    continuation: dict[str, Any] = {}
    while not pages or pages[-1]["IsTruncated"]:
        pages.append(call("listObjectsV2", MaxKeys=1, **arguments, **continuation))
        continuation = {"ContinuationToken": pages[-1].get("NextContinuationToken")}
    for member in ("Contents", "CommonPrefixes"):
        assert [entry for page in pages for entry in page.get(member, [])] == whole.get(member, [])
    assert [entry["Prefix"] for entry in whole.get("CommonPrefixes", [])] == (["run-1/", "run-2/"] if delimiter else [])
    assert [entry["Key"] for entry in call("listObjectsV2", StartAfter="run-1/x")["Contents"]] == [
        "run-1/y",
        "run-2/x",
        "z.txt",
    ]


def test_objects_are_copied_and_deleted(call: Call, root: Path) -> None:
    # The members: botocore s3, CopyObjectOutput.
    (root / "other").mkdir()
    (root / "other" / "a b.txt").write_text("data")
    response = call("copyObject", Key="copy", CopySource="other/a%20b.txt")
    head = call("headObject", Key="copy")
    assert response == {
        "CopyObjectResult": {"ETag": head["ETag"], "LastModified": head["LastModified"]},
        "ServerSideEncryption": "AES256",
    }
    assert (root / "b" / "copy").read_text() == "data"
    assert call("deleteObject", Key="copy") == call("deleteObject", Key="copy") == {}
    assert not (root / "b" / "copy").exists()


IDS = r"Request ID: [0-9A-F]{16}, Extended Request ID: [0-9a-f]{32}\) \(SDK Attempt Count: 1\)"


def failure(call: Call, operation: str, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(StatesError) as raised:
        call(operation, **arguments)
    return raised.value.error, re.sub(IDS, "IDS", str(raised.value.cause))


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("getObject", {"Key": "absent"}), ("copyObject", {"Key": "a", "CopySource": "/b/absent"})],
)
def test_a_missing_key_is_reported(call: Call, operation: str, arguments: dict[str, Any]) -> None:
    assert failure(call, operation, **arguments) == (
        "S3.NoSuchKeyException",
        "The specified key does not exist. (Service: S3, Status Code: 404, IDS",
    )


@pytest.mark.parametrize("bucket", ["b", "none"])
def test_head_reports_a_missing_bucket_as_a_missing_key(call: Call, bucket: str) -> None:
    # S3's answer to HEAD has no body (API_HeadObject), and the SDK models one exception for it.
    assert failure(call, "headObject", Bucket=bucket, Key="absent") == (
        "S3.NoSuchKeyException",
        "null (Service: S3, Status Code: 404, IDS",
    )


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("getObject", {"Key": "a"}),
        ("putObject", {"Key": "a", "Body": 1}),
        ("deleteObject", {"Key": "a"}),
        ("copyObject", {"Key": "a", "CopySource": "b/text"}),
        ("listObjectsV2", {}),
    ],
)
def test_a_missing_bucket_is_reported(call: Call, root: Path, operation: str, arguments: dict[str, Any]) -> None:
    (root / "b" / "text").write_text("x")
    assert failure(call, operation, **arguments, Bucket="none") == (
        "S3.NoSuchBucketException",
        "The specified bucket does not exist (Service: S3, Status Code: 404, IDS",
    )
    assert [path.name for path in root.iterdir()] == ["b"]


def test_a_copy_onto_itself_is_refused_unless_it_replaces_metadata(call: Call) -> None:
    # S3's own message, as moto 5.1 repeats it.
    call("putObject", Key="a", Body=1)
    error, cause = failure(call, "copyObject", Key="a", CopySource="b/a")
    assert (error, cause.split(" because")[0]) == ("S3.S3Exception", "This copy request is illegal")
    assert cause.endswith("(Service: S3, Status Code: 400, IDS")
    head = call("headObject", Key="a")
    copied = call("copyObject", Key="a", CopySource="b/a", MetadataDirective="REPLACE")
    assert copied["CopyObjectResult"] == {"ETag": head["ETag"], "LastModified": head["LastModified"]}


def test_unsupported_arguments_are_refused(call: Call) -> None:
    assert failure(call, "getObject", Key="a", Range="bytes=0-1") == (
        "S3.S3Exception",
        "getObject: the argument 'Range' is not supported here",
    )
    assert failure(call, "getObject")[0] == "States.Runtime"


def test_a_key_stays_in_its_bucket(call: Call, root: Path) -> None:
    assert failure(call, "putObject", Key="../x", Body=1) == (
        "S3.S3Exception",
        "s3://b/../x: expected a key inside its bucket",
    )
    assert not (root / "x").exists()


def test_every_operation_has_its_resource(root: Path) -> None:
    tasks = S3Tasks(LocalStore(Folders(root)))
    assert tasks.handlers() == {
        f"arn:aws:states:::aws-sdk:s3:{name}": tasks
        for name in ("getObject", "headObject", "putObject", "copyObject", "deleteObject", "listObjectsV2")
    }
