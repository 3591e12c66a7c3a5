"""The settings of Hypothesis for all tests, a plugin of pytest: the same examples each time, on a machine of any speed.

A landing is then not refused for a fault that is in the branch already; `make test-fuzz` searches for those.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")
