"""The naive definition of a pipeline, as it is often written first: jobs are polled, and every failure is retried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from genomics_pipeline.asl.healing import FAILED
from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.asl.task_state import SUBMIT_JOB
from genomics_pipeline.language.jsonata.text import expression
from genomics_pipeline.planning.counting import DESCRIBE_JOBS, Counts, RunLoad, count

POLL_S = 60
RETRIES = 3
_SYNC = ".sync"
_TRIES = "($exists($states.input.tries)?$states.input.tries:0)+1"


def naive_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the naive form of a document that `asl.generate` made.

    Each Task that waits for its job becomes a loop of SubmitJob, Wait, DescribeJobs and Choice; any failure is tried
    again `RETRIES` times, with the same resources. Maps, items and payloads stay as they are.
    """
    naive: dict[str, Any] = deepcopy(dict(document))
    naive["States"] = _naive_states(naive["States"])
    for state in distributed_maps(naive):
        state["ItemProcessor"]["States"] = _naive_states(state["ItemProcessor"]["States"])
    return naive


def count_naive(load: RunLoad) -> Counts:
    """Return the counts of the naive form of an execution of which no job fails; its longest history is not counted.

    All polls but the last of a job are alike. Executed are jobs of one poll each, and of two: the difference is what a
    poll adds, times those that there would be. A job of a day is polled 1,440 times, too slow to execute for a plan.
    """
    document = naive_document(load.document)
    short, long = (count(replace(load, document=document, seconds=_lasting(polls))) for polls in (1, 2))
    jobs = sum(short.jobs.values())
    more = sum(number * (_polls(load.seconds(stage)) - 1) for stage, number in short.jobs.items())
    transitions = short.transitions + (long.transitions - short.transitions) * more // max(1, jobs)
    events = short.events + (long.events - short.events) * more // max(1, jobs)
    return replace(short, transitions=transitions, events=events, longest_history=0)


def _lasting(polls: int) -> Callable[[str], float]:
    """Return the duration of jobs that end before this poll, for each stage."""
    return lambda stage: (polls - 0.5) * POLL_S


def _polls(seconds: float) -> int:
    return max(1, math.ceil(seconds / POLL_S))


def _naive_states(states: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states of a machine, with a loop in place of each Task and of the Choice after its failure."""
    jobs = [name for name, state in states.items() if state.get("Resource") == SUBMIT_JOB]
    left_out = {f"{name}{FAILED}" for name in jobs}
    naive: dict[str, Any] = {}
    for name, state in states.items():
        if name in jobs:
            naive |= _loop(name, state)
        elif state["Type"] == "Fail":
            naive[name] = {"Type": "Fail", "Error": "JobFailed"}
        elif name not in left_out:
            naive[name] = state
    fail = next((name for name, state in naive.items() if state["Type"] == "Fail"), None)
    for name in jobs:
        naive[f"{name}Status"]["Choices"][-1]["Next"] = fail
    return naive


def _loop(name: str, task: Mapping[str, Any]) -> dict[str, Any]:
    done = task.get("Next", f"{name}Done")
    states = {
        name: {
            "Type": "Task",
            "Resource": SUBMIT_JOB.removesuffix(_SYNC),
            "Arguments": task["Arguments"],
            "Output": expression(f'$merge([$states.input,{{"job":$states.result.JobId,"tries":{_TRIES}}}])'),
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": RETRIES}],
            "Next": f"{name}Wait",
        },
        f"{name}Wait": {"Type": "Wait", "Seconds": POLL_S, "Next": f"{name}Describe"},
        f"{name}Describe": {
            "Type": "Task",
            "Resource": DESCRIBE_JOBS,
            "Arguments": {"Jobs": [expression("$states.input.job")]},
            "Output": expression('$merge([$states.input,{"status":$states.result.Jobs[0].Status}])'),
            "Next": f"{name}Status",
        },
        f"{name}Status": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": expression("$states.input.status='SUCCEEDED'"),
                    "Output": expression("$sift($states.input,function($v,$k){$k!='tries'})"),
                    "Next": done,
                },
                {
                    "Condition": expression(f"$states.input.status='FAILED' and $states.input.tries<={RETRIES}"),
                    "Next": name,
                },
                {"Condition": expression("$states.input.status='FAILED'")},
            ],
            "Default": f"{name}Wait",
        },
    }
    return states if "Next" in task else {**states, done: {"Type": "Succeed"}}
