"""`python -m genomics_pipeline`, whose files stay in the cache of the system: see `tests/cached_files.py`."""

from __future__ import annotations

import runpy

from tests.cached_files import leave_files_in_cache

if __name__ == "__main__":
    leave_files_in_cache()
    runpy.run_module("genomics_pipeline", run_name="__main__", alter_sys=True)
