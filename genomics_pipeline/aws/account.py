"""The account: its quotas and its service-linked roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.model.quotas import Quota


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """A role that a service of AWS uses, one in an account.

    Attributes:
        name: Its name.
        service: The service, as in the command that creates it.
        use: The use of it.
    """

    name: str
    service: str
    use: str

    @property
    def path(self) -> str:
        """Return the resource part of its ARN."""
        return f"role/aws-service-role/{self.service}/{self.name}"

    @property
    def command(self) -> str:
        """Return the command that creates it."""
        return f"aws iam create-service-linked-role --aws-service-name {self.service}"


# Batch user guide, "Using service-linked roles"; EC2 user guide, "Service-linked role for Spot Instance requests"; ECS
# developer guide, "Using service-linked roles". Batch and ECS create theirs on first use, for a user who may do that.
SERVICE_ROLES = (
    ServiceRole("AWSServiceRoleForBatch", "batch.amazonaws.com", "Batch starts hosts by it"),
    ServiceRole("AWSServiceRoleForEC2Spot", "spot.amazonaws.com", "EC2 starts Spot hosts by it"),
    ServiceRole("AWSServiceRoleForECS", "ecs.amazonaws.com", "ECS runs the tasks of Batch by it"),
)


def applied_quota(quota: Quota, clients: Clients) -> int | None:
    """Return the value of a quota in the account and Region; None where Service Quotas does not list it.

    Args:
        quota: A quota with a code.
        clients: The AWS clients.

    Raises:
        RunError: if the call fails.
    """
    client = clients.service_quotas
    with aws_call(f"read the quota {quota.code} of {quota.service}"):
        try:
            found = client.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)
        except client.exceptions.NoSuchResourceException:
            return None
    return int(found["Quota"]["Value"])


def missing_service_roles(clients: Clients) -> Iterator[ServiceRole]:
    """Yield the service-linked roles that the account does not have.

    Raises:
        RunError: if a call fails.
    """
    for role in SERVICE_ROLES:
        with aws_call(f"find the role {role.name}"):
            try:
                clients.iam.get_role(RoleName=role.name)
            except clients.iam.exceptions.NoSuchEntityException:
                yield role
