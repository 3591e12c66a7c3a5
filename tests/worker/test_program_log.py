"""The message about a program's failure, which is never a traceback, however Python prints it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from genomics_pipeline.worker.program_log import error_message, last_lines

PROGRAMS = {
    "a group": ("raise ExceptionGroup('many', [ValueError('a'), KeyError('b')])", ["ValueError: a", "KeyError: 'b'"]),
    "a group of raised exceptions": (
        """
errors = []
for text in "ab":
    try:
        raise ValueError(text)
    except ValueError as error:
        errors.append(error)
raise ExceptionGroup("many", [*errors, ExceptionGroup("more", [OSError("c")])])
""",
        ["ValueError: a", "ValueError: b", "ExceptionGroup: more (1 sub-exception)", "OSError: c"],
    ),
    "a chain": ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('last')", ["ValueError: last"]),
    "a process of a pool": (
        """
import concurrent.futures, math, multiprocessing
context = multiprocessing.get_context("fork")
with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
    pool.submit(math.sqrt, -1).result()
""",
        ["ValueError: math domain error"],
    ),
    "frames beyond the lines that are read": (
        "exec('\\n'.join(f'def f{i}(): f{i + 1}()' for i in range(300)))\ndef f300(): raise ValueError('deep')\nf0()",
        ["ValueError: deep"],
    ),
    "an indented traceback": (
        "import textwrap, traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    print(textwrap.indent(traceback.format_exc(), '    '))\n    raise SystemExit(1)",
        ["ZeroDivisionError: division by zero"],
    ),
}


@pytest.mark.parametrize(("program", "expected"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_traceback_is_not_the_message(tmp_path: Path, program: str, expected: list[str]) -> None:
    file, log = tmp_path / "program.py", tmp_path / "log.txt"
    file.write_text(program)
    with log.open("wb") as out:
        subprocess.run([sys.executable, file], stdout=out, stderr=out, check=False)
    message = error_message(last_lines(log)).splitlines()
    assert message[-len(expected) :] == expected
    assert not [line for line in message if "Traceback" in line or "File" in line or "|" in line]


def test_a_list_is_not_a_group() -> None:
    lines = ["expected one of:", "  | a", "  +---"]
    assert error_message(lines) == "\n".join(lines)
