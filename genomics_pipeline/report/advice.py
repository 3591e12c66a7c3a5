"""Advice on each class of failure: its meaning, what a run does by itself, what is left to do (docs/failures.md)."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.model.block_reasons import cancelled_after
from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.report.block_advice import BLOCK_ADVICE, BlockAdvice, block_reason


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
        "the host was lost: Spot reclaimed it, or it failed",
        "Batch starts the job again on another host, then the state machine submits it On-Demand, with the same memory",
        "rerun",
    ),
    FailureClass.IMAGE: Advice(
        "the container did not start, or the host lost track of it (image, ECS agent, container engine)",
        "Batch starts the job again, usually on another host",
        "check that the image exists and that the hosts can pull it (containers push); then rerun",
    ),
    FailureClass.THROTTLED: Advice(
        "Batch did not accept the job: too many requests, or an internal error",
        "Step Functions submits the job again with increasing delays, up to 20 times",
        "rerun; if it happens again, lower max_concurrency in the pipeline file",
    ),
    FailureClass.OUT_OF_MEMORY: Advice(
        "the task needed more memory than it had",
        "a retry with the next rung of the step's memory ladder, up to the last one",
        "rerun with more memory (--memory), or add a rung to memory_mib in step.toml",
    ),
    FailureClass.OUT_OF_DISK: Advice(
        "a disk was full",
        "on AWS two retries, each with twice the vCPUs, and so twice the share of a host's disk; none on one machine",
        "free disk space; on AWS raise disk_gib in step.toml, or deploy with InstanceTypes of a larger instance store; "
        "then rerun",
    ),
    FailureClass.TIMEOUT: Advice(
        "the task took longer than its timeout",
        "one retry, with twice the time",
        "check in the log whether the task hung; if it did not, raise timeout_s in step.toml; then rerun",
    ),
    FailureClass.ACCESS_DENIED: Advice(
        "a role lacks a right, or on this machine the user lacks access: the message or the log names the right, the "
        "role and the resource, or the file",
        "nothing: a retry would be refused too (Step Functions submits a refused job again, up to 20 times)",
        "for an input, deploy with its bucket in InputBuckets and its KMS key in InputKeys (a bucket or key of another "
        "account must allow the role, too); for anything else deploy again, to restore the roles; for a file of this "
        "machine, change its permissions or its mount; then rerun",
    ),
    FailureClass.BAD_INPUT: Advice(
        "the input cannot be processed: the message names the file and the record",
        "nothing: a retry would read the same input",
        "fix the file; then rerun",
    ),
    FailureClass.TOOL_ERROR: Advice(
        "the step's program failed",
        "nothing: a retry would run the same program",
        "read its log (logs RUN --failed); fix the step, its parameters or the input; then rerun",
    ),
    FailureClass.CANCELLED: Advice(
        "the task was cancelled: by cancel, a stopped execution or a terminated job",
        "nothing",
        "rerun if you still need the results",
    ),
    FailureClass.AWS_LIMIT: Advice(
        "a limit of AWS or of this stack was exceeded: the size of a payload, or a job that fits no host",
        "nothing: the limit would be exceeded again",
        "lower the step's resources, or deploy with larger InstanceTypes or more MaxVcpus; then rerun",
    ),
    FailureClass.UNKNOWN: Advice(
        "no known message, exit code or error name matches",
        "nothing",
        "read the message and the log; then rerun",
    ),
}


def _of_blocked_job(reason: str, words: BlockAdvice) -> Advice:
    """Return the advice on a job that failed because it blocked its queue, or waited in it until its Task ended."""
    limit = cancelled_after(reason)
    end = f"its queue cancels a job after {limit} at its head" if limit else "the job waits until its Task ends"
    return Advice(words.means, f"nothing: {end}", f"{words.to_do}; then rerun")


BY_BLOCK_REASON = {reason: _of_blocked_job(reason, words) for reason, words in BLOCK_ADVICE.items()}

# Errors that have no class, because retrying a step does not help, but that can be explained.
BY_ERROR_NAME = {
    "Batch.ClientException": Advice(
        "Batch refused the job: usually its job definition or queue does not exist",
        "nothing: the request would be refused again",
        "deploy the pipeline and the steps that the run was submitted with; then rerun",
    ),
    "States.ResultWriterFailed": Advice(
        "the results of a Map Run could not be written to the bucket",
        "nothing",
        "check that the bucket exists in the account and Region of the stack, and that its policy lets the stack write",
    ),
    "States.ExceedToleratedFailureThreshold": Advice(
        "more items failed than the run tolerates",
        "the items that succeeded keep their results",
        "find out why they failed (results RUN --failed), and fix that; then rerun. --max-failures, or [maps.sample] "
        "of the pipeline's file, sets how many may fail",
    ),
    "States.Runtime": Advice(
        "the state machine could not continue: an error in the definition, or a full execution history",
        "nothing: Step Functions does not allow retrying or catching it",
        "read the message; if genomics-pipeline generated the definition, report a bug",
    ),
    "States.QueryEvaluationError": Advice(
        "an expression of the state machine could not be evaluated",
        "nothing: a retry would have the same result",
        "read the message; if genomics-pipeline generated the definition, report a bug",
    ),
}


# What is so where no AWS is: of one machine, or a cluster of Slurm.
HERE = {
    FailureClass.HOST_LOST: Advice(
        "the host was lost: the task was killed from outside, or its node failed or was preempted",
        "the task is started again with the same memory; on a cluster also on other nodes, in the end in the on-demand "
        "partition",
        "rerun",
    ),
    FailureClass.IMAGE: Advice(
        "the container did not start (image, container engine, Apptainer)",
        "the task is started again",
        "check that the image exists here and can be used; then rerun",
    ),
    FailureClass.THROTTLED: Advice(
        "the job was not accepted: too many requests, or an internal error",
        "the job is submitted again with increasing delays, up to 20 times",
        "rerun",
    ),
    FailureClass.OUT_OF_DISK: Advice(
        "a disk was full",
        "nothing: a retry would have the same disk",
        "free disk space, or use a folder on another disk for the run or for temporary files (TMPDIR); then rerun",
    ),
    FailureClass.ACCESS_DENIED: Advice(
        "the user lacks access to a file: the message or the log names it",
        "nothing: a retry would be refused too",
        "change the permissions of the file or its mount; then rerun",
    ),
    FailureClass.CANCELLED: Advice(
        "the task was cancelled: by cancel, Ctrl-C, or scancel on a cluster",
        "nothing",
        "rerun if you still need the results",
    ),
    FailureClass.AWS_LIMIT: Advice(
        "a limit was exceeded: of the size of a payload, or a job asked for more than a node or its partition has",
        "nothing: the limit would be exceeded again",
        "read the message; lower the step's resources, or give another partition; then rerun",
    ),
}


def advice(failure: Failure, here: bool = False) -> Advice:
    """Return the advice on a failure.

    Args:
        failure: The failure.
        here: Whether it is of a run on this machine or its cluster.

    >>> advice(Failure(FailureClass.UNKNOWN, "no such queue", error="Batch.ClientException")).means
    'Batch refused the job: usually its job definition or queue does not exist'
    """
    if failure.failure_class is FailureClass.UNKNOWN:
        return BY_ERROR_NAME.get(failure.error, ADVICE[FailureClass.UNKNOWN])
    if here and failure.failure_class in HERE:
        return HERE[failure.failure_class]
    reason = block_reason(failure.message) if failure.failure_class is FailureClass.AWS_LIMIT else None
    return BY_BLOCK_REASON[reason] if reason else ADVICE[failure.failure_class]
