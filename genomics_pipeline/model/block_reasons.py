"""The reasons for which a job at the head of a Batch queue blocks it, and how long the stack's queues let it do so.

Source: Batch user guide, "Jobs stuck in a RUNNABLE status", "Automatic remediation with jobStateTimeLimitActions". The
status reason of the job begins with the name of the reason.
"""

from __future__ import annotations

NO_CAPACITY = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
TOO_MANY_VCPUS = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
UNSUPPORTED_HOSTS = "MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED"
SERVICE_ROLE = "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS"
INVALID_ENVIRONMENTS = "ACTION_REQUIRED"
UNKNOWN_REASON = "UNDETERMINED"

# The seconds after which a queue cancels such a job: the least that AWS allows where no host can ever run it, and the
# most without capacity. For the other reasons there is no such action; Batch's pages differ on UNSUPPORTED_HOSTS.
CANCELLED_AFTER_S = {TOO_MANY_VCPUS: 600, TOO_LARGE: 600, NO_CAPACITY: 86_400}


def cancelled_after(reason: str) -> str | None:
    """Return the time after which a queue cancels a job with a reason, in words; None where it does not.

    >>> cancelled_after(TOO_LARGE), cancelled_after(NO_CAPACITY), cancelled_after(SERVICE_ROLE)
    ('10 minutes', '24 hours', None)
    """
    seconds = CANCELLED_AFTER_S.get(reason)
    if seconds is None:
        return None
    return f"{seconds // 3600} hours" if seconds >= 3600 else f"{seconds // 60} minutes"
