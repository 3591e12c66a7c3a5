"""The alignment step compared with the shell pipeline that it replaces, with equal threads, on a full-size contig.

The step writes the output of ``samtools stats`` and further files of quality control, which the pipeline,
``bwa mem | samtools fixmate | sort | markdup``, does not; so it also runs without the further files. All three run in
turns in one session, and another one begins each turn, since the one that follows the shell pipeline takes longer for
that: ratios are medians over the turns, and memory is measured in a separate turn. They run with the real reads of
100 kb, a second of work of which start-up is a large part, and with simulated reads of the whole contig, for which the
goals are. bwa and samtools must be on the PATH.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from benchmarks.measure import Measurement, measure
from genomics_pipeline.simulation.reads import write_reads

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "na12878-chr20-hg19-100kb"
CONTIG_BP = 63_025_520  # chr20 of hg19
SIMULATED_PAIRS = 277_334
ROUNDS = 6  # a multiple of the number of commands, so that each begins equally often
PARAMETERS = {"mark_supplementary": False}  # as `samtools markdup` by default
SHELL = """set -euo pipefail
bwa mem -t "$THREADS" -R "@RG\\tID:a\\tSM:NA12878" "$REFERENCE" "$FIRST" "$SECOND" 2> /dev/null \
  | samtools fixmate -m -u - - | samtools sort -u -@ "$THREADS" - 2> /dev/null \
  | samtools markdup -@ "$THREADS" --write-index - "$OUT##idx##$OUT.bai"
"""


def missing_tools() -> list[str]:
    """Return the tools and data that this machine lacks."""
    tools = [tool for tool in ("bwa", "samtools") if shutil.which(tool) is None]
    return tools + ([] if DATA.is_dir() else [str(DATA)])


def write_reference(folder: Path) -> Path:
    """Write a contig of chr20's length around the real 100 kb, and index it."""
    with gzip.open(DATA / "reference.fa.gz", "rt") as file:
        real = "".join(line.strip() for line in file if not line.startswith(">"))
    rng = random.Random(20)
    half = (CONTIG_BP - len(real)) // 2
    flanks = ["".join(rng.choices("ACGT", k=half)) for _ in range(2)]
    fasta = folder / "chr20.fa"
    sequence = flanks[0] + real + flanks[1]
    with fasta.open("w") as out:
        out.write(">chr20\n")
        out.writelines(sequence[start : start + 60] + "\n" for start in range(0, len(sequence), 60))
    from genomics_pipeline.cli.adapters import object_store
    from genomics_pipeline.reference.prepare import prepare

    return prepare(str(fasta), ["fai", "bwa", "minibwa"], object_store(), fasta.parent / "cache")


def simulated_reads(reference: Path, folder: Path) -> list[str]:
    """Write reads of a haplotype of the whole contig, one base in 1,000 another one; return the two FASTQ files."""
    rng = random.Random(21)
    haplotype = bytearray(b"".join(reference.read_bytes().splitlines()[1:]))
    for place in range(0, len(haplotype), 1000):
        haplotype[place] = rng.choice(b"ACGT")
    paths = folder / "simulated_R1.fastq.gz", folder / "simulated_R2.fastq.gz"
    write_reads([paths], [haplotype.decode()], SIMULATED_PAIRS, rng, run=1)
    return [str(path) for path in paths]


def measure_step(reference: Path, folder: Path, files: list[str], threads: int, memory: bool) -> Measurement:
    """Measure the step's command."""
    return measure_program(ROOT / "steps" / "alignment" / "alignment.py", reference, folder, files, threads, memory)


def measure_without_quality(reference: Path, folder: Path, files: list[str], threads: int, memory: bool) -> Measurement:
    """Measure the step's command without further quality control."""
    program = Path(__file__).with_name("alignment_without_quality.py")
    return measure_program(program, reference, folder, files, threads, memory)


def measure_program(
    program: Path, reference: Path, folder: Path, files: list[str], threads: int, memory: bool
) -> Measurement:
    """Measure the step's command with a program in the place of its own."""
    step = ROOT / "steps" / "alignment"
    declared = tomllib.loads((step / "step.toml").read_text())
    names = {"sample": "ours", "format": "bam"}
    task = {
        "step": "alignment",
        "version": declared["version"],
        "item": {"sample": "NA12878"},
        "inputs": {
            "reads": [{"lane": "L001", "fastq_1": files[0], "fastq_2": files[1]}],
            "reference": str(reference),
        },
        "outputs": {name: str(folder / one["path"].format(**names)) for name, one in declared["outputs"].items()},
        "parameters": {**{name: one.get("default") for name, one in declared["parameters"].items()}, **PARAMETERS},
        "vcpus": threads,
        "memory_mib": 4096,
        "scratch": str(folder),
        "versions": str(folder / "versions.json"),
    }
    (folder / "task.json").write_text(json.dumps(task))
    words = {"{python}": sys.executable, "{step_dir}/alignment.py": str(program), "{task}": str(folder / "task.json")}
    argv = [words.get(word, word) for word in declared["command"]]
    return measure(argv, env=os.environ, cwd=folder, memory=memory)


def measure_shell(reference: Path, folder: Path, files: list[str], threads: int, memory: bool) -> Measurement:
    """Measure the shell pipeline."""
    names = {"THREADS": str(threads), "REFERENCE": str(reference), "FIRST": files[0], "SECOND": files[1]}
    environment = {**os.environ, **names, "OUT": str(folder / "shell.bam")}
    return measure(["bash", "-c", SHELL], env=environment, cwd=folder, memory=memory)


def measure_turn(reference: Path, folder: Path, files: list[str], threads: int, number: int) -> tuple[Measurement, ...]:
    """Measure each command once, beginning with another one in each turn; memory in the first turn, number 0."""
    columns = [(number + place) % len(COMMANDS) for place in range(len(COMMANDS))]
    measured = {column: COMMANDS[column][0](reference, folder, files, threads, number == 0) for column in columns}
    return tuple(measured[column] for column in range(len(COMMANDS)))


def counts(bam: Path) -> str:
    """Return the numbers of reads and proper pairs, to compare the results of both."""
    numbers = [subprocess.check_output(["samtools", "view", "-c", "-f", flag, bam], text=True) for flag in ("0", "2")]
    return "{} reads, {} properly paired".format(*(count.strip() for count in numbers))


def compare(reference: Path, folder: Path, name: str, files: list[str]) -> None:
    """Print the measurements of one pair of FASTQ files."""
    threads = os.cpu_count() or 1
    memory_turn, *turns = [measure_turn(reference, folder, files, threads, number) for number in range(ROUNDS + 1)]
    print(f"{name} reads, {threads} threads")
    for column, (_, program, bam) in enumerate(COMMANDS):
        seconds = statistics.median(turn[column].seconds for turn in turns)
        peak = memory_turn[column].peak_mib
        print(f"  {program:22}  {seconds:6.2f} s  peak {peak:6.0f} MiB  {counts(folder / bam)}")
    bare, whole = (statistics.median(turn[column].seconds / turn[-1].seconds for turn in turns) for column in (0, 1))
    print(f"  ratio to the shell      {bare:.2f}")
    print(f"  with further control    {whole:.2f}")


COMMANDS = (
    (measure_without_quality, "step, stats only", "ours.md.bam"),
    (measure_step, "alignment step", "ours.md.bam"),
    (measure_shell, "bwa | samtools", "shell.bam"),
)


def main() -> None:
    """Print the ratios."""
    if missing := missing_tools():
        print(f"SKIPPED alignment: not on this machine: {', '.join(missing)}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = write_reference(folder)
        compare(reference, folder, "real", [str(DATA / f"NA12878_R{mate}.fastq.gz") for mate in (1, 2)])
        compare(reference, folder, "simulated", simulated_reads(reference, folder))
        print("goals for the simulated reads: at most 0.50, and 0.10 more with further control")


if __name__ == "__main__":
    main()
