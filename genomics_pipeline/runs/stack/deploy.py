"""A stack deployed: a change set that is shown first, the definitions, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from genomics_pipeline.aws.bucket import put_text
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import BUCKET_OUTPUT
from genomics_pipeline.aws.stack import ChangeSet, StackEvent, describe, discard, execute, make_change_set, outputs
from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.runs.stack.template import StackTemplate


class Talk(Protocol):
    """Whoever is asked and told."""

    def show(self, change_set: ChangeSet, following: int) -> None:
        """Show what would change; `following` state machines come in a second change set."""

    def confirm(self, question: str) -> bool:
        """Ask.

        Raises:
            UsageError: if nobody is there to answer.
        """

    def say(self, event: StackEvent) -> None:
        """Tell what happened."""

    def sleep(self, seconds: float) -> object:
        """Wait."""


def parse_parameters(assignments: Sequence[str]) -> dict[str, str]:
    """The template's parameters that ``Key=Value`` arguments mean.

    Raises:
        UsageError: all that is wrong with them at once.
    """
    given: dict[str, str] = {}
    problems = []
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            problems.append(Problem(f"--parameter {assignment}: expected Key=Value, such as MaxVcpus=512"))
        elif key not in PARAMETERS:
            hint = did_you_mean(key, list(PARAMETERS))
            problems.append(Problem(f"--parameter {assignment}: unknown parameter {key!r}; {hint}"))
        else:
            given[key] = value
    if bool(given.get("VpcId")) != bool(given.get("SubnetIds")):
        problems.append(Problem("--parameter: expected VpcId and SubnetIds together, found one of them"))
    for bucket in given.get("InputBuckets", "").split(","):
        if bucket and not bucket.startswith("arn:"):
            problems.append(
                Problem(f"--parameter InputBuckets: expected ARNs, such as arn:aws:s3:::{bucket}, found {bucket!r}")
            )
    if problems:
        raise UsageError(problems)
    return given


def deploy(plan: StackTemplate, parameters: Mapping[str, str], clients: Clients, talk: Talk) -> dict[str, str] | None:
    """Make or change a stack.

    The definitions lie in the stack's own bucket: the first deployment makes all else, then the state machines by a
    second change set, which is not asked for again.

    Args:
        plan: What the stack is made of.
        parameters: Template parameters; those that are not given keep their values.
        clients: AWS.
        talk: Is shown the changes, asked, and told how it goes.

    Returns:
        The stack's outputs; None where the answer was no.

    Raises:
        RunError: if AWS refuses, or a resource fails.
        UsageError: if nobody can be asked.
    """
    stack = plan.names.stack
    found = describe(stack, clients)
    if found is None or BUCKET_OUTPUT not in outputs(found):
        first = make_change_set(stack, plan.document(with_machines=False), parameters, clients, talk.sleep)
        if not _agreed(first, len(plan.machines), clients, talk):
            return None
        found = execute(first, clients, talk.say, talk.sleep)
        second = make_change_set(stack, plan.document(), {}, clients, talk.sleep)
        talk.show(second, 0)
    else:
        second = make_change_set(stack, plan.document(), parameters, clients, talk.sleep)
        if not second.needed:
            talk.show(second, 0)
            return outputs(found)
        if not _agreed(second, 0, clients, talk):
            return None
    for machine in plan.machines:
        put_text(outputs(found)[BUCKET_OUTPUT], machine.key, machine.definition, clients)
    return outputs(execute(second, clients, talk.say, talk.sleep))


def _agreed(change_set: ChangeSet, following: int, clients: Clients, talk: Talk) -> bool:
    """Show and ask; a change set that is not wanted is taken away again."""
    agreed = False
    try:
        talk.show(change_set, following)
        agreed = talk.confirm("Execute?")
    finally:
        if not agreed:
            discard(change_set, clients)
    return agreed
