"""Functions behind Lambda's API: those of an emulator, where ``AWS_ENDPOINT_URL_LAMBDA`` names one."""

from __future__ import annotations

import asyncio
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.aws_response import optimised_cause
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.runs.functions.pool import reported_failure

ENDPOINT = "AWS_ENDPOINT_URL_LAMBDA"


class FunctionsApi:
    """Functions that are called through Lambda's API; implements `LambdaFunctions`.

    Args:
        clients: The AWS clients.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def __contains__(self, resource: str) -> bool:
        """Return True: the API knows whether there is such a function."""
        return True

    async def call(self, resource: str, event: Any, context: TaskContext) -> str:
        """Call a function; see `LambdaFunctions`. Nobody waits for a call whose Task ended before."""
        return await asyncio.to_thread(self._invoke, resource, dumps(event))

    def _invoke(self, resource: str, payload: bytes) -> str:
        try:
            response = self._clients.functions.invoke(FunctionName=resource, Payload=payload)
            body: bytes = response["Payload"].read()
        except ClientError as error:
            raise _states_error(error) from error
        except BotoCoreError as error:
            raise StatesError("Lambda.SdkClientException", str(error)) from error
        if response.get("FunctionError"):
            raise reported_failure(body)
        return body.decode()


def _states_error(error: ClientError) -> StatesError:
    details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    code = details.get("Code", "AWSLambdaException")
    return StatesError(f"Lambda.{code}", optimised_cause(details.get("Message", ""), "AWSLambda", status, code))
