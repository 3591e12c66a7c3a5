"""Files that mean something are written through `stores/publish.py` only: whole, on disk, and not through links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import genomics_pipeline

PACKAGE = Path(genomics_pipeline.__file__).parent
PRIMITIVE = {f"stores/{name}.py" for name in ("publish", "durable", "open_folder", "temporary_file")}
WRITING = re.compile(r"O_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC)")
METHODS = {"rename", "write_bytes", "write_text", "touch", "symlink_to", "hardlink_to", "mkdir"}
FUNCTIONS = {
    "os": {"rename", "renames", "replace", "link", "symlink", "truncate", "mkdir", "makedirs", "mkfifo"},
    "shutil": {"copy", "copy2", "copyfile", "copytree", "move"},
}
TEMPORARY = {  # in a folder that is removed, or that takes its place as a whole
    "engine/distributed_map/result_writer.py": {"self._part.open"},
    "engine/row_file.py": {"os.link", "path.open"},
    "planning/counting.py": {
        "(bucket / file).write_text",
        "(bucket / key).parent.mkdir",
        "(bucket / key).write_text",
        "(root / _BUCKET).mkdir",
    },
    "reference/build.py": {"link.symlink_to"},
    "reference/build_process.py": {"Path(fasta).with_name(MESSAGES).write_text"},
    "reference/copies.py": {"fetched.mkdir", "part.open", "target.open", "copy.open"},
    "reference/place_indexes.py": {
        "link.symlink_to",
        "target.symlink_to",
        "(folder / f'{fasta.name}.fai').symlink_to",
        "fetched.mkdir",
    },
    "runs/aws/items.py": {"file.open", "part.open"},
    "runs/aws/records/submit.py": {"file.open"},
    "runs/aws/reference.py": {"link.symlink_to"},
    "runs/aws/submit.py": {
        "(folder / run_layout.DEFINITION).write_text",
        "(folder / run_layout.INPUT).write_text",
        "(folder / run_layout.RECORD).write_bytes",
    },
    "runs/containers/images.py": {"shutil.copytree", "target.parent.mkdir", "shutil.copy"},
    "runs/containers/jobs.py": {"scratch.mkdir", "(scratch / run_layout.TASK).write_text"},
    "runs/slurm/array_job.py": {"scratch.mkdir"},
    "runs/faults/injector.py": {"self._run.scratch.mkdir"},
    "runs/faults/truncated_fastq.py": {"copy.open"},
    "simulation/cohort.py": {
        "(part / 'fastq').mkdir",
        "(part / 'cohort.csv').write_text",
        "(part / PLOIDY_FILE).write_text",
    },
    "simulation/reads.py": {"path.open"},
    "simulation/transactions/folder.py": {
        "made.mkdir",
        "(part / PROFILES).write_bytes",
        "(into / f'{one.number:06d}.jsonl').write_bytes",
        "(part / TRUTH).write_bytes",
        "file.rename",  # of a complete file of a simulation
    },
    "simulation/truth.py": {"plain.write_text"},
    "stores/routed.py": {"copy.open"},
    "stores/new_file.py": {"path.open"},
    "worker/excerpt.py": {"path.open"},
    "worker/inputs.py": {"folder.mkdir"},
    "worker/lambda_parameters.py": {"folder.mkdir"},
    "worker/function_files.py": {"parent.mkdir", "folder.mkdir"},
    "worker/item_task.py": {"folder.mkdir", "(self.folder / folder_name).mkdir", "file.write_text"},
    "worker/program_log.py": {"log.parent.mkdir", "log.touch", "log.write_bytes"},
    "worker/process.py": {"log.open"},
    "worker/rights.py": {"file.write_text"},
    "worker/run.py": {"log.write_text"},
    "worker/scratch.py": {"scratch.mkdir", "folder.mkdir"},
    "worker/usage_file.py": {"self._path.write_text"},
}
STREAMS_AND_MARKS = {  # without content that is relied on
    "engine/history.py": {"self._path.open"},
    "reference/cache.py": {"cache.mkdir"},
    "reference/checked.py": {"folder.mkdir"},
    "runs/containers/function_containers.py": {"log.open"},
    "runs/functions/process.py": {"log.open"},
    "runs/run_lock.py": {"os.open"},
    "worker/ranged.py": {"Path(os.devnull).open"},
    "worker/reopen.py": {"Path(os.devnull).open"},
    "worker/streams.py": {"os.mkfifo", "os.open"},
    "worker/verified.py": {"name.parent.mkdir", "os.open"},
}


def writes(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the function of each call that writes or renames a file, or makes a folder."""
    tree = ast.parse(source)
    names = imported(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = ast.unparse(node.func)
        head, _, last = function.rpartition(".")
        module, _, name = names.get(function, function).rpartition(".")
        is_write = (
            (head and last in METHODS and head not in ("os", "shutil"))
            or name in FUNCTIONS.get(module, ())
            or (head and last == "replace" and len(node.args) == 1 and not node.keywords)  # not that of a text
            or (last == "open" and head != "os" and any(map(is_mode_to_write, arguments(node))))
            or (function == "os.open" and WRITING.search(ast.unparse(node)))
        )
        if is_write:
            yield node.lineno, function


def imported(tree: ast.AST) -> dict[str, str]:
    """Return the functions that a module imports from `os` and `shutil`, by the names it gives them."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module in FUNCTIONS]
    return {each.asname or each.name: f"{node.module}.{each.name}" for node in imports for each in node.names}


def arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(each.value for each in call.keywords)]


def is_mode_to_write(argument: ast.expr) -> bool:
    """Return whether an argument of a function that opens a file is a mode such as ``wb``."""
    return isinstance(argument, ast.Constant) and bool(re.fullmatch(r"r?b?t?[wax+]b?t?[+]?", str(argument.value)))


def test_nothing_else_writes_files() -> None:
    written: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if name not in PRIMITIVE and (functions := {function for _, function in writes(path.read_text())}):
            written[name] = functions
    assert written == TEMPORARY | STREAMS_AND_MARKS


@pytest.mark.parametrize(
    "planted",
    [
        "part.replace(path)",
        "part.rename(path)",
        "os.replace(part, path)",
        "os.rename(part, path)",
        "from os import replace\nreplace(part, path)",
        "from os import rename as move\nmove(part, path)",
        "from shutil import move as put\nput(part, path)",
        "shutil.move(part, path)",
        "shutil.copyfile(source, path)",
        "(folder / name).write_text(text)",
        "path.write_bytes(data)",
        "out = path.open('wb')",
        "out = path.open(mode='w')",
        "with open(path, 'a') as out: ...",
        "with open(path, mode='x') as out: ...",
        "with gzip.open(path, 'wt') as out: ...",
        "with path.open('r+b') as out: ...",
        "file = os.open(path, os.O_WRONLY)",
        "os.truncate(path, 0)",
        "link.symlink_to(path)",
        "folder.mkdir(parents=True)",
        "os.makedirs(folder)",
    ],
)
def test_a_planted_write_is_found(planted: str) -> None:
    assert len(list(writes(planted))) == 1


@pytest.mark.parametrize(
    "harmless",
    [
        "text = text.replace('a', 'b')",
        "sample = replace(sample, name='b')",
        "time = time.replace(tzinfo=UTC)",
        "with path.open() as lines: ...",
        "with path.open('rb') as lines: ...",
        "with open(path) as lines: ...",
        "with store.open(uri) as stream: ...",
        "shutil.copyfileobj(source, out)",
        "publish_bytes(path, data)",
        "store.write(uri, data)",
    ],
)
def test_other_calls_are_accepted(harmless: str) -> None:
    assert list(writes(harmless)) == []
