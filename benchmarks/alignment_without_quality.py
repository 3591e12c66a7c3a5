"""The alignment step without its further quality control: what `samtools stats` and the duplicates do not say.

`alignment_step` runs it in the place of the step's program, to report what that control costs. The step itself has no
such parameter: nobody would save so little time for so much less to look at.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "steps" / "alignment"))
import alignment
import output
from common.program import run_program
from samtools_chain import Command, Reader


def sorted_reader(task: dict[str, Any], view: Sequence[Command]) -> Reader:
    """Return the program that reads the sorted alignments, without quality control."""
    output.quality_file(task).write_text(json.dumps({"duplicates": 0}))
    return output.sorted_reader(task, view, with_quality=False)


if __name__ == "__main__":
    vars(alignment)["sorted_reader"] = sorted_reader
    code = run_program(alignment.main)
    sys.stderr.flush()
    os._exit(code)  # as the step's program ends
