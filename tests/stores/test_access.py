"""Rights that are missing on S3: each operation of a store says which one, of whom and on what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from genomics_pipeline.model.access import MissingRight
from genomics_pipeline.stores.protocol import DeniedAccess
from genomics_pipeline.stores.s3 import S3Store
from tests.faults.proxy import DENIED, FaultyS3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

URI, BIG = "s3://reads/a.txt", "s3://reads/big"
ROLE = "arn:aws:sts::1:assumed-role/demo-JobRole/task"


def message(right: str, resource: str) -> str:
    return f'{DENIED}User: {ROLE} is not authorized to perform: {right} on resource: "{resource}" because no policy'


def upload(store: S3Store, folder: Path) -> None:
    (folder / "b").write_bytes(b"b")
    store.publish(folder / "b", "s3://reads/b")


# The operation, the requests that are denied, and the right.
CASES: dict[str, tuple[Callable[[S3Store, Path], object], str, str]] = {
    "stat": (lambda store, _: store.stat(URI), "HEAD GET", "s3:GetObject"),
    "open": (lambda store, _: store.open(URI), "GET", "kms:Decrypt"),
    "read": (lambda store, _: store.read(URI), "GET", "s3:GetObject"),
    "fetch": (lambda store, folder: store.fetch(URI, folder), "GET", "kms:Decrypt"),
    "fetch, HEAD denied": (lambda store, folder: store.fetch(URI, folder), "HEAD GET", "s3:GetObject"),
    "fetch in parts": (lambda store, folder: store.fetch(BIG, folder), "GET", "kms:Decrypt"),
    "list": (lambda store, _: list(store.list("s3://reads/x")), "GET", "s3:ListBucket"),
    "write": (lambda store, _: store.write("s3://reads/b", b"b"), "PUT", "s3:PutObject"),
    "publish": (upload, "PUT", "kms:GenerateDataKey"),
    "copy": (lambda store, _: store.copy(URI, "s3://reads/b"), "PUT", "s3:PutObject"),
    "delete": (lambda store, _: store.delete(URI), "DELETE", "s3:DeleteObject"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_missing_right_is_named(name: str, s3: S3Client, aws: str, tmp_path: Path) -> None:
    s3.put_object(Bucket="reads", Key="a.txt", Body=b"text")
    s3.put_object(Bucket="reads", Key="big", Body=bytes(9 << 20) if "parts" in name else b"")
    call, methods, right = CASES[name]
    denied = message(right, "arn:aws:s3:::reads/a.txt")
    with FaultyS3(aws, lambda method, _: denied if method in methods.split() else None) as proxy:
        store = S3Store(boto3.client("s3", endpoint_url=proxy.url))
        with pytest.raises(DeniedAccess) as refused:
            call(store, tmp_path)
    assert refused.value.right == MissingRight(right, ROLE, "arn:aws:s3:::reads/a.txt", "no policy")
    assert not (tmp_path / "a.txt").exists()


def test_head_alone_is_denied(s3: S3Client, aws: str) -> None:
    s3.put_object(Bucket="reads", Key="a.txt", Body=b"text")
    with FaultyS3(aws, lambda method, _: f"{DENIED}no" if method == "HEAD" else None) as proxy:
        store = S3Store(boto3.client("s3", endpoint_url=proxy.url))
        with pytest.raises(DeniedAccess, match="the right s3:GetObject, or kms:Decrypt on the key that encrypts it"):
            store.stat(URI)
