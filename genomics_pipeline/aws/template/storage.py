"""The bucket that runs, definitions and templates lie in."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.template.functions import Resources, attribute, ref, sub, when
from genomics_pipeline.aws.template.parameters import HAS_KEY
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import INTERMEDIATE_TAG

BUCKET = "Bucket"

INCOMPLETE_UPLOAD_DAYS = 7  # the longest task ends after a day; a retry days later begins its uploads anew
TEMPLATE_DAYS = 30


def storage() -> Resources:
    """The bucket, which no deletion of the stack takes away, and its policy."""
    return {
        BUCKET: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {"ServerSideEncryptionConfiguration": [_encryption()]},
                "VersioningConfiguration": {"Status": "Enabled"},
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "LifecycleConfiguration": {"Rules": _lifecycle()},
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            # As long as the bucket: what was kept is never readable without TLS.
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"Bucket": ref(BUCKET), "PolicyDocument": _tls_only()},
        },
    }


def _encryption() -> dict[str, Any]:
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ref("KmsKeyArn")}
    return {
        "ServerSideEncryptionByDefault": when(HAS_KEY, by_key, {"SSEAlgorithm": "AES256"}),
        "BucketKeyEnabled": when(HAS_KEY, True),  # one call of KMS for many objects
    }


def _lifecycle() -> list[dict[str, Any]]:
    """A filter's prefix knows no wildcard: below ``runs/<run>/`` only tags tell objects apart.

    The worker tags the outputs of a pipeline's intermediate stages.
    """
    key, value = INTERMEDIATE_TAG
    return [
        {
            "Id": "Intermediates",
            "Status": "Enabled",
            "TagFilters": [{"Key": key, "Value": value}],
            "ExpirationInDays": ref("IntermediateDays"),
        },
        {
            "Id": "IncompleteUploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": INCOMPLETE_UPLOAD_DAYS},
        },
        {
            "Id": "NoncurrentVersions",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": ref("NoncurrentVersionDays")},
            "ExpiredObjectDeleteMarker": True,
        },
        {"Id": "Templates", "Status": "Enabled", "Prefix": run_layout.TEMPLATES, "ExpirationInDays": TEMPLATE_DAYS},
    ]


def _tls_only() -> dict[str, Any]:
    """A Deny, where ``*`` is the point: nobody, nothing, without TLS."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [attribute(BUCKET, "Arn"), sub(f"${{{BUCKET}.Arn}}/*")],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
