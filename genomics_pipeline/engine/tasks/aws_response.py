"""The common parts of AWS's answers: request ids, HTTP metadata, causes of the two generations of its Java SDK."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any
from uuid import uuid4

from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.json_text import compact


def milliseconds(seconds: float) -> int:
    """Return a moment as optimised integrations give it: ``StartDate``, ``StopDate``."""
    return round(seconds * 1000)


def metadata(body: str, now: float, content_type: str, **headers: str) -> dict[str, Any]:
    """Return ``SdkHttpMetadata`` and ``SdkResponseMetadata``, added to the answer by request-response integrations.

    Args:
        body: The answer's body.
        now: The execution's time.
        content_type: Its type.
        headers: More of its headers; ``_`` stands for ``-``.
    """
    request_id = str(uuid4())
    found = {
        "Connection": "keep-alive",
        "Content-Length": str(len(body.encode())),
        "Content-Type": content_type,
        "Date": formatdate(now, usegmt=True),
        **{name.replace("_", "-"): value for name, value in headers.items()},
        "x-amzn-RequestId": request_id,
    }
    http = {
        "AllHttpHeaders": {name: [value] for name, value in found.items()},
        "HttpHeaders": found,
        "HttpStatusCode": 200,
    }
    return {"SdkHttpMetadata": http, "SdkResponseMetadata": {"RequestId": request_id}}


def optimised_cause(message: str, service: str, status: int, code: str) -> str:
    """Return the cause of an optimised integration's failure: the SDK's first generation wrote it."""
    return (
        f"{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: {uuid4()}; Proxy: null)"
    )


def sdk_cause(message: str, service: str, status: int) -> str:
    """Return the cause of an ``aws-sdk`` integration's failure: the SDK's second generation wrote it."""
    identity = uuid4()
    ids = f"{identity.hex[:16].upper()}, Extended Request ID: {identity.hex}" if service == "S3" else identity
    return f"{message} (Service: {service}, Status Code: {status}, Request ID: {ids}) (SDK Attempt Count: 1)"


def require_arguments(arguments: Any, *names: str) -> tuple[Any, ...]:
    """Return the arguments that a call cannot do without.

    Raises:
        StatesError: ``States.Runtime`` for those that are missing.
    """
    given = arguments if isinstance(arguments, dict) else {}
    missing = [f"The field '{name}' is required but was missing" for name in names if given.get(name) is None]
    if missing:
        text = f"The Parameters '{compact(arguments)}' could not be used to start the Task: [{', '.join(missing)}]"
        raise StatesError(RUNTIME, text)
    return tuple(given[name] for name in names)
