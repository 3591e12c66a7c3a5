"""boto3's clients, each created on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from genomics_pipeline.model import quotas
from genomics_pipeline.model.access import MissingRight, denied_call
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.stores.client_config import create_client

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

POLICY = "`genomics-pipeline template --caller-policy` prints the rights that runs need; deploy needs more"
CONNECT_S = 30
CONNECTIONS = 32  # of one client, and so the number of threads that may use it at the same time


class Clients:
    """The clients of one session.

    Args:
        session: Builds the session; called once, for the first client.
    """

    def __init__(self, session: Callable[[], boto3.Session]) -> None:
        self._build_session = session

    @cached_property
    def _session(self) -> Any:
        return self._build_session()

    def _client(self, service: str) -> Any:
        return create_client(self._session.client, service, CONNECTIONS)

    @cached_property
    def batch(self) -> BatchClient:
        """Return the client of AWS Batch."""
        return self._client("batch")  # type: ignore[no-any-return]

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """Return the client of CloudFormation."""
        return self._client("cloudformation")  # type: ignore[no-any-return]

    @cached_property
    def ec2(self) -> Any:
        """Return the client of EC2, untyped: its types are larger than those of all others together."""
        return self._client("ec2")

    @cached_property
    def ecr(self) -> ECRClient:
        """Return the client of Elastic Container Registry."""
        return self._client("ecr")  # type: ignore[no-any-return]

    @cached_property
    def functions(self) -> Any:
        """Return the client of Lambda, untyped: one operation of it is used.

        It makes one attempt, which may take as long as a function: the state that calls it says what is repeated.
        """
        seconds = quotas.FUNCTION_SECONDS.value + CONNECT_S
        return create_client(self._session.client, "lambda", CONNECTIONS, attempts=1, answer_s=seconds)

    @cached_property
    def iam(self) -> Any:
        """Return the client of IAM, untyped: one operation of it is used."""
        return self._client("iam")

    @cached_property
    def service_quotas(self) -> Any:
        """Return the client of Service Quotas, untyped: one operation of it is used."""
        return self._client("service-quotas")

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Return the client of CloudWatch Logs."""
        return self._client("logs")  # type: ignore[no-any-return]

    @cached_property
    def s3(self) -> S3Client:
        """Return the client of S3."""
        return self._client("s3")  # type: ignore[no-any-return]

    @cached_property
    def states(self) -> SFNClient:
        """Return the client of Step Functions."""
        return self._client("stepfunctions")  # type: ignore[no-any-return]


class UnknownOperation(Exception):
    """An operation that the service does not know: an older Region, or an emulator without it."""


# Error codes of unknown operations: of AWS's protocols, and the status where a response has no body.
_UNKNOWN = ("UnknownOperationException", "InvalidAction", "NotImplemented", "NotImplementedException", "404", "501")


@contextmanager
def known_operation() -> Iterator[None]:
    """Raise `UnknownOperation` for an error that says that the service does not know the operation.

    Raises:
        UnknownOperation: for such an error.
    """
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if error.response["Error"].get("Code") in _UNKNOWN or status in (404, 501):
            raise UnknownOperation(str(error)) from error
        raise


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Raise the errors of boto3 within the context as a `RunError` that says what was to be done.

    Args:
        what: The purpose of the calls, such as ``start the execution cohort-1``.

    Raises:
        RunError: for every error of boto3.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except NoCredentialsError:
        advice = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise RunError(f"cannot {what}: expected AWS credentials, found none; {advice}") from None
    except NoRegionError:
        raise RunError(f"cannot {what}: expected an AWS region, found none; set AWS_REGION or AWS_PROFILE") from None
    except (BotoCoreError, ClientError) as error:
        if right := _missing_right(error):
            raise RunError(f"cannot {what}: {right}; {POLICY}") from error
        raise RunError(f"cannot {what}: {error}") from error


def _missing_right(error: Exception) -> MissingRight | None:
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return None
    details = error.response.get("Error", {})
    return denied_call("", error.operation_name, details.get("Code", ""), details.get("Message", ""), None)
