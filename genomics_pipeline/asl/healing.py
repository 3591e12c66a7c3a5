"""Retries of failed jobs by a definition: the class of the failure, whether to retry, and with which resources.

The class is a JSONata expression over the job's detail, made of `model.failure_tables`, so that a state machine
and this program always agree on it. Earlier attempts are in the state's input, so that a stage without failures has no
further transitions: ``{"healing": {"stage", "tried": [{"class", "memory_mib", "job_id"}, …]}}``. The expressions rely
on `asl.jsonata_assumptions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genomics_pipeline.language.jsonata.text import expression, literal, member
from genomics_pipeline.model import quotas
from genomics_pipeline.model.access import NOT_AUTHORIZED
from genomics_pipeline.model.batch_retry import EXITED, SIGTERM_EXIT_CODE, STACK_RETRY_STRATEGY
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.failure_tables import (
    BY_ERROR,
    BY_EXIT_CODE,
    BY_REASON,
    BY_STATUS_REASON,
    NOT_STARTED,
    TIMED_OUT_TASK,
)
from genomics_pipeline.model.first_attempt import MEMBER
from genomics_pipeline.model.pipeline import Stage
from genomics_pipeline.model.step import StepSpec

FAILED = "Failed"
TIMEOUT_MARGIN_S = 3_600  # for the start and the end of attempts: images, agents, events
MOST_VCPUS = 64  # of a retry: the largest of the default instance types

# The class by the status reason of the job's detail, else its reason, else its exit code, else the error.
_BEGINS = (
    "$begins:=function($text,$classes){$lookup($classes,"
    "$filter($keys($classes),function($start){$substring($text,0,$length($start))=$start})[0])};"
)
_CAUSE = "$states.errorOutput.Cause"
_JOB = f"$job:=$substring({_CAUSE},0,1)='{{' and $length({_CAUSE})<{quotas.CAUSE.value}?$parse({_CAUSE}):{{}};"
_REFUSED = f"$not($exists($job.JobId)) and $contains({_CAUSE},{literal(NOT_AUTHORIZED)})"
_LAST = (
    "$last:=$job.Attempts[-1].Container;"
    "$code:=$exists($job.Container.ExitCode)?$job.Container.ExitCode:$last.ExitCode;"
    "$reason:=$exists($job.Container.Reason)?$job.Container.Reason:$last.Reason;"
)


@dataclass(frozen=True, slots=True)
class FailureNames:
    """The names for failures of one machine of a document: of the document itself, or of a Map's item processor.

    Attributes:
        state: The Fail state.
        variable: The variable with the latest failure. AWS allows a name in one scope of a document only: developer
            guide, workflow-variables.
    """

    state: str
    variable: str


def failure_names(label: str = "") -> FailureNames:
    """Return the names of the item processor of the Map with a Label, or of the document.

    >>> failure_names("Sample")
    FailureNames(state='SampleFailed', variable='sampleFailure')
    >>> failure_names()
    FailureNames(state='Failed', variable='failure')
    """
    variable = f"{label}Failure"
    return FailureNames(f"{label}{FAILED}", f"{variable[0].lower()}{variable[1:]}")


def earlier_tries(stage: Stage) -> str:
    """Return the failed attempts of a stage, an array."""
    return f"$states.input.healing[stage={literal(stage.name)}].tried"


def tries_text(stage: Stage) -> str:
    """Return the text that names a job the attempts before it: see `model.stage_try`."""
    return f'"["&$join([{earlier_tries(stage)}.(class&" "&$string(memory_mib)&" "&job_id)],",")&"]"'


def most_tries(step: StepSpec) -> int:
    """Return the greatest number of attempts of a step that may fail before another one."""
    return sum(step.retry.values()) + len(step.resources.memory_ladder) - 1


def _times(stage: Stage, failure_class: FailureClass) -> str:
    return f"$count({earlier_tries(stage)}[class={literal(failure_class)}])"


@dataclass(frozen=True, slots=True)
class FirstAttemptSource:
    """JSONata expressions for the resources of first attempts that differ from the step's.

    Attributes:
        shared: The object with ``memory_mib``, by stage, of a rerun whose user gave it.
        attempts: The member `first_attempt.MEMBER` of the item, or of each item of a batch.
    """

    shared: str
    attempts: str

    @classmethod
    def of(cls, shared: str, holder: str) -> FirstAttemptSource:
        """Return the source in the items, or in the execution's input.

        Args:
            shared: See the class.
            holder: The items or the input.
        """
        return cls(shared, f"{holder}.{MEMBER}")


def memory_mib(stage: Stage, source: FirstAttemptSource) -> str:
    """Return the memory of the next job: an entry further in the ladder for each time it was not enough.

    Args:
        stage: The stage.
        source: The memory of first attempts.
    """
    return f"({_ladder(stage, source)}$ladder[{_times(stage, FailureClass.OUT_OF_MEMORY)}])"


def _ladder(stage: Stage, source: FirstAttemptSource) -> str:
    """Return the assignment of the ladder: the first attempt, then the larger entries of the step's.

    The memory that a user gave comes before that of the items, of which a batch has the largest: its items are
    processed one after the other.
    """
    rungs = stage.step.resources.memory_ladder
    given = member(f"{source.shared}.memory_mib", stage.name)
    own = f"$max({member(source.attempts, stage.name)}.memory_mib)"
    return f"$first:=[{given},{own},{rungs[0]}][0];$ladder:=$append($first,{literal(rungs)}[$>$first]);"


def timeout_s(stage: Stage, source: FirstAttemptSource, count: str | None) -> str:
    """Return the timeout of the next job: the step's, doubled for each time it was not enough.

    That of a first attempt may be shorter. If it was not enough, the retry has as much time as any other.

    Args:
        stage: The stage.
        source: The timeouts of first attempts.
        count: The number of items; None for one.
    """
    items = f"*{count}" if count else ""
    times = _times(stage, FailureClass.TIMEOUT)
    own = f"$sum({member(source.attempts, stage.name)}.timeout_s)"
    return f"({times}=0 and $exists({own})?{own}:{stage.step.resources.timeout_s}{items}*$power(2,{times}))"


def vcpus(stage: Stage) -> str:
    """Return the vCPUs of the next job: doubled for each time that the disk was full.

    Batch knows nothing of disks. Of a host with instance store, twice the vCPUs are twice the share of its disk, and
    where a job had a host for itself, they need a larger one.
    """
    return f"{stage.step.resources.vcpus}*$power(2,{_times(stage, FailureClass.OUT_OF_DISK)})"


def _disk_retries(step: StepSpec) -> int:
    """Return how often the vCPUs of a step may be doubled."""
    doublings = (MOST_VCPUS // step.resources.vcpus).bit_length() - 1
    return min(step.retry.get(FailureClass.OUT_OF_DISK, 0), max(0, doublings))


def task_timeout_s(stage: Stage, source: FirstAttemptSource, count: str | None) -> str:
    """Return the timeout of a Task, which also counts the time before a job starts, and Batch's retries.

    Args:
        stage: The stage.
        source: The timeouts of first attempts, beside ``wait_s``, the longest time that a job may wait for hosts.
        count: The number of items; None for one.
    """
    attempts = STACK_RETRY_STRATEGY.attempts
    seconds = f"{attempts}*{timeout_s(stage, source, count)}+{source.shared}.wait_s+{TIMEOUT_MARGIN_S}"
    return f"$min([{seconds},{quotas.SECONDS.value}])"


def queue(stage: Stage, spot: str, on_demand: str) -> str:
    """Return the queue of the next job: On-Demand once Batch has exhausted its retries on Spot hosts."""
    return f"{_times(stage, FailureClass.HOST_LOST)}>0?{literal(on_demand)}:{literal(spot)}"


def catcher(stage: Stage, source: FirstAttemptSource, failed: str, variable: str) -> dict[str, Any]:
    """Return the catcher of a stage's Task. It omits the job's environment, because the payload is known.

    Args:
        stage: The stage.
        source: The memory of first attempts.
        failed: The Choice state that decides about a retry.
        variable: The variable to assign the failure to.
    """
    this = f'{{"class":$class,"memory_mib":{memory_mib(stage, source)},"job_id":$job.JobId}}'
    failure = (
        f'{{"stage":{literal(stage.name)},"class":$class,"error":$states.errorOutput.Error,'
        f'"host":$job.Container.ContainerInstanceArn,"tried":[{earlier_tries(stage)},{this}],'
        f'"cause":$exists($job.JobId)?$string($job~>|Container|{{}},["Environment"]|):{_CAUSE}}}'
    )
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {variable: expression(f"({_JOB}{_LAST}{_BEGINS}{_class(stage.step)}{failure})")},
        "Output": expression("$states.input"),
        "Next": failed,
    }


def _class(step: StepSpec) -> str:
    codes = {str(code): str(failure_class) for code, failure_class in {**BY_EXIT_CODE, **step.exit_codes}.items()}
    classes = [
        f"$begins($job.StatusReason,{literal(BY_STATUS_REASON)})",
        f"$begins($lowercase($reason),{literal(BY_REASON)})",
        f"$begins($lowercase($job.StatusReason),{literal(BY_REASON)})",
        f"$code={SIGTERM_EXIT_CODE}?({_terminated()}?{literal(FailureClass.CANCELLED)}:{literal(FailureClass.HOST_LOST)})",
        f"$lookup({literal(codes)},$string($code))",
        f"$code>0?{literal(FailureClass.TOOL_ERROR)}",
        f"{_waited()}?{literal(FailureClass.AWS_LIMIT)}",
        f"{_REFUSED}?{literal(FailureClass.ACCESS_DENIED)}",
        f"$lookup({literal(BY_ERROR)},$states.errorOutput.Error)",
        literal(FailureClass.UNKNOWN),
    ]
    return f"$class:=[{','.join(classes)}][0];"


def _waited() -> str:
    """Return the condition that the Task timed out before its job started."""
    return f"$states.errorOutput.Error={literal(TIMED_OUT_TASK)} and $job.Status in {literal(NOT_STARTED)}"


def _terminated() -> str:
    """Return the condition that somebody's request ended the job, in whose words; see `model.failure_tables`."""
    return f"$job.StatusReason and $substring($job.StatusReason,0,{len(EXITED)})!={literal(EXITED)}"


def choice(stage: Stage, source: FirstAttemptSource, failures: FailureNames) -> dict[str, Any]:
    """Return the Choice that retries the stage as often as the step allows for the failure's class."""
    variable = failures.variable
    limits = {str(name): times for name, times in stage.step.retry.items() if times}
    disk_retries = limits.pop(FailureClass.OUT_OF_DISK, 0) and _disk_retries(stage.step)
    limit = f"$lookup({literal(limits)},${variable}.class)"
    out_of_memory = f"${variable}.class={literal(FailureClass.OUT_OF_MEMORY)}"
    limit = f"{out_of_memory}?({_ladder(stage, source)}$count($ladder)-1):{limit}"
    if disk_retries:  # a machine that runs jobs without Batch has no other disk
        out_of_disk = f"${variable}.class={literal(FailureClass.OUT_OF_DISK)}"
        limit = f"{out_of_disk}?($exists(${variable}.host)?{disk_retries}:0):{limit}"
    condition = f"($limit:={limit};$exists($limit) and $count(${variable}.tried[class=${variable}.class])<=$limit)"
    healing = f'{{"healing":{{"stage":{literal(stage.name)},"tried":${variable}.tried}}}}'
    return {
        "Type": "Choice",
        "Choices": [
            {
                "Condition": expression(condition),
                "Output": expression(f"$merge([$states.input,{healing}])"),
                "Next": stage.name,
            }
        ],
        "Default": failures.state,
    }


def fail_state(variable: str) -> dict[str, Any]:
    """Return the Fail state of a machine: its cause is the latest failure, a variable, with all attempts of a stage."""
    return {
        "Type": "Fail",
        "Error": expression(f"${variable}.error"),
        "Cause": expression(f"$string(${variable})"),
    }
