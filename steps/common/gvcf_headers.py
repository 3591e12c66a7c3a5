"""The headers of gVCFs, each read once and without htslib: those of a human genome have many lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from common.bgzf_parts import open_bgzf
from common.program import BadInput
from common.variants import PLOIDY_KEY

PLOIDY, PATIENT = f"##{PLOIDY_KEY}=", "##SAMPLE="
FIXED_COLUMNS = 9  # before the samples


class GvcfHeader(NamedTuple):
    """The header of a gVCF.

    Attributes:
        path: The path of the gVCF.
        sample: Its sample.
        ploidy: The ploidy that it says its sample has; None where it says none.
        patients: The lines of its samples' patients.
    """

    path: str
    sample: str
    ploidy: str | None
    patients: tuple[str, ...]


def refuse_repeated(headers: Iterable[GvcfHeader]) -> None:
    """Refuse gVCFs of which two hold the same sample.

    Raises:
        BadInput: for the first whose sample another one holds.
    """
    known: dict[str, GvcfHeader] = {}
    for header in headers:
        if (other := known.setdefault(header.sample, header)) is not header:
            expected = "expected a sample that no other file holds"
            raise BadInput(f"{header.path}: {expected}, found {header.sample}, which {other.path} holds too")


def read_header(path: str) -> GvcfHeader:
    """Return the header of a gVCF.

    Raises:
        BadInput: if the file is no gVCF of one sample.
    """
    lines: list[str] = []
    try:
        with open_bgzf(path) as file:
            for line in file:
                lines.append(line.decode())
                if not line.startswith(b"##"):
                    break
    except FileNotFoundError:
        raise BadInput(f"{path}: expected a gVCF, found no such file") from None
    except (OSError, ValueError):
        lines = []
    if not lines or not lines[0].startswith("##fileformat=VCF") or not lines[-1].startswith("#CHROM\t"):
        raise BadInput(f"{path}: expected a gVCF, found one that is cut off or of another kind")
    samples = lines[-1].rstrip("\n").split("\t")[FIXED_COLUMNS:]
    if len(samples) != 1:
        raise BadInput(f"{path}: expected a gVCF of one sample, found {len(samples)} samples")
    ploidy = next((line.removeprefix(PLOIDY).rstrip("\n") for line in lines if line.startswith(PLOIDY)), None)
    patients = tuple(f"{line.rstrip()}\n" for line in lines if line.startswith(PATIENT))
    return GvcfHeader(path, samples[0], ploidy, patients)
