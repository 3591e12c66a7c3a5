"""Bad FASTQ files of the corpus, each of which must end the alignment step with exactly the message beside it.

`fastq` holds NAME.fastq, or NAME_R1.fastq and NAME_R2.fastq, and NAME.expected. Files that are binary or long are
generated here; their NAME.expected is there too.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore
from tests.patience import PATIENCE_S

HERE = Path(__file__).parent
FASTQ = HERE / "fastq"
PROGRAM = HERE.parents[1] / "steps" / "alignment" / "alignment.py"
DECLARED = tomllib.loads(PROGRAM.with_name("step.toml").read_text())
BASES = "ACGTTGCAACGGTCATGCTA"
QUALITIES = "IIIIIIIIII#FFFFFFFFF"


def reads(count: int, qualities: str = QUALITIES) -> bytes:
    return "".join(f"@r{number}\n{BASES}\n+\n{qualities}\n" for number in range(1, count + 1)).encode()


def stored_gzip(data: bytes) -> bytes:
    """Return gzip with stored blocks, whose bytes do not depend on the version of zlib."""
    return gzip.compress(data, compresslevel=0, mtime=0)


def truncated_gzip() -> bytes:
    return stored_gzip(reads(500))[:-1000]


def damaged_gzip() -> bytes:
    data = bytearray(stored_gzip(reads(500)))
    data[10] = 0xFF  # the first block's header: no such type of block
    return bytes(data)


def damaged_content() -> bytes:
    data = bytearray(stored_gzip(reads(500)))
    data[-4000] ^= 0x01
    return bytes(data)


# Name -> bytes of R1, and of R2 if there is one.
GENERATED: dict[str, Callable[[], tuple[bytes, ...]]] = {
    "7z_archive": lambda: (b"7z\xbc\xaf\x27\x1c\0\x04",),
    "bam_in_gzip": lambda: (stored_gzip(b"BAM\x01\x10\0\0\0@HD\tVN:1.6\n"),),
    "bzip2": lambda: (bz2.compress(reads(2)),),
    "damaged_content": lambda: (damaged_content(),),
    "damaged_gzip": lambda: (damaged_gzip(),),
    "empty_gzip": lambda: (stored_gzip(b""),),
    "garbage": lambda: (Random(1).randbytes(2000),),
    "interleaved_across_batches": lambda: (reads(1000) + reads(1000)[-len(reads(1)) - 3 :],),
    "line_too_long": lambda: (gzip.compress(bytes(12 << 20)),),
    "line_too_long_in_third_record": lambda: (gzip.compress(reads(2) + b"@r3 " + b"A" * (9 << 20) + b"\n"),),
    "phred64": lambda: (reads(1200, "hhhhhhhhhhgggffedcBB"),),
    "phred64_behind_bad_reads": lambda: (reads(1500, "B" * 20) + reads(10, "hhhhhhhhhhgggffedcBB"),),
    "r2_truncated_gzip": lambda: (stored_gzip(reads(500)), truncated_gzip()),
    "truncated_gzip": lambda: (truncated_gzip(),),
    "xz": lambda: (lzma.compress(reads(2)),),
    "zip_archive": lambda: (b"PK\x03\x04\x14\0\0\0\x08\0reads.fastq",),
    "zstd_of_pzstd": lambda: (b"\x50\x2a\x4d\x18\x04\0\0\0\x38\x02\0\0\x28\xb5\x2f\xfd\x24\0",),
    "zstd": lambda: (b"\x28\xb5\x2f\xfd\x24\0",),
}


def case_names() -> list[str]:
    return sorted({file.stem.removesuffix("_R1").removesuffix("_R2") for file in FASTQ.glob("*.fastq")})


def write_case(name: str, folder: Path) -> list[Path]:
    """Write the case's files into a folder, `.gz` where it is gzip, and return them."""
    if name in GENERATED:
        files = []
        for number, data in enumerate(GENERATED[name](), 1):
            ending = ".fastq.gz" if data.startswith(b"\x1f\x8b") else ".fastq"
            files.append(folder / f"{name}_R{number}{ending}")
            files[-1].write_bytes(data)
        return files
    sources = sorted(FASTQ.glob(f"{name}.fastq")) or sorted(FASTQ.glob(f"{name}_R[12].fastq"))
    return [Path(shutil.copy(file, folder)) for file in sources]


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fasta = tmp_path_factory.mktemp("reference") / "tiny.fa"
    fasta.write_text(">chr1\n" + "".join(Random(1).choices("ACGT", k=2000)) + "\n")
    return prepare(str(fasta), ["fai", "bwa", "minibwa"], LocalStore(), fasta.parent / "cache")


@pytest.mark.parametrize("name", sorted([*case_names(), *GENERATED]))
def test_fastq(name: str, reference: Path, tmp_path: Path) -> None:
    files = [str(path) for path in write_case(name, tmp_path)]
    task = {
        "step": "alignment",
        "version": "1",
        "item": {"sample": "a"},
        "inputs": {
            "reads": [{"lane": "L001", "fastq_1": files[0], "fastq_2": files[1] if len(files) == 2 else None}],
            "reference": str(reference),
        },
        "outputs": {name: str(tmp_path / f"a.{name}") for name in DECLARED["outputs"]},
        "parameters": {name: one.get("default") for name, one in DECLARED["parameters"].items()},
        "vcpus": 1,
        "memory_mib": 512,
        "scratch": str(tmp_path),
        "versions": str(tmp_path / "versions.json"),
    }
    (tmp_path / "task.json").write_text(json.dumps(task))
    process = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path / "task.json")], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert process.stderr.replace(f"{tmp_path}/", "") == (FASTQ / f"{name}.expected").read_text("utf-8")
    assert (process.returncode, process.stdout) == (65, "")


def test_every_fastq_has_its_message_and_every_message_its_fastq() -> None:
    assert not set(case_names()) & set(GENERATED)
    assert sorted([*case_names(), *GENERATED]) == sorted(file.stem for file in FASTQ.glob("*.expected"))
    assert len(case_names()) + len(GENERATED) >= 50
