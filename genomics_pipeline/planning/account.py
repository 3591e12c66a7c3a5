"""The limits of an account during a simulation: request rates, and the vCPUs of its hosts."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.aws.template.parameters import DEFAULT_ARCHITECTURE
from genomics_pipeline.model.architecture import Architecture

SPOT, ON_DEMAND = 0, 1


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """The limits of an account and of a deployed stack.

    Attributes:
        child_starts: Children that a Map Run starts in a second.
        submit_rate: SubmitJob calls in a second.
        submit_burst: SubmitJob calls at once.
        vcpus: vCPUs of Spot hosts, and of On-Demand hosts.
        host_vcpus: vCPUs of a host.
        host_start_s: The time from Batch's decision to start a host to its first job.
        launch_rate: Hosts that may be launched in a second, after the burst.
        launch_burst: Hosts that may be launched at once.
        job_start_s: The time in which Batch and ECS start a job on a host that runs.
        architecture: The processors of the hosts.
    """

    child_starts: float
    submit_rate: float
    submit_burst: float
    vcpus: tuple[int, int]
    host_vcpus: int
    host_start_s: float
    launch_rate: float
    launch_burst: float
    job_start_s: float
    architecture: Architecture = DEFAULT_ARCHITECTURE


class TokenBucket:
    """A token bucket, as of AWS's request rates.

    Args:
        rate: Tokens in a second.
        burst: The most tokens.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst, self._tokens, self._at = rate, burst, burst, 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def next(self, now: float) -> float:
        """Take a token and return the time from which it may be used."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = max(self._at, now)
        self._tokens -= 1
        return now if self._tokens >= 0 else now - self._tokens / self._rate


class HostPool:
    """The vCPUs of the hosts that run, and of those that are starting.

    Attributes:
        capacity: The vCPUs of the hosts that run, of Spot and of On-Demand hosts.
        used: Those of them that jobs have.
        ordered: Those of all hosts, starting ones included.

    Args:
        limits: The limits of the account.
    """

    def __init__(self, limits: AccountLimits) -> None:
        self._limits = limits
        self._launches = TokenBucket(limits.launch_rate, limits.launch_burst)
        self.capacity, self.used, self.ordered = [0, 0], [0, 0], [0, 0]

    def take(self, vcpus: int) -> int | None:
        """Take vCPUs and return the kind of their hosts; None if there are not enough."""
        for kind in (SPOT, ON_DEMAND):
            if self.used[kind] + vcpus <= self.capacity[kind]:
                self.used[kind] += vcpus
                return kind
        return None

    def order(self, now: float, waiting: int) -> list[tuple[float, int, int]]:
        """Start hosts for waiting jobs, and return when which vCPUs are there: (time, kind, vCPUs).

        Args:
            now: The time.
            waiting: The vCPUs of the waiting jobs.
        """
        orders = []
        free = sum(self.ordered) - sum(self.used)
        for kind in (SPOT, ON_DEMAND):
            while free < waiting and self.ordered[kind] < self._limits.vcpus[kind]:
                vcpus = min(self._limits.host_vcpus, self._limits.vcpus[kind] - self.ordered[kind])
                self.ordered[kind] += vcpus
                free += vcpus
                orders.append((self._launches.next(now) + self._limits.host_start_s, kind, vcpus))
        return orders
