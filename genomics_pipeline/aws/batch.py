"""Jobs of AWS Batch: submit, describe, terminate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.pascal_case import from_service, to_service
from genomics_pipeline.model import quotas
from genomics_pipeline.model.access import described_right
from genomics_pipeline.model.errors import RunError

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

ENDED = frozenset({"SUCCEEDED", "FAILED"})
CALLS_PER_S = quotas.BATCH_RATE.value // 5  # of DescribeJobs


class BatchError(Exception):
    """An error of Batch, or of the call to it.

    Attributes:
        code: The error's code; ``SdkClientException`` without an answer.
        message: Its message.
        status: The HTTP status; 0 without an answer.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(str(described_right(message) or f"{code}: {message}"))
        self.code, self.message, self.status = code, message, status

    @property
    def passes(self) -> bool:
        """Tell whether the same call may succeed later."""
        return self.status in (0, 429) or self.status >= 500


class BatchJobs:
    """The jobs of an account and Region.

    Args:
        clients: The AWS clients.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def submit(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a job and return ``{JobArn, JobId, JobName}``.

        Args:
            arguments: The arguments of a ``batch:submitJob`` Task, in PascalCase.

        Raises:
            UnknownMember: for an argument that SubmitJob does not have.
            BatchError: if Batch refuses it.
            RunError: if there are no credentials, or no Region.
        """
        with _batch_call():
            client = self._clients.batch
            model = client.meta.service_model
            answer: Any = client.submit_job(**to_service(model.shape_for("SubmitJobRequest"), arguments))
            answer.pop("ResponseMetadata")
            converted: dict[str, Any] = from_service(model.shape_for("SubmitJobResponse"), answer)
            return converted

    def describe(self, ids: Sequence[str]) -> Iterator[JobDetailTypeDef]:
        """Yield the details of the jobs that have not expired, a hundred with each call.

        Raises:
            BatchError: if Batch refuses it.
        """
        for start in range(0, len(ids), quotas.DESCRIBE_JOBS.value):
            with _batch_call():
                answer = self._clients.batch.describe_jobs(jobs=list(ids[start : start + quotas.DESCRIBE_JOBS.value]))
            yield from answer["jobs"]

    def detail(self, job: JobDetailTypeDef) -> dict[str, Any]:
        """Return a job's detail as Step Functions gives it, in PascalCase."""
        shape = self._clients.batch.meta.service_model.shape_for("JobDetail")
        converted: dict[str, Any] = from_service(shape, job)
        return converted

    def terminate(self, job_id: str, reason: str) -> None:
        """Terminate a job in any state; a job that has ended is not changed.

        Raises:
            BatchError: if Batch refuses it.
        """
        with _batch_call():
            self._clients.batch.terminate_job(jobId=job_id, reason=reason)


@contextmanager
def _batch_call() -> Iterator[None]:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        NoRegionError,
        ParamValidationError,
    )

    try:
        yield
    except (NoCredentialsError, NoRegionError) as error:
        raise RunError(f"cannot call AWS Batch: {error}") from None
    except ParamValidationError as error:
        raise BatchError("ClientException", str(error), 400) from error
    except BotoCoreError as error:
        raise BatchError("SdkClientException", str(error), 0) from error
    except ClientError as error:
        details = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        raise BatchError(details.get("Code", "Unknown"), details.get("Message", str(error)), status) from error
