"""What a definition does when a stage's job failed: the failure's class, whether to try again, and with what.

All of it is JSONata over the job's end, made from the tables that `model.classify` reads: a state machine and a person
who reads its files call a failure the same. What was tried stands in the state's input, so that nothing is paid for
before something failed: ``{"healing": {"stage", "tried": [{"class", "memory_mib", "job_id"}, …]}}``.
"""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.jsonata.text import expression, literal, member
from genomics_pipeline.model import quotas
from genomics_pipeline.model.classify import BY_ERROR, BY_EXIT_CODE, BY_REASON, BY_STATUS_REASON
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.pipeline import Stage
from genomics_pipeline.model.step import StepSpec

FAILURE = "failure"  # the variable that holds the latest failure

# Of the job's detail: the class that its status reason tells, else its reason, else its exit code, else the error.
_BEGINS = (
    "$begins:=function($text,$classes){$lookup($classes,"
    "$filter($keys($classes),function($start){$substring($text,0,$length($start))=$start})[0])};"
)
_CAUSE = "$states.errorOutput.Cause"
_JOB = f"$job:=$substring({_CAUSE},0,1)='{{' and $length({_CAUSE})<{quotas.CAUSE.value}?$parse({_CAUSE}):{{}};"
_LAST = (
    "$last:=$job.Attempts[-1].Container;"
    "$code:=$exists($job.Container.ExitCode)?$job.Container.ExitCode:$last.ExitCode;"
    "$reason:=$exists($job.Container.Reason)?$job.Container.Reason:$last.Reason;"
)


def earlier_tries(stage: Stage) -> str:
    """What was tried before in a stage."""
    return f"$states.input.healing[stage={literal(stage.name)}].tried"


def _times(stage: Stage, failure_class: FailureClass) -> str:
    return f"$count({earlier_tries(stage)}[class={literal(failure_class)}])"


def memory_mib(stage: Stage, shared: str) -> str:
    """The memory of the next job: a rung higher for each time that it did not do.

    Args:
        stage: The stage.
        shared: What holds ``memory_mib``, a rerun's own first rung by stage.
    """
    if len(stage.step.resources.memory_ladder) == 1:
        return f"({_first(stage, shared)})"
    return f"({_ladder(stage, shared)}$ladder[{_times(stage, FailureClass.OUT_OF_MEMORY)}])"


def _first(stage: Stage, shared: str) -> str:
    own = member(f"{shared}.memory_mib", stage.name)
    return f"$exists({own})?{own}:{stage.step.resources.memory_mib}"


def _ladder(stage: Stage, shared: str) -> str:
    higher = literal(stage.step.resources.memory_ladder[1:])
    return f"$first:={_first(stage, shared)};$ladder:=$append($first,{higher}[$>$first]);"


def timeout_s(stage: Stage, count: str | None) -> str:
    """How long the next job may take: twice as long for each time that it was not enough."""
    items = f"*{count}" if count else ""
    return f"{stage.step.resources.timeout_s}{items}*$power(2,{_times(stage, FailureClass.TIMEOUT)})"


def queue(stage: Stage, spot: str, on_demand: str) -> str:
    """Where the next job goes: Batch has tried Spot hosts often enough by itself."""
    return f"{_times(stage, FailureClass.HOST_LOST)}>0?{literal(on_demand)}:{literal(spot)}"


def catcher(stage: Stage, shared: str, failed: str) -> dict[str, Any]:
    """The catcher of a stage's Task; the job's environment is left out, as the payload is known.

    Args:
        stage: The stage.
        shared: See `memory_mib`.
        failed: The state that decides.
    """
    this = f'{{"class":$class,"memory_mib":{memory_mib(stage, shared)},"job_id":$job.JobId}}'
    failure = (
        f'{{"stage":{literal(stage.name)},"class":$class,"error":$states.errorOutput.Error,'
        f'"tried":[{earlier_tries(stage)},{this}],'
        f'"cause":$exists($job.JobId)?$string($job~>|Container|{{}},["Environment"]|):{_CAUSE}}}'
    )
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {FAILURE: expression(f"({_JOB}{_LAST}{_BEGINS}{_class(stage.step)}{failure})")},
        "Output": expression("$states.input"),
        "Next": failed,
    }


def _class(step: StepSpec) -> str:
    codes = {str(code): str(found) for code, found in {**BY_EXIT_CODE, **step.exit_codes}.items()}
    tells = [
        f"$begins($job.StatusReason,{literal(BY_STATUS_REASON)})",
        f"$begins($lowercase($reason),{literal(BY_REASON)})",
        f"$begins($lowercase($job.StatusReason),{literal(BY_REASON)})",
        f"$lookup({literal(codes)},$string($code))",
        f"$code>0?{literal(FailureClass.TOOL_ERROR)}",
        f"$lookup({literal(BY_ERROR)},$states.errorOutput.Error)",
        literal(FailureClass.UNKNOWN),
    ]
    return f"$class:=[{','.join(tells)}][0];"


def choice(stage: Stage, shared: str, failed: str) -> dict[str, Any]:
    """The Choice between the stage once more and the end: so often as the step allows for the failure's class."""
    limits = {str(name): times for name, times in stage.step.retry.items() if times}
    limit = f"$lookup({literal(limits)},${FAILURE}.class)"
    if len(stage.step.resources.memory_ladder) > 1:
        out_of_memory = f"${FAILURE}.class={literal(FailureClass.OUT_OF_MEMORY)}"
        limit = f"{out_of_memory}?({_ladder(stage, shared)}$count($ladder)-1):{limit}"
    condition = f"($limit:={limit};$exists($limit) and $count(${FAILURE}.tried[class=${FAILURE}.class])<=$limit)"
    healing = f'{{"healing":{{"stage":{literal(stage.name)},"tried":${FAILURE}.tried}}}}'
    return {
        "Type": "Choice",
        "Choices": [
            {
                "Condition": expression(condition),
                "Output": expression(f"$merge([$states.input,{healing}])"),
                "Next": stage.name,
            }
        ],
        "Default": failed,
    }


def fail_state() -> dict[str, Any]:
    """The Fail state of a machine: the class, stage and words of the latest failure, and what was tried."""
    return {
        "Type": "Fail",
        "Error": expression(f"${FAILURE}.error"),
        "Cause": expression(f"$string(${FAILURE})"),
    }
