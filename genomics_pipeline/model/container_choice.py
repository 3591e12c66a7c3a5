"""The programs that run the containers of a run, as a user chooses them."""

from __future__ import annotations

ENGINE, APPTAINER = CONTAINERS = ("engine", "apptainer")  # docker or podman; Apptainer or Singularity
NO_CONTAINERS = ""
