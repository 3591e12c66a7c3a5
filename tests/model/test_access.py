"""Messages of AWS about rights that are missing, in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genomics_pipeline.model.access import denied_call, described_right

MESSAGES = json.loads((Path(__file__).parents[1] / "corpus" / "denied_access.json").read_text("utf-8"))


@pytest.mark.parametrize("entry", MESSAGES)
def test_messages_in_words(entry: dict[str, str]) -> None:
    assert str(described_right(entry["message"])) == f"access denied: {entry['words']}"


@pytest.mark.parametrize("message", ["Access Denied", "the role R lacks the right s3:GetObject", "NoSuchKey", ""])
def test_other_messages(message: str) -> None:
    assert described_right(message) is None


@pytest.mark.parametrize(
    ("operation", "message", "right"),
    [
        ("ListObjectsV2", "Access Denied", "s3:ListBucket"),
        ("DeleteObject", "Access Denied", "s3:DeleteObject"),
        ("GetObject", "Access Denied", "s3:GetObject, or kms:Decrypt on the key that encrypts it,"),
        ("UploadPart", "Access Denied", "s3:PutObject, or kms:GenerateDataKey on the key that encrypts it,"),
        ("GetObject", "The ciphertext refers to a customer master key that does not exist", "kms:Decrypt"),
    ],
)
def test_calls_whose_message_names_no_right(operation: str, message: str, right: str) -> None:
    found = denied_call("s3", operation, "AccessDenied", message, "s3://b/k")
    assert found is not None
    assert found.right == right


@pytest.mark.parametrize(
    "code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "NoSuchKey", "SlowDown"]
)
def test_errors_of_another_kind(code: str) -> None:
    assert denied_call("s3", "GetObject", code, "Access Denied", "s3://b/k") is None
