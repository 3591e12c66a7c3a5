"""Refusals of AWS's services for lack of a right: which right of whom on what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Error codes of a right that is missing, of S3 (403 is that of HEAD, which has no body), Batch, Step Functions, ECR,
# CloudFormation, KMS, EC2; other errors with the status 403 are about credentials.
DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException", "UnauthorizedOperation", "Forbidden"}
)
NOT_AUTHORIZED = "is not authorized to perform: "  # in the messages of all services: IAM user guide, troubleshooting
_MESSAGE = re.compile(
    rf"(?P<who>arn:\S+) {NOT_AUTHORIZED}(?P<right>[a-z0-9-]+:[A-Za-z]+)"
    r"(?: on (?:this resource|resource: \"?(?P<resource>[^\s\"]+)\"?))?"
    r"(?: (?:because|with) (?P<why>(?:(?! \(Service| status code|[\n\"]).)*))?"
)
_ROLE = re.compile(r":assumed-role/([^/]+)/|:(?:role|user)/(?:.*/)?([^/]+)$")
# The right that a call to S3 needs. Source: service authorization reference of Amazon S3.
_S3_RIGHTS = {
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
}
_KEY = re.compile(r"ciphertext refers to a customer master key|kms", re.IGNORECASE)
_ENCRYPTED = ("GetObject", "PutObject")


@dataclass(frozen=True, slots=True)
class MissingRight:
    """A right that a call to AWS lacked.

    Attributes:
        right: The action of IAM, such as ``s3:GetObject``.
        who: The ARN of the user or role; None where AWS does not name it.
        resource: The ARN or URI of the resource; None where AWS does not name it.
        why: AWS's reason; empty where it gives none.
    """

    right: str
    who: str | None = None
    resource: str | None = None
    why: str = ""

    def __str__(self) -> str:
        """Return a sentence about it.

        >>> str(MissingRight("s3:GetObject", "arn:aws:sts::1:assumed-role/demo-JobRole/task", "s3://reads/a.fq.gz"))
        'access denied: the role demo-JobRole lacks the right s3:GetObject on s3://reads/a.fq.gz'
        >>> str(MissingRight("s3:ListBucket", resource="s3://reads"))
        'access denied: the right s3:ListBucket on s3://reads is missing'
        """
        right = f"the right {self.right}{f' on {self.resource}' if self.resource else ''}"
        words = f"{_owner(self.who)} lacks {right}" if self.who else f"{right} is missing"
        return f"access denied: {words}{f' ({self.why})' if self.why else ''}"


def _owner(arn: str) -> str:
    """Return a user or role in words.

    >>> _owner("arn:aws:iam::1:user/lab/ann"), _owner("arn:aws:iam::1:root")
    ('the user ann', 'arn:aws:iam::1:root')
    """
    found = _ROLE.search(arn)
    if not found:
        return arn
    return f"the {'user' if ':user/' in arn else 'role'} {found[1] or found[2]}"


def described_right(text: str) -> MissingRight | None:
    """Return the right that a message of AWS says is missing; None for another message.

    >>> described_right("User: arn:aws:iam::1:user/ann is not authorized to perform: batch:ListJobs on resource: *")
    MissingRight(right='batch:ListJobs', who='arn:aws:iam::1:user/ann', resource='*', why='')
    """
    found = _MESSAGE.search(text)
    if not found:
        return None
    why = (found["why"] or "").strip(" .,")
    return MissingRight(found["right"], found["who"], found["resource"], why)


def denied_call(service: str, operation: str, code: str, message: str, resource: str | None) -> MissingRight | None:
    """Return the right that a refused call lacked; None for an error of another kind.

    Args:
        service: The prefix of the service's actions, such as ``s3``; empty where it is not known.
        operation: The operation that was called.
        code: The code of the error.
        message: The message of the error, which does not always name the right.
        resource: The resource of the call, where it is known.

    >>> denied_call("s3", "HeadObject", "403", "Forbidden", "s3://reads/a").right
    's3:GetObject, or kms:Decrypt on the key that encrypts it,'
    """
    if code not in DENIED:
        return None
    if described := described_right(message):
        return described
    if service != "s3":
        return MissingRight(f"{service}:{operation}" if service else f"to call {operation}", resource=resource)
    right = _S3_RIGHTS.get(operation, operation)
    if right not in _ENCRYPTED:
        return MissingRight(f"s3:{right}", resource=resource)
    key_right = "kms:Decrypt" if right == "GetObject" else "kms:GenerateDataKey"
    if _KEY.search(message):
        return MissingRight(key_right, resource=f"the key that encrypts {resource}")
    return MissingRight(f"s3:{right}, or {key_right} on the key that encrypts it,", resource=resource)
