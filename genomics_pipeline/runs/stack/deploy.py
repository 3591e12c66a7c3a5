"""Deployment of a stack: a change set to confirm, the definitions, and the execution of the change set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from genomics_pipeline.aws.bucket import put_text
from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.deployment import BUCKET_OUTPUT
from genomics_pipeline.aws.stack import (
    ChangeSet,
    StackEvent,
    describe,
    discard,
    execute,
    make_change_set,
    outputs,
    parameter_values,
)
from genomics_pipeline.aws.stack_resources import running_executions
from genomics_pipeline.aws.template.parameters import FUNCTION_PARAMETERS, KEY_ARN, PARAMETERS, most_vcpus
from genomics_pipeline.aws.template.states import machine_id
from genomics_pipeline.aws.template.template import first_template
from genomics_pipeline.model.errors import DataError, Problem, RunError, UsageError, did_you_mean
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.prices.load import SHIPPED_REGION
from genomics_pipeline.runs.account import AccountNeed, account_notes
from genomics_pipeline.runs.definition_check import aws_diagnostics
from genomics_pipeline.runs.stack.functions import PushFunctions, architecture_of, lacking_repositories
from genomics_pipeline.runs.stack.hosts import plan_hosts
from genomics_pipeline.runs.stack.template import StackTemplate

SHOWN_RUNS = 3


class Dialog(Protocol):
    """The dialog with the user of a deployment or a deletion."""

    def show(self, change_set: ChangeSet, following: Mapping[str, int]) -> None:
        """Show the changes of a change set, and how many resources of each type come in a second one at most."""

    def confirm(self, question: str) -> bool:
        """Ask a question and return whether the answer is yes.

        Raises:
            UsageError: if nobody can answer.
        """

    def note(self, line: str) -> None:
        """Show a line about what is planned."""

    def report(self, event: StackEvent) -> None:
        """Report an event of the stack."""

    def sleep(self, seconds: float) -> object:
        """Wait for some seconds."""


def parse_parameters(assignments: Sequence[str]) -> dict[str, str]:
    """Parse the ``Key=Value`` arguments of ``--parameter`` to the parameters of the template.

    Raises:
        UsageError: with all problems of the arguments.
    """
    values: dict[str, str] = {}
    problems = []
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            problems.append(Problem(f"--parameter {assignment}: expected Key=Value, such as MaxVcpus=512"))
        elif key == "HostTypes":
            problems.append(Problem(f"--parameter {assignment}: `deploy` chooses them; name types by InstanceTypes"))
        elif key not in {**PARAMETERS, **FUNCTION_PARAMETERS}:
            hint = did_you_mean(key, [*PARAMETERS, *FUNCTION_PARAMETERS])
            problems.append(Problem(f"--parameter {assignment}: unknown parameter {key!r}; {hint}"))
        else:
            values[key] = value
    if bool(values.get("VpcId")) != bool(values.get("SubnetIds")):
        problems.append(Problem("--parameter: expected VpcId and SubnetIds together, found one of them"))
    for bucket in values.get("InputBuckets", "").split(","):
        if bucket and not bucket.startswith("arn:"):
            problems.append(
                Problem(f"--parameter InputBuckets: expected ARNs, such as arn:aws:s3:::{bucket}, found {bucket!r}")
            )
    for key in values.get("InputKeys", "").split(","):
        if key and not re.fullmatch(KEY_ARN, key):
            example = "arn:aws:kms:eu-west-1:123456789012:key/0f…; an alias gives no right to its key"
            problems.append(Problem(f"--parameter InputKeys: expected ARNs of keys, such as {example}, found {key!r}"))
    if problems:
        raise UsageError(problems)
    return values


def deploy(
    plan: StackTemplate,
    parameters: Mapping[str, str],
    clients: Clients,
    dialog: Dialog,
    push: PushFunctions | None = None,
) -> dict[str, str] | None:
    """Create or change a stack.

    The template and the definitions are in the bucket of the stack. So the first deployment creates the bucket, and
    then everything else by a second change set, which needs no other confirmation. A Lambda function cannot be created
    before its image is in its repository: where the stack lacks that, it comes by one more change set, after the push.

    Args:
        plan: The template of the stack.
        parameters: Parameters of the template; others keep their values.
        clients: The AWS clients.
        dialog: Shows the changes, asks for confirmation and reports the progress.
        push: Builds and pushes the images of functions; None for a stack that has none.

    Returns:
        The outputs of the stack; None where the user did not confirm.

    Raises:
        DataError: if AWS refuses a definition; nothing was created then.
        RunError: if AWS refuses, a resource fails, or a run of a pipeline that would be removed is in progress.
        UsageError: if nobody can answer, or no host has the disk of every step.
    """
    stack = plan.names.stack
    definitions = {plan.names.state_machine(machine.pipeline): machine.definition for machine in plan.machines}
    if problems := list(aws_diagnostics(definitions, clients, dialog.note)):
        raise DataError(problems)
    stack_now = describe(stack, clients)
    if stack_now is not None:
        _check_running(plan, running_executions(stack_now, clients), dialog)
    hosts = plan_hosts(plan, parameters, parameter_values(stack_now), clients)
    for line in hosts.lines:
        dialog.note(line)
    if plan.has_jobs:
        for line in account_notes(_need(plan, {**parameter_values(stack_now), **parameters}), clients):
            dialog.note(line)
    for line in price_notes(clients.states.meta.region_name):
        dialog.note(line)
    parameters = {**parameters, **hosts.parameters}
    architecture = architecture_of({**parameter_values(stack_now), **parameters})
    lacking = lacking_repositories(plan.functions, plan.names, clients)
    whole, document = plan.document(), plan.document([step.spec.name for step in lacking])
    bucket = None if stack_now is None else outputs(stack_now).get(BUCKET_OUTPUT)
    if stack_now is None or bucket is None:
        early = _known(first_template(), parameters)
        first = make_change_set(stack, first_template(), early, None, clients, dialog.sleep)
        if not _confirm(first, _following(whole), clients, dialog):
            return None
        bucket = outputs(execute(first, clients, dialog.report, dialog.sleep))[BUCKET_OUTPUT]
        later = {key: value for key, value in parameters.items() if key not in early}
        second = make_change_set(stack, document, _known(document, later), bucket, clients, dialog.sleep)
        dialog.show(second, {})
    else:
        now = _known(document, parameters) if lacking else parameters
        second = make_change_set(stack, document, now, bucket, clients, dialog.sleep)
        if not second.needed:
            dialog.show(second, {})
            return outputs(stack_now)
        if not _confirm(second, {}, clients, dialog):
            return None
    for machine in plan.machines:
        put_text(bucket, machine.key, machine.definition, clients)
    if push:
        push([step for step in plan.functions if step not in lacking], architecture)
    ended = execute(second, clients, dialog.report, dialog.sleep)
    if lacking and push:
        push(lacking, architecture)
        third = make_change_set(stack, whole, _functions_only(parameters), bucket, clients, dialog.sleep)
        dialog.show(third, {})
        ended = execute(third, clients, dialog.report, dialog.sleep)
    return outputs(ended)


def price_notes(region: str) -> Iterator[str]:
    """Yield what a stack cannot tell in a Region of which the images have no prices."""
    if region == SHIPPED_REGION:
        return
    own = f"`genomics-pipeline prices update --region {region}` lets plan, cost and budgets use AWS's"
    yield f"tasks report no dollars (metric Cost) in {region}: the images have prices of {SHIPPED_REGION}; {own}"


def _known(document: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the values of parameters that a template has."""
    return {key: value for key, value in parameters.items() if key in document["Parameters"]}


def _functions_only(parameters: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in parameters.items() if key in FUNCTION_PARAMETERS}


def _following(document: Mapping[str, Any]) -> Counter[str]:
    """Return how many resources of each type the whole template has more than the first one."""
    types, first = (Counter(one["Type"] for one in each["Resources"].values()) for each in (document, first_template()))
    return types - first


def _need(plan: StackTemplate, values: Mapping[str, str]) -> AccountNeed:
    """Return the use that a stack may make of the account.

    Args:
        plan: The template of the stack.
        values: Values of parameters; of others, the defaults hold.
    """
    return AccountNeed(
        "the stack", most_vcpus(values), max((image.step.resources.vcpus for image in plan.images), default=0)
    )


def _check_running(plan: StackTemplate, running: Mapping[str, Sequence[str]], dialog: Dialog) -> None:
    """Refuse to remove a pipeline that has running executions, as `destroy` does; say that all others go on unchanged.

    Args:
        plan: The template of the stack.
        running: The names of running executions by the logical id of their state machine.
        dialog: Shows the runs.

    Raises:
        RunError: if an execution of a pipeline that would be removed is running.
    """
    kept = {machine_id(machine.pipeline) for machine in plan.machines}
    removed = [name for machine, names in running.items() if machine not in kept for name in names]
    if removed:
        raise RunError(
            f"stack {plan.names.stack}: expected no running run of a pipeline that is removed, found {len(removed)}, "
            f"such as {removed[0]}; name its pipeline too (--pipeline), cancel the run, or wait for its end"
        )
    going_on = [name for names in running.values() for name in names]
    if going_on:
        shown = ", ".join(going_on[:SHOWN_RUNS]) + (" …" if len(going_on) > SHOWN_RUNS else "")
        words = "with the definition and the job definitions that they were started with"
        dialog.note(f"{quantity(len(going_on), 'run')} in progress, which go on {words}: {shown}")


def _confirm(change_set: ChangeSet, following: Mapping[str, int], clients: Clients, dialog: Dialog) -> bool:
    """Show a change set and ask for confirmation; delete the change set unless the user confirms.

    Args:
        change_set: The change set.
        following: How many resources of each type come in a second change set at most.
        clients: The AWS clients.
        dialog: Shows the change set and asks.
    """
    confirmed = False
    try:
        dialog.show(change_set, following)
        confirmed = dialog.confirm("Execute?")
    finally:
        if not confirmed:
            discard(change_set, clients)
    return confirmed
