"""A stand-in for the commands of Slurm: jobs are processes of this machine, and their states are files."""

from __future__ import annotations

import sys
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sacct", "sinfo")

PROGRAM = """#!{python}
import json, os, signal, subprocess, sys
from pathlib import Path

place, name, words = Path({place!r}), Path(sys.argv[0]).name, sys.argv[1:]
if (place / "down").exists():
    sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
option = dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))
with (place / "calls").open("a") as calls:
    calls.write(name + chr(10))
if name == "sbatch":
    if (place / "refusal").exists():
        sys.exit((place / "refusal").read_text())
    number = len(list(place.glob("array.*"))) + 1
    (place / f"array.{{number}}").write_text(json.dumps(option))
    script = sys.stdin.read()
    for index in range(int(option["array"].partition("-")[2]) + 1):
        environment = {{**os.environ, "SLURM_ARRAY_TASK_ID": str(index)}}
        log = open(Path(option["chdir"]) / f"{{index}}.log", "w")
        end = (
            "import os, subprocess, sys; p = subprocess.Popen(['/bin/sh', '-c', sys.argv[2]]);"
            "f = open(sys.argv[1] + '.pid', 'w'); f.write(str(p.pid)); f.close(); c = p.wait();"
            "f = open(sys.argv[1] + '.new', 'w'); f.write(str(c)); f.close();"
            "os.rename(sys.argv[1] + '.new', sys.argv[1] + '.code')"
        )
        subprocess.Popen(
            [sys.executable, "-c", end, str(place / f"job.{{number}}.{{index}}"), script],
            cwd=option["chdir"], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    print(number)
    if (place / "mute").exists():
        (place / "mute").unlink()
        sys.exit("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
elif name == "squeue":
    for array in place.glob("array.*"):
        number, given = array.name.partition(".")[2], json.loads(array.read_text())
        for index in range(int(given["array"].partition("-")[2]) + 1):
            job = place / f"job.{{number}}.{{index}}"
            code, forced = Path(f"{{job}}.code"), Path(f"{{job}}.state")
            if forced.exists():
                state, status = forced.read_text(), 0
            elif not code.exists():
                state, status = "RUNNING", 0
            else:
                state = "FAILED" if code.read_text() != "0" else "COMPLETED"
                status = int(code.read_text()) << 8
            if state != "UNKNOWN":
                reason = state.partition(" ")[2] or "None"
                print(number, index, state.split()[0], status, reason, "node1", given["comment"], "", sep="|")
elif name == "scancel":
    for job_id in (word for word in words if not word.startswith("-")):
        job = place / ("job." + job_id.replace("_", "."))
        Path(f"{{job}}.state").write_text("CANCELLED")
        try:
            os.kill(int(Path(f"{{job}}.pid").read_text()), signal.SIGTERM)
        except (OSError, ValueError):
            pass
elif name == "scontrol":
    print("MaxArraySize            = 3")
elif name == "sinfo":
    nodes = place / "nodes"
    print(nodes.read_text() if nodes.exists() else "16|64000|main*")
else:
    sys.exit("Slurm accounting storage is disabled")
"""


class FakeSlurm:
    """The commands in a folder, which a test puts on ``PATH``.

    Args:
        folder: The folder for them and for the states of the jobs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "bin"
        self.path.mkdir(parents=True)
        for name in COMMANDS:
            program = self.path / name
            program.write_text(PROGRAM.format(python=sys.executable, place=str(folder)))
            program.chmod(0o755)

    def calls(self) -> list[str]:
        """Return the names of the commands that were called, in their order."""
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []

    def set_state(self, array: int, index: int, state: str) -> None:
        """Let squeue list a job in a state, with a reason after a space; ``UNKNOWN`` for not at all."""
        (self.folder / f"job.{array}.{index}.state").write_text(state)

    def set(self, name: str, text: str = "") -> None:
        """Let all commands fail (``down``), sbatch not answer once (``mute``) or refuse with a text (``refusal``).

        With ``nodes``, the text is what sinfo prints.
        """
        (self.folder / name).write_text(text)

    def unset(self, name: str) -> None:
        """Take back what `set` did."""
        (self.folder / name).unlink()
