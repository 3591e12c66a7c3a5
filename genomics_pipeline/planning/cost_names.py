"""The names of the lines of costs, by which `cost` finds what a plan had for each."""

from __future__ import annotations

COMPUTE = "compute: {}"  # of a stage
VOLUMES = "volumes"
STORAGE = "storage a month"
STORAGE_YEAR = "storage a year"  # in no sum
PUTS = "S3 PUT requests"
GETS = "S3 GET requests"
TRANSITIONS = "transitions"
