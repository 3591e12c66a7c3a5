"""A stand-in for the commands of Slurm: jobs are processes of this machine, and their states are files."""

from __future__ import annotations

import sys
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sacct", "sacctmgr", "sinfo")

PROGRAM = """#!{python}
import json, os, signal, subprocess, sys, time
from pathlib import Path

place, name, words = Path({place!r}), Path(sys.argv[0]).name, sys.argv[1:]
if (place / "down").exists():
    sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
option = dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))
with (place / "calls").open("a") as calls:
    calls.write(name + chr(10))


def write(file, text):  # as a whole: others may read it at any moment
    part = place / f".{{file.name}}.{{os.getpid()}}"
    part.write_text(text)
    part.replace(file)


def indexes(given):  # None for a job without an array
    return range(int(given["array"].partition("%")[0].partition("-")[2]) + 1) if "array" in given else [None]


def start_single(number):
    given = json.loads((place / f"array.{{number}}").read_text())
    log = open(Path(given["chdir"]) / given["output"].replace("%j", str(number)), "a")
    subprocess.Popen(
        [sys.executable, place / "single.py", place / f"job.{{number}}", (place / f"script.{{number}}").read_text()],
        cwd=given["chdir"], env={{**os.environ, "SLURM_JOB_ID": str(number)}}, stdout=log, stderr=log,
        stdin=subprocess.DEVNULL, start_new_session=True,
    )


if name == "sbatch":
    if (place / "refusal").exists():
        sys.exit((place / "refusal").read_text())
    size = len(indexes(option))
    if (place / "most").exists() and size > int((place / "most").read_text()):
        sys.exit(
            "sbatch: error: AssocMaxSubmitJobLimit sbatch: error: Batch job submission failed: Job violates "
            "accounting/QOS policy (job submit limit, user's size and/or time limits)"
        )
    (place / "submitting").touch()
    while (place / "slow").exists():
        time.sleep(0.01)
    number = len(list(place.glob("array.*"))) + 1
    script = sys.stdin.read()
    write(place / f"script.{{number}}", script)
    write(place / f"array.{{number}}", json.dumps(option))
    partition, cores = option.get("partition", "main"), option.get("cpus-per-task", "1")
    os.environ.update(SLURM_JOB_PARTITION=partition, SLURM_CPUS_ON_NODE=cores, SLURMD_NODENAME="node1")
    jobs = [[str(place / f"job.{{number}}.{{index}}"), str(index)] for index in indexes(option) if index is not None]
    if not jobs and not (place / "hold").exists():
        start_single(number)
    is_serial = (place / "serial").exists()
    for words in [sum(jobs, [])] if is_serial else jobs if not (place / "hold").exists() else []:
        subprocess.Popen(
            [sys.executable, place / "launch.py", script, *words], cwd=option["chdir"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True,
        )
    print(number)
    if (place / "mute").exists():
        (place / "mute").unlink()
        sys.exit("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
elif name == "squeue":
    for array in place.glob("array.*"):
        number, given = array.name.partition(".")[2], json.loads(array.read_text())
        for index in indexes(given):
            job = place / (f"job.{{number}}" if index is None else f"job.{{number}}.{{index}}")
            code, forced = Path(f"{{job}}.code"), Path(f"{{job}}.state")
            if forced.exists():
                state, status = forced.read_text(), 0
                if index is None and state == "CANCELLED" and Path(f"{{job}}.pid").exists() and not code.exists():
                    state = "COMPLETING"  # until its processes have ended
            elif not code.exists():
                state, status = "RUNNING" if Path(f"{{job}}.pid").exists() else "PENDING Resources", 0
            else:
                state = "FAILED" if code.read_text() != "0" else "COMPLETED"
                status = int(code.read_text()) << 8
            if state != "UNKNOWN":
                reason = state.partition(" ")[2] or "None"
                shown = "N/A" if index is None else index
                print(number, shown, state.split()[0], status, reason, "node1", given["comment"], "", sep="|")
elif name == "scancel" and (place / "stubborn").exists():
    sys.exit("scancel: error: Unable to contact slurm controller (connect failure)")
elif name == "scancel":
    for job_id in (word for word in words if not word.startswith("-")):
        array, _, index = job_id.partition("_")
        (place / f"cancelled.{{job_id}}").touch()
        single = "array" not in json.loads((place / f"array.{{array}}").read_text())
        for job in [place / ("job." + job_id.replace("_", "."))] if index or single else []:
            write(Path(f"{{job}}.state"), "CANCELLED")
            try:
                os.kill(int(Path(f"{{job}}.pid").read_text()), signal.SIGTERM)
            except (OSError, ValueError):
                pass
elif words[:1] == ["requeue"]:
    job = place / f"job.{{words[1]}}"
    Path(f"{{job}}.pid").rename(f"{{job}}.old")
    start_single(words[1])
elif words[:1] == ["update"]:
    (place / "updates").open("a").write(" ".join(words[1:]) + chr(10))
elif name == "scontrol":
    if (place / "silent").exists():
        sys.exit("slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)")
    own, most = place / f"minutes.{{words[-1]}}", place / "minutes"
    most = own if own.exists() else most
    print("PartitionName=main Default=YES MaxTime=" + (most.read_text() if most.exists() else "UNLIMITED"))
    print("MaxArraySize            = 3")
elif name == "sinfo" and "-o%N|%P|%t" in words:
    print("node1|main*|idle", "node2|main*|mix", "node3|main*|down*", "node9|other|idle", sep=chr(10))
elif name == "sinfo":
    nodes = place / "nodes"
    print(nodes.read_text() if nodes.exists() else "16|64000|main*")
elif name == "sacct" and (place / "accounting").exists():
    print((place / "accounting").read_text())
else:
    sys.exit("Slurm accounting storage is disabled")
"""
# Writes a file of a job as a whole.
WRITE = """
import os, subprocess, sys
def write(file, text):
    part = f"{file}.{os.getpid()}"
    with open(part, "w") as out:
        out.write(text)
    os.replace(part, file)
"""
# Runs the jobs of an array, one after the other.
LAUNCHER = """
for job, index in zip(sys.argv[2::2], sys.argv[3::2]):
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": index}
    with open(index + ".log", "w") as log:
        process = subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], stdout=log, stderr=log, env=environment)
    write(job + ".pid", str(process.pid))
    write(job + ".code", str(process.wait()))
"""
# Runs a job without an array: another start of it has taken its place where the ID is not its own.
SINGLE = """
program, pid = subprocess.Popen(["/bin/sh", "-c", sys.argv[2]]), sys.argv[1] + ".pid"
write(pid, str(program.pid))
code = program.wait()
if os.path.exists(pid) and open(pid).read() == str(program.pid):
    write(sys.argv[1] + ".code", str(code % 256))
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
        (folder / "launch.py").write_text(WRITE + LAUNCHER)
        (folder / "single.py").write_text(WRITE + SINGLE)
        for name in COMMANDS:
            program = self.path / name
            program.write_text(PROGRAM.format(python=sys.executable, place=str(folder)))
            program.chmod(0o755)

    def calls(self) -> list[str]:
        """Return the names of the commands that were called, in their order."""
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []

    def cancelled(self) -> list[str]:
        """Return the IDs that scancel got, sorted."""
        return sorted(file.name.partition(".")[2] for file in self.folder.glob("cancelled.*"))

    def set_state(self, array: int, index: int, state: str) -> None:
        """Let squeue list a job in a state, with a reason after a space; ``UNKNOWN`` for not at all."""
        self.set(f"job.{array}.{index}.state", state)

    def set(self, name: str, text: str = "") -> None:
        """Let the commands behave as the text says.

        All fail (``down``), or scontrol (``silent``) or scancel (``stubborn``) alone; sbatch does not answer once
        (``mute``), refuses with a text (``refusal``) or arrays of more jobs than a number (``most``), waits (``slow``),
        starts no jobs (``hold``) or one after the other (``serial``); sinfo or sacct print a text (``nodes``,
        ``accounting``), scontrol the longest time of a job (``minutes``, of one partition ``minutes.NAME``).
        """
        part = self.folder / f".{name}"
        part.write_text(text)
        part.replace(self.folder / name)

    def unset(self, name: str) -> None:
        """Take back what `set` did."""
        (self.folder / name).unlink()
