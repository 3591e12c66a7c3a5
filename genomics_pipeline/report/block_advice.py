"""Advice on each reason for which a job blocks its queue."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.model import block_reasons


@dataclass(frozen=True, slots=True)
class BlockAdvice:
    """Advice on a reason.

    Attributes:
        means: The meaning.
        to_do: What the user does, so that the job can start.
    """

    means: str
    to_do: str


BLOCK_ADVICE = {
    block_reasons.NO_CAPACITY: BlockAdvice(
        "EC2 has no host of the InstanceTypes, neither Spot nor On-Demand",
        "deploy with more families in InstanceTypes, or ask for a larger vCPU quota",
    ),
    block_reasons.TOO_MANY_VCPUS: BlockAdvice(
        "the job has more vCPUs than MaxVcpus allows for all hosts together",
        "deploy with a larger MaxVcpus",
    ),
    block_reasons.TOO_LARGE: BlockAdvice(
        "the job has more vCPUs or memory than the largest of the InstanceTypes",
        "deploy with larger InstanceTypes, or lower the step's resources",
    ),
    block_reasons.UNSUPPORTED_HOSTS: BlockAdvice(
        "the InstanceTypes are not offered in the zones of the stack, or do not fit its launch template",
        "deploy with other InstanceTypes",
    ),
    block_reasons.SERVICE_ROLE: BlockAdvice(
        "Batch's service role lacks a permission",
        "restore AWSServiceRoleForBatch",
    ),
    block_reasons.INVALID_ENVIRONMENTS: BlockAdvice(
        "the compute environments of the stack are invalid",
        "read why (aws batch describe-compute-environments) and correct it, or deploy again",
    ),
    block_reasons.UNKNOWN_REASON: BlockAdvice(
        "Batch does not know why the job cannot start",
        "compare the vCPU quotas (submit --dry-run); subnets of your own must reach ECR, ECS and CloudWatch Logs",
    ),
}


def block_reason(status_reason: str) -> str | None:
    """Return the name of the reason in the status reason of a job, also of one that its queue cancelled for it.

    >>> block_reason("UNDETERMINED - Batch job is blocked, root cause is undetermined.")
    'UNDETERMINED'
    >>> block_reason("Canceled by JobStateTimeLimit action due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT'
    """
    return next((name for name in BLOCK_ADVICE if name in status_reason), None)
