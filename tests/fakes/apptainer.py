"""A stand-in for Apptainer: it checks its command line strictly, and runs the worker in place of a container.

It is no container: files that are not mounted are seen nevertheless. Its options, errors and exit codes are those of
Apptainer 1.3.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = """#!{python}
import csv, json, os, sys

place, words = {place!r}, sys.argv[1:]
with open(place + "/calls", "a") as calls:
    calls.write(json.dumps(words) + chr(10))


def fatal(message):
    print("INFO:    Converting SIF file to temporary sandbox...", "FATAL:   " + message, sep=chr(10), file=sys.stderr)
    sys.exit(255)


if os.path.exists(place + "/failure"):
    fatal(open(place + "/failure").read())
if words[0] == "pull":
    _, file, uri = words
    if not uri.startswith("docker://"):
        fatal("unsupported transport " + uri)
    if os.path.exists(file):
        fatal("image file already exists: " + repr(file) + " - will not overwrite")
    if "denied" in uri:
        fatal("While making image from oci registry: error fetching image to cache: authentication required")
    open(file, "w").write(uri)
    sys.exit()
if words[0] != "exec":
    fatal("unknown command " + words[0])
FLAGS = ["--containall", "--cleanenv", "--no-eval", "--no-privs"]
if words[1:5] != FLAGS:
    fatal("expected " + " ".join(FLAGS))
words = words[5:]
for name in ("--home", "--workdir", "--pwd"):
    option, _, folder = words.pop(0).partition("=")
    if option != name or not os.path.isdir(folder) or set(":,") & set(folder):
        fatal("expected " + name + "=FOLDER")
if words[0] == "--net":
    if words[1] != "--network=none":
        fatal("users may have no network but none")
    words = words[2:]
targets = []
while words[0] == "--mount":
    (cells,) = csv.reader([words[1]])
    members = dict(cell.partition("=")[::2] for cell in cells)
    if set(members) - {{"type", "source", "destination", "ro"}} or members["type"] != "bind" or members.get("ro"):
        fatal("unknown option of a mount: " + words[1])
    if not os.path.exists(members["source"]):
        fatal("container creation failed: mount source " + members["source"] + " doesn't exist")
    targets.append([members["destination"], "ro" in members])
    words = words[2:]
image, *command = words
if not os.path.exists(image):
    fatal("could not open image " + image + ": failed to retrieve path for it: lstat: no such file or directory")
if command != ["/opt/genomics-pipeline/bin/python", "-P", "-m", "genomics_pipeline.worker"]:
    print("FATAL:   exec " + command[0] + " failed: no such file or directory", file=sys.stderr)
    sys.exit(255)
prefix = "APPTAINERENV_"
inside = {{name[len(prefix):]: value for name, value in os.environ.items() if name.startswith(prefix)}}
if "HOME" in inside:
    fatal("Overriding HOME environment variable with APPTAINERENV_HOME is not permitted")
own = ("APPTAINER", "SINGULARITY")
others = sorted(name for name in os.environ if name.startswith(own) and not name.startswith(prefix))
seen = {{"image": image, "mounts": targets, "inside": sorted(inside), "outside": others}}
with open(place + "/containers", "a") as log:
    log.write(json.dumps(seen) + chr(10))
steps = {steps!r}
step = next(path for name, path in steps.items() if os.path.basename(image).startswith(name + "-"))
usual = {{"PATH": os.environ["PATH"], "HOME": folder, "GENOMICS_PIPELINE_STEP": step}}
os.execve(sys.executable, [sys.executable, *command[1:]], {{**usual, **inside}})
"""


class FakeApptainer:
    """The program in a folder, which a test puts on ``PATH``.

    Args:
        folder: The folder for it, its calls and its failures.
        steps: The folders of steps by name, whose images it has.
    """

    def __init__(self, folder: Path, steps: Mapping[str, Path]) -> None:
        self.folder, self.path = folder, folder / "bin"
        self.path.mkdir(parents=True)
        program = self.path / "apptainer"
        names = {name: str(path) for name, path in steps.items()}
        program.write_text(PROGRAM.format(python=sys.executable, place=str(folder), steps=names))
        program.chmod(0o755)

    def calls(self, command: str) -> list[list[str]]:
        """Return the arguments of each call of a command."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [words for line in lines if (words := json.loads(line))[0] == command]

    def containers(self) -> list[dict[str, Any]]:
        """Return the image, mounts and variables of each container."""
        file = self.folder / "containers"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def fail(self, message: str) -> None:
        """Let each call fail with a message of Apptainer itself."""
        (self.folder / "failure").write_text(message)
