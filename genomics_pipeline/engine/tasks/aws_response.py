"""The common parts of AWS's responses: request IDs, HTTP metadata, causes of the two versions of its Java SDK."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.json_text import compact


def milliseconds(seconds: float) -> int:
    """Return a time in the form of optimised integrations (``StartDate``, ``StopDate``): whole milliseconds."""
    return round(seconds * 1000)


def metadata(body: str, now: float, content_type: str, **headers: str) -> dict[str, Any]:
    """Return ``SdkHttpMetadata`` and ``SdkResponseMetadata``, which request-response integrations add to a response.

    Args:
        body: The response's body.
        now: The time of the response in seconds since the epoch.
        content_type: The body's content type.
        headers: Further headers; ``_`` stands for ``-``.
    """
    from email.utils import formatdate

    request_id = str(uuid4())
    all_headers = {
        "Connection": "keep-alive",
        "Content-Length": str(len(body.encode())),
        "Content-Type": content_type,
        "Date": formatdate(now, usegmt=True),
        **{name.replace("_", "-"): value for name, value in headers.items()},
        "x-amzn-RequestId": request_id,
    }
    http = {
        "AllHttpHeaders": {name: [value] for name, value in all_headers.items()},
        "HttpHeaders": all_headers,
        "HttpStatusCode": 200,
    }
    return {"SdkHttpMetadata": http, "SdkResponseMetadata": {"RequestId": request_id}}


def optimised_cause(message: str, service: str, status: int, code: str) -> str:
    """Return the cause of an optimised integration's failure, in the wording of the SDK's version 1.

    Args:
        message: The service's message.
        service: The service's name in the SDK.
        status: The HTTP status code.
        code: The service's error code.
    """
    return (
        f"{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {uuid4()}; Proxy: null)"
    )


def sdk_cause(message: str, service: str, status: int) -> str:
    """Return the cause of an ``aws-sdk`` integration's failure, in the wording of the SDK's version 2.

    Args:
        message: The service's message.
        service: The service's name in the SDK.
        status: The HTTP status code.
    """
    identity = uuid4()
    ids = f"{identity.hex[:16].upper()}, Extended Request ID: {identity.hex}" if service == "S3" else identity
    return f"{message} (Service: {service}, Status Code: {status}, Request ID: {ids}) (SDK Attempt Count: 1)"


def require_arguments(arguments: Any, *names: str) -> tuple[Any, ...]:
    """Return the required arguments of a task.

    Raises:
        StatesError: ``States.Runtime`` if any of them is missing.
    """
    members = arguments if isinstance(arguments, dict) else {}
    missing = [f"The field '{name}' is required but was missing" for name in names if members.get(name) is None]
    if missing:
        text = f"The Parameters '{compact(arguments)}' could not be used to start the Task: [{', '.join(missing)}]"
        raise StatesError(RUNTIME, text)
    return tuple(members[name] for name in names)
