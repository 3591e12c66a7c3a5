"""Advice on each class of failure: its meaning, what a run does by itself, what is left to do (docs/failures.md)."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice on a failure.

    Attributes:
        means: The meaning.
        by_itself: What a run does about it.
        to_do: What the user does, once it has failed for good.
    """

    means: str
    by_itself: str
    to_do: str


ADVICE = {
    FailureClass.HOST_LOST: Advice(
        "the host went away: Spot took it back, or it died",
        "Batch starts the job on another host, then the state machine starts it On-Demand; memory stays as it is",
        "rerun",
    ),
    FailureClass.IMAGE: Advice(
        "the container did not begin, or the host lost sight of it: the image, the agent or the container engine",
        "Batch starts the job again, mostly on another host",
        "see that the image is there and that hosts reach it (push it with deploy); then rerun",
    ),
    FailureClass.THROTTLED: Advice(
        "Batch did not take the job: too many requests, or a fault of its own",
        "Step Functions submits again, ever more slowly, up to 20 times",
        "rerun; if it happens again, lower max_concurrency of the pipeline's map",
    ),
    FailureClass.OUT_OF_MEMORY: Advice(
        "the task needed more memory than it had",
        "the next rung of the step's ladder, as long as there is one",
        "rerun with more memory (--memory), or give memory_mib in step.toml another rung",
    ),
    FailureClass.OUT_OF_DISK: Advice(
        "a disk was full",
        "nothing: it would be full again",
        "make room; on AWS deploy with a larger VolumeGiB, or InstanceTypes with disks of their own; then rerun",
    ),
    FailureClass.TIMEOUT: Advice(
        "the task took longer than it may",
        "once more, with twice the time",
        "look at its log: did it hang? If not, raise timeout_s in step.toml; then rerun",
    ),
    FailureClass.BAD_INPUT: Advice(
        "the input can never work: the message says which file and which record",
        "nothing: the next try would read the same",
        "fix the file; then rerun",
    ),
    FailureClass.TOOL_ERROR: Advice(
        "the step's program failed",
        "nothing: the next try would run the same",
        "read its log (logs RUN --failed); fix the step, its parameters or the input; then rerun",
    ),
    FailureClass.CANCELLED: Advice(
        "somebody ended it: cancel, a stopped execution, a terminated job",
        "nothing",
        "rerun where it is still wanted",
    ),
    FailureClass.AWS_LIMIT: Advice(
        "more than AWS, or this stack, allows: a payload's size, or a job that no host could take",
        "nothing: the limit stays",
        "lower what the step asks for, or deploy with larger InstanceTypes or more MaxVcpus; then rerun",
    ),
    FailureClass.UNKNOWN: Advice(
        "nothing here names a class",
        "nothing",
        "read the message and the log; then rerun",
    ),
}

# Errors that have no class, because no try of a step heals them, and yet are understood.
BY_ERROR_NAME = {
    "Batch.ClientException": Advice(
        "Batch refused the job: mostly its job definition or queue is not there",
        "nothing: the request would be refused again",
        "deploy the pipeline and the steps that the run was submitted with; then rerun",
    ),
    "States.Permissions": Advice(
        "a role lacks a right",
        "nothing",
        "deploy again: the stack's roles are not as they should be; then rerun",
    ),
    "States.ResultWriterFailed": Advice(
        "the results of a Map Run could not be written to the bucket",
        "nothing",
        "see that the bucket is there, in the stack's own account and Region, and that its policy lets the stack write",
    ),
    "States.ExceedToleratedFailureThreshold": Advice(
        "more items failed than the run tolerates",
        "the items that had succeeded keep their results",
        "see why they failed (results RUN --failed); fix that, then rerun",
    ),
    "States.Runtime": Advice(
        "the state machine met something that it cannot go on with: a mistake in it, or a full history",
        "nothing: Step Functions lets nobody retry or catch it",
        "read the message; a definition of ours that ends so is a bug of ours",
    ),
    "States.QueryEvaluationError": Advice(
        "an expression of the state machine could not be evaluated",
        "nothing: it would give the same",
        "read the message; a definition of ours that ends so is a bug of ours",
    ),
}


def advice(failure: Failure) -> Advice:
    """Return the advice on a failure.

    >>> advice(Failure(FailureClass.UNKNOWN, "no such queue", error="Batch.ClientException")).means
    'Batch refused the job: mostly its job definition or queue is not there'
    """
    if failure.failure_class is FailureClass.UNKNOWN:
        return BY_ERROR_NAME.get(failure.error, ADVICE[FailureClass.UNKNOWN])
    return ADVICE[failure.failure_class]
