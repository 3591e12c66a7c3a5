"""VCF files of known variants: contigs from either kind of index, and the columns that are taken."""

from __future__ import annotations

from pathlib import Path

import pysam
import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.annotation_vcf import indexed_contigs, vcf_problems
from genomics_pipeline.stores.local import LocalStore

# As dbSNP's, without lines for contigs.
TEXT = """##fileformat=VCFv4.2
##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">
##INFO=<ID=CLNSIG,Number=.,Type=String,Description="Significance">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO
1	107	rs1	G	T	.	.	AF=0.5
2	107	rs2	G	T	.	.	AF=0.5
"""


def write(path: Path, text: str = TEXT, csi: bool = False) -> str:
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=csi)
    return f"{path}.{'csi' if csi else 'tbi'}"


def problems(path: Path, index: str, columns: str, *contigs: str) -> list[str]:
    found = vcf_problems(str(path), index, columns, LocalStore(), contigs)
    return [str(one).removeprefix(f"{path}:").strip() for one in found]


@pytest.mark.parametrize("csi", [False, True])
def test_contigs_are_those_of_the_index(tmp_path: Path, csi: bool) -> None:
    path = tmp_path / "known.vcf.gz"
    index = write(path, csi=csi)
    assert indexed_contigs(index, LocalStore()) == ["1", "2"]
    assert problems(path, index, "ID,INFO/CLNSIG,gnomad_AF:=AF", "2", "3") == []
    (message,) = problems(path, index, "ID", "chr1", "chr2")
    assert message == (
        "expected contigs of the reference, found '1' and no other; did you mean 'chr1'? "
        "to rename contigs: bcftools annotate --rename-chrs"
    )


def test_columns_that_the_file_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "known.vcf.gz"
    index = write(path)
    assert problems(path, index, "CLNSIC,AF,a b", "1") == [
        "expected columns that the file has, found 'CLNSIC'; did you mean 'CLNSIG'?",
        "expected columns such as ID, CLNSIG or gnomad_AF:=AF between commas, found 'a b'",
    ]


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "known.vcf.gz"
    index = write(path)
    path.write_bytes(b"chr1\t1\t2\n")
    expected = "expected a VCF file compressed with bgzip, whose first line begins with ##fileformat=VCF"
    assert problems(path, index, "ID", "1") == [expected]
    for data in (b"x", b"TBI\x01\0", b"CSI\x01" + b"\0" * 14):
        Path(index).write_bytes(data)
        with pytest.raises(DataError, match="expected an index in TBI or CSI"):
            indexed_contigs(index, LocalStore())
