"""AWS's own check of a definition: ValidateStateMachineDefinition, which creates nothing."""

from __future__ import annotations

from functools import partial

from genomics_pipeline.aws.clients import Clients, UnknownOperation, aws_call, known_operation
from genomics_pipeline.aws.patience import retry_throttled
from genomics_pipeline.language.validation.diagnostics import Diagnostic
from genomics_pipeline.model import quotas

DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
PERMISSION = "states:ValidateStateMachineDefinition"


class Unchecked(Exception):
    """A definition that AWS did not check, with the reason."""


def diagnose_on_aws(definition: str, clients: Clients) -> list[Diagnostic]:
    """Return what AWS says of a definition of a STANDARD state machine: errors, for which it refuses it, and warnings.

    Args:
        definition: The text of the definition.
        clients: The AWS clients.

    Raises:
        Unchecked: if the caller may not use the operation, or the service does not have it.
        RunError: if the call fails.
    """
    from botocore.exceptions import ClientError

    call = partial(
        clients.states.validate_state_machine_definition,
        definition=definition,
        type="STANDARD",
        severity="WARNING",
        maxResults=quotas.DIAGNOSTICS.value,
    )
    with aws_call("check the definition by ValidateStateMachineDefinition"):
        try:
            with known_operation():
                answer = retry_throttled(call)
        except UnknownOperation:
            raise Unchecked("this endpoint does not have ValidateStateMachineDefinition") from None
        except ClientError as error:
            if error.response["Error"]["Code"] in DENIED:
                raise Unchecked(f"the caller lacks {PERMISSION}") from None
            raise
    return [
        Diagnostic(one["code"], one["message"], one.get("location", ""), one["severity"])
        for one in answer["diagnostics"]
    ] + _rest(answer["result"], answer.get("truncated", False), bool(answer["diagnostics"]))


def _rest(result: str, is_truncated: bool, has_any: bool) -> list[Diagnostic]:
    """Return a diagnostic for what AWS did not list: it may refuse a definition without saying why."""
    if is_truncated:
        return [Diagnostic("TRUNCATED", f"AWS lists {quotas.DIAGNOSTICS} only; there are more", "", "WARNING")]
    if result == "FAIL" and not has_any:
        return [Diagnostic("FAIL", "AWS refuses the definition, and gives no reason", "")]
    return []
