"""Small steps, pipelines and samples in a folder, in the form of a user's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

READS = "@r\nACGT\n+\nIIII\n"
REFERENCE = ">chr1\nACGTACGTAC\n"

# A step that writes its reads to each of its outputs, with an index beside it. Before that it runs the Python of its
# parameter `program`, which sees the names of this program.
COPY = """
import json, os, signal, sys
task = json.load(open(sys.argv[1]))
reads, reference = task["inputs"]["reads"][0]["fastq_1"], task["inputs"].get("reference")
parameters, outputs = task["parameters"], task["outputs"]
panel, text, endings = parameters["panel"], open(reads).read(), ["", ".idx"]
print("working on", task["item"]["sample"], flush=True)
exec(parameters["program"])
for path in outputs.values():
    for ending in endings:
        open(path + ending, "w").write(text)
"""
COPY_DECLARATIONS = """
[inputs.reads]
type = "reads"
[outputs.copy]
path = "{sample}.{ending}"
indexes = ["idx"]
[parameters.ending]
type = "string"
summary = "Ending of the copy"
default = "txt"
[parameters.panel]
type = "file"
summary = "A file"
[parameters.program]
type = "string"
summary = "Python that the program runs after it has read"
default = "pass"
"""
TORN = "if 'torn' in text: raise SystemExit('it is torn')"  # a value of `program` for a sample of such reads


def named_reads(name: str) -> str:
    """Return a FASTQ file of one read of that name."""
    return READS.replace("@r", f"@{name}")


def task_json(step: str, items: Sequence[Mapping[str, Any]], **members: object) -> dict[str, Any]:
    """Return the payload of a task of scope `sample` in the bucket RUN, of a step without inputs and outputs.

    Args:
        step: The step's name, and by default the stage's.
        items: The items, such as those of `single_lane`.
        members: Members that differ.
    """
    return {
        "stage": step,
        "step": step,
        "scope": "sample",
        "run": {"name": "r", "bucket": "RUN", "prefix": ""},
        "reference": "",
        "parameters": {},
        "inputs": {},
        "publish": {},
        "items": list(items),
        "upstream": {},
        **members,
    }


def single_lane(sample: str, fastq: Path) -> dict[str, Any]:
    """Return the item of a sample with one file of single reads."""
    return {"sample": sample, "lanes": [{"lane": "1", "fastq_1": str(fastq), "fastq_2": None}]}


def write_step(folder: Path, name: str, program: str, declarations: str, version: str = "1") -> Path:
    """Write the folder of a step that is a Python program.

    Args:
        folder: The parent of the step's folder.
        name: The step's name.
        program: The text of the program; ``sys.argv[1]`` is the path of ``task.json``.
        declarations: The tables of ``step.toml``: inputs, outputs and others.
        version: The step's version.

    Returns:
        The step's folder.
    """
    step = folder / name
    step.mkdir(parents=True, exist_ok=True)
    head = f'name = "{name}"\nversion = "{version}"\nsummary = "A step of a test"\n'
    command = f'command = ["{{python}}", "{{step_dir}}/{name}.py", "{{task}}"]\n'
    (step / "step.toml").write_text(head + command + declarations)
    (step / f"{name}.py").write_text(program)
    return step


def stage_toml(name: str, step: str, publish: str, inputs: Mapping[str, str], scope: str = "sample") -> str:
    """Return a stage of a pipeline's file; `inputs` gives the source of each input.

    >>> print(stage_toml("counting", "./count", "counts", {"reads": "sample.reads"}), end="")
    [[stages]]
    name = "counting"
    step = "./count"
    scope = "sample"
    inputs = { reads = "sample.reads" }
    publish = "counts"
    """
    sources = ", ".join(f'{name} = "{source}"' for name, source in inputs.items())
    fields = {"name": name, "step": step, "scope": scope}
    head = "".join(f'{key} = "{value}"\n' for key, value in fields.items())
    return f'[[stages]]\n{head}inputs = {{ {sources} }}\npublish = "{publish}"\n'


class SmallProject:
    """A folder with small steps, one pipeline of them, a reference, and samples.

    Attributes:
        folder: The folder.
        run: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "run"
        (folder / "reference.fa").write_text(REFERENCE)

    def step(self, name: str, program: str, declarations: str) -> Path:
        """Write a step, as `write_step` does."""
        return write_step(self.folder, name, program, declarations)

    def pipeline(self, *stages: str, settings: str = "tolerated_failure_percentage = 100") -> Path:
        """Write the pipeline: its stages, and the settings of its map over samples."""
        head = f'name = "small"\nsummary = "A pipeline of a test"\n[maps.sample]\n{settings}\n'
        file = self.folder / "pipeline.toml"
        file.write_text(head + "".join(stages))
        return file

    def samples(self, reads: Mapping[str, str], ending: str = "fastq") -> Path:
        """Write a FASTQ file for each sample and the sample sheet, and return the sheet's path."""
        for name, text in reads.items():
            (self.folder / f"{name}.{ending}").write_text(text)
        return self.sheet({name: f"{name}.{ending}" for name in reads})

    def sheet(self, files: Mapping[str, str]) -> Path:
        """Write the sample sheet, with a FASTQ file for each sample."""
        file = self.folder / "sheet.csv"
        file.write_text("sample,fastq_1\n" + "".join(f"{name},{path}\n" for name, path in files.items()))
        return file

    def arguments(self, *options: str | Path) -> list[str]:
        """Return the arguments of `genomics-pipeline` for a run of all samples."""
        files = {"--reference": "reference.fa", "--out": "run", "--pipeline": "pipeline.toml"}
        paths = [text for option, name in files.items() for text in (option, str(self.folder / name))]
        return ["run", str(self.folder / "sheet.csv"), *paths, *map(str, options)]
