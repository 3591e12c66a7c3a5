"""Rules for Retry: what is retried in vain, what is not retried, and how long it waits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from genomics_pipeline.language import errors
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.walker import StateNode
from genomics_pipeline.model import quotas
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import attempts, error_names, has, number, objects, retriers
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity
from genomics_pipeline.planning.advice.resources import is_retried, task_resource

_WILDCARDS = {errors.ALL, errors.TASK_FAILED}
_THROTTLING = re.compile(
    r"Throttl|TooManyRequests|RateExceeded|LimitExceeded|SlowDown|ProvisionedThroughput|ServiceUnavailable|"
    r"Batch\.AWSBatchException"
)
_LAMBDA_ERRORS = ("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException")
_LAMBDA_THROTTLED = "Lambda.TooManyRequestsException"
_LONG_S = 3600
_DEFAULT_INTERVAL, _DEFAULT_RATE = 1, 2  # IntervalSeconds and BackoffRate, where a retrier has none


def check_wildcards(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield retriers of tasks that retry every error, permanent ones too."""
    for state in definition.of_kind("Task"):
        if any(attempts(entry) == 0 for _, entry in objects(state.node, "Retry")):
            continue  # permanent errors are named
        for place, entry in retriers(state):
            if names := sorted(_WILDCARDS & set(error_names(entry))):
                kind = "job, from its beginning" if task_resource(state).waits else "call"
                why = (
                    f"{names[0]} also retries errors that come again: wrong input, missing rights, a bug. Each attempt "
                    f"is another {kind}. List the errors that pass, or name the permanent ones before, with "
                    "MaxAttempts 0."
                )
                tries = attempts(entry)
                if state.machine.express or tries == math.inf:
                    saving = Saving("the attempts after each permanent error")
                else:
                    saving = Saving("", tries, "permanent error")
                severity = None if task_resource(state).waits else Severity.NOTE
                yield Remark(f"{state.path}/Retry[{place}]/ErrorEquals", why, saving, severity)


def check_jitter(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield the first retrier of each task that retries throttled calls without full jitter."""
    for state in definition.of_kind("Task"):
        for place, entry in retriers(state):
            if _retries_throttling(entry) and entry.get("JitterStrategy") != "FULL":
                together = definition.is_repeated(state)
                who = "Iterations that are throttled together" if together else "Executions that are throttled together"
                why = f"{who} retry together, and are throttled again. Set JitterStrategy FULL, which spreads them."
                severity = None if together else Severity.NOTE
                yield Remark(f"{state.path}/Retry[{place}]", why, Saving("retries that are throttled again"), severity)
                break


def _retries_throttling(entry: Node) -> bool:
    return any(name in _WILDCARDS or _THROTTLING.search(name) for name in error_names(entry))


def check_delays(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield retriers whose last wait is longer than an hour because nothing limits it."""
    for state in definition.states:
        for place, entry in retriers(state):
            if has(entry, "MaxDelaySeconds"):
                continue
            seconds = _last_wait(entry)
            if seconds > _LONG_S:
                duration = f"{seconds / _LONG_S:.0f} hours" if seconds < math.inf else "longer than any execution"
                why = f"The wait before the last attempt grows to {duration}. Set MaxDelaySeconds."
                yield Remark(f"{state.path}/Retry[{place}]", why)


def _last_wait(entry: Node) -> float:
    """Return the seconds before the last attempt of a retrier; 0 if they depend on data."""
    interval = number(entry, "IntervalSeconds") if "IntervalSeconds" in entry else _DEFAULT_INTERVAL
    rate = number(entry, "BackoffRate") if "BackoffRate" in entry else _DEFAULT_RATE
    if interval is None or rate is None or interval <= 0 or rate <= 0 or attempts(entry) == math.inf:
        return 0.0
    exponent = math.log(interval) + (attempts(entry) - 1) * math.log(rate)
    return math.exp(exponent) if exponent < math.log(quotas.STANDARD_SECONDS.value) else math.inf


def check_lambda_errors(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield calls of Lambda functions that do not retry the errors of Lambda itself."""
    for state in definition.of_kind("Task"):
        if not task_resource(state).is_function or _is_item_without_retry(definition, state):
            continue
        around = [state, *(container for container in definition.enclosing(state) if not container.is_distributed)]
        missing = [name for name in _LAMBDA_ERRORS if not any(is_retried(one, name) for one in around)]
        throttled = any(is_retried(one, _LAMBDA_THROTTLED) for one in around)
        if missing or not throttled:
            names = missing if throttled else [*missing, _LAMBDA_THROTTLED]
            why = (
                f"Errors of Lambda itself come and go, and are not retried here: {', '.join(names)}. "
                "Add a Retry for them, with JitterStrategy FULL."
            )
            severity = None if missing else Severity.NOTE
            yield Remark(state.path, why, Saving("executions that fail without need"), severity)


def _is_item_without_retry(definition: ReadDefinition, state: StateNode) -> bool:
    """Return whether the rule ``map-item-retry`` names the task."""
    return definition.distributed_map(state) is not None and not any(retriers(state))


RULES = (
    AdviceRule("retry-of-everything", Severity.WARNING, check_wildcards),
    AdviceRule("retry-jitter", Severity.WARNING, check_jitter),
    AdviceRule("retry-delay", Severity.NOTE, check_delays),
    AdviceRule("lambda-service-errors", Severity.WARNING, check_lambda_errors),
)
