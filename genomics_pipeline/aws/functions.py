"""Lambda functions of a stack."""

from __future__ import annotations

from genomics_pipeline.aws.clients import Clients, aws_call


def function_image(name: str, clients: Clients) -> str | None:
    """Return the URI of a function's image; None if there is no such function.

    Raises:
        RunError: if the call fails.
    """
    functions = clients.functions
    with aws_call(f"find the function {name}"):
        try:
            return str(functions.get_function(FunctionName=name)["Code"].get("ImageUri", ""))
        except functions.exceptions.ResourceNotFoundException:
            return None
