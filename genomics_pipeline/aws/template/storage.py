"""The bucket of the stack: runs, references, definitions and templates."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.aws.template.functions import TemplateResources, attribute, ref, sub, when
from genomics_pipeline.aws.template.parameters import HAS_KEY, TIERS_RESULTS
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import INTERMEDIATE_TAG

BUCKET = "Bucket"

INCOMPLETE_UPLOAD_DAYS = 7  # the longest task ends after a day, and a later retry starts its uploads again
TEMPLATE_DAYS = 30
LARGE_BYTES = 1 << 20


def storage(notifications: dict[str, Any] | None = None) -> TemplateResources:
    """Return the bucket and its policy; both are retained if the stack is deleted.

    Args:
        notifications: The notifications of the bucket; None for none.
    """
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
                **({"NotificationConfiguration": notifications} if notifications else {}),
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            # Retained as the bucket: its objects are never readable without TLS or from other accounts.
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"Bucket": ref(BUCKET), "PolicyDocument": _denials()},
        },
    }


def _encryption() -> dict[str, Any]:
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ref("KmsKeyArn")}
    return {
        "ServerSideEncryptionByDefault": when(HAS_KEY, by_key, {"SSEAlgorithm": "AES256"}),
        "BucketKeyEnabled": when(HAS_KEY, True),  # fewer calls of KMS
    }


def _lifecycle() -> list[dict[str, Any]]:
    """Return the lifecycle rules.

    The worker tags the outputs of intermediate stages, because a rule's prefix cannot have wildcards for the run.
    """
    key, value = INTERMEDIATE_TAG
    return [
        {
            "Id": "Intermediates",
            "Status": "Enabled",
            "TagFilters": [{"Key": key, "Value": value}],
            "ExpirationInDays": ref("IntermediateDays"),
        },
        when(TIERS_RESULTS, _results_rule()),
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


def _results_rule() -> dict[str, Any]:
    """Return the rule that moves large files of runs to another storage class.

    Records stay: they are small, and S3 charges for the transition and the monitoring of each object.
    """
    return {
        "Id": "Results",
        "Status": "Enabled",
        "Prefix": run_layout.RUNS,
        "ObjectSizeGreaterThan": str(LARGE_BYTES),
        "Transitions": [{"StorageClass": ref("ResultsStorageClass"), "TransitionInDays": ref("ResultsDays")}],
    }


def _denials() -> dict[str, Any]:
    """Return a policy that denies everybody all actions without TLS, and all other accounts all actions.

    AWS's services belong to no account of the caller's. They are denied nothing here, and allowed nothing either: those
    that act for somebody, such as Step Functions for its role, are that somebody to S3.
    """
    other_accounts = {
        "StringNotEqualsIfExists": {"aws:PrincipalAccount": ref("AWS::AccountId")},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    without_tls = {"Bool": {"aws:SecureTransport": "false"}}
    return {
        "Version": "2012-10-17",
        "Statement": [_denial("TlsOnly", without_tls), _denial("OwnAccountOnly", other_accounts)],
    }


def _denial(sid: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [attribute(BUCKET, "Arn"), sub(f"${{{BUCKET}.Arn}}/*")],
        "Condition": condition,
    }
