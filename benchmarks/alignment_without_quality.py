"""The alignment step without its further quality control: what `samtools stats` and the duplicates do not say.

`alignment_step` runs it in the place of the step's program, to report what that control costs. The step itself has no
such parameter: nobody would save so little time for so much less to look at.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "steps" / "alignment"))
import alignment
import output
from common.program import run_program
from samtools_chain import Command, Consumer


def output_commands(task: dict[str, Any], view: Command) -> list[Consumer]:
    """Return the programs that read the sorted alignments, without quality control."""
    output.quality_file(task).write_text(json.dumps({"duplicates": 0}))
    return [consumer for consumer in output.output_commands(task, view) if consumer.name != output.QUALITY_CONTROL]


if __name__ == "__main__":
    alignment.output_commands = output_commands  # type: ignore[attr-defined]
    code = run_program(alignment.main)
    sys.stderr.flush()
    os._exit(code)  # as the step's program ends
