"""What the resources of one deployment are called: every name begins with the CloudFormation stack's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from genomics_pipeline.model.errors import UsageError

STACK = re.compile(r"[a-z](?:-?[a-z0-9]){0,31}")  # also the head of a bucket's and an ECR repository's name
DEFAULT_STACK = "genomics-pipeline"


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """Names by stack.

    Attributes:
        stack: The stack's name; see `STACK`.
    """

    stack: str = DEFAULT_STACK

    @property
    def job_queue(self) -> str:
        """The queue that jobs go to first: Spot, then On-Demand."""
        return self.stack

    @property
    def on_demand_queue(self) -> str:
        """The queue of On-Demand hosts only."""
        return f"{self.stack}-on-demand"

    @property
    def log_group(self) -> str:
        """CloudWatch's log group of the tasks' containers."""
        return f"/{self.stack}/tasks"

    def job_definition(self, step: str) -> str:
        """The Batch job definition of a step.

        >>> ResourceNames().job_definition("variant_calling")
        'genomics-pipeline-variant_calling'
        """
        return f"{self.stack}-{step}"

    def repository(self, step: str) -> str:
        """The ECR repository of a step's image; the tag is `runs.containers.images.tag`."""
        return f"{self.stack}/{step}"

    def state_machine(self, pipeline: str) -> str:
        """The state machine of a pipeline."""
        return f"{self.stack}-{pipeline}"


def resource_names(stack: str) -> ResourceNames:
    """The names of a stack's resources.

    Raises:
        UsageError: if a stack may not be called so.
    """
    if not STACK.fullmatch(stack):
        expected = "expected lower-case letters, digits and single hyphens, a letter first, at most 32"
        raise UsageError(f"--stack {stack}: {expected}")
    return ResourceNames(stack)
