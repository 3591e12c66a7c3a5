"""The program that checks a node before the first job of a run: Python, this package, folders and the clock.

Slurm starts it in the folder of the check, below the run. Its answer is a file of that folder.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir

from genomics_pipeline import __version__
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.records.fields import Fields, RecordKind
from genomics_pipeline.stores.publish import publish_bytes

REQUEST = "request.json"
KIND = RecordKind("a file of a check of a node", "repeat the command of the run with --resume")
MOST_SKEW_S = 60.0
JOB_ID, NODE = "SLURM_JOB_ID", "SLURMD_NODENAME"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The facts about the head of a run that its jobs need on a node, too.

    Attributes:
        python: The version of Python.
        package: The version and the digest of this package.
        files: Files and folders that jobs read, with the sizes of files; 0 for folders.
        folders: Folders that jobs write to.
        scratch: The folder for temporary files; empty for that of the node.
        clock_s: The clock of the head, less that of the file system.
    """

    python: str
    package: str
    files: Sequence[tuple[str, int]]
    folders: Sequence[str]
    scratch: str
    clock_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The facts about a node.

    Attributes:
        node: Its name.
        problems: What is wrong.
        scratch: The folder for temporary files.
        free_gib: The space that is left there.
    """

    node: str
    problems: Sequence[str]
    scratch: str
    free_gib: int


def package_words() -> str:
    """Return the version of this package, and a digest of its modules."""
    digest, folder = hashlib.sha256(), Path(__file__).parents[2]
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return f"{__version__} ({digest.hexdigest()[:12]})"


def clock_s(folder: Path) -> float:
    """Return the clock of this machine, less that of the file system of a folder."""
    with NamedTemporaryFile(dir=folder) as file:
        return time.time() - os.fstat(file.fileno()).st_mtime


def write_expectation(file: Path, expected: Expectation, root: Path) -> None:
    """Write the request of a check.

    Args:
        file: The file.
        expected: What is expected.
        root: The folder of the run.
    """
    publish_bytes(file, compact(asdict(expected)).encode(), root)


def _read_expectation(file: Path) -> Expectation:
    fields = Fields(str(file), KIND, parse_json(file.read_bytes()))
    return Expectation(
        python=fields.text("python"),
        package=fields.text("package"),
        files=[(str(path), int(size)) for path, size in fields.members["files"]],
        folders=fields.texts("folders"),
        scratch=fields.text("scratch"),
        clock_s=fields.number("clock_s"),
    )


def answer_file(folder: Path, job_id: str) -> Path:
    """Return the file with the answer of a job."""
    return folder / f"answer-{job_id}.json"


def read_answer(file: Path) -> Answer | None:
    """Read an answer; None while there is none.

    Raises:
        UnreadableRecord: for another form.
    """
    if not file.exists():
        return None
    fields = Fields(str(file), KIND, parse_json(file.read_bytes()))
    return Answer(fields.text("node"), fields.texts("problems"), fields.text("scratch"), fields.integer("free_gib", 0))


def find_problems(expected: Expectation, here: Path, scratch: Path) -> Iterator[str]:
    """Yield what is wrong with this machine.

    Args:
        expected: What is expected of it.
        here: A folder of the run.
        scratch: The folder for temporary files.
    """
    for name, found, wanted in (
        ("Python", platform.python_version(), expected.python),
        ("genomics-pipeline", package_words(), expected.package),
    ):
        if found != wanted:
            yield f"expected {name} {wanted}, as the head has it, found {found} in {sys.prefix}"
    for path, size in expected.files:
        yield from _file_problems(Path(path), size)
    for folder in (*expected.folders, str(scratch)):
        try:
            with NamedTemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield f"{folder}: expected a folder that can be written to: {error.strerror}"
    skew = clock_s(here) - expected.clock_s
    if abs(skew) > MOST_SKEW_S:
        ahead = "ahead of" if skew > 0 else "behind"
        yield f"expected the clock of the head, found one that is {abs(skew):,.0f} s {ahead} it; ask the administrator"


def _file_problems(path: Path, size: int) -> Iterator[str]:
    try:
        found = path.stat().st_size if size else 0
    except OSError as error:
        yield f"{path}: expected it on a file system that all nodes have: {error.strerror}"
        return
    if found != size:
        yield f"{path}: expected {size:,} bytes, as the head sees it, found {found:,}: is it the same file system?"
    elif not os.access(path, os.R_OK):
        yield f"{path}: expected it to be readable"


def run() -> int:
    """Check this node, and write the answer."""
    here = Path.cwd()
    expected = _read_expectation(here / REQUEST)
    scratch = Path(expected.scratch or gettempdir())
    problems = list(find_problems(expected, here, scratch))
    disk = os.statvfs(scratch if scratch.exists() else here)
    free_gib = disk.f_bavail * disk.f_frsize >> 30
    node = os.environ.get(NODE) or os.uname().nodename
    found = Answer(node, problems, str(scratch), free_gib)
    publish_bytes(answer_file(here, os.environ[JOB_ID]), compact(asdict(found)).encode())
    return 0


if __name__ == "__main__":
    sys.exit(run())
