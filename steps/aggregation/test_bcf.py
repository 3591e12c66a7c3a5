"""BCF that bcftools reads and writes, and alleles as `bcftools norm` leaves them."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bcf import BcfReader, BcfWriter, CalledRecord, NewRecord, smallest
from gvcf_records import Allele, Place, has_deletion, normal_form, site_of, without_common_end

SAMPLES = 3
HEADER = f"""##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##INFO=<ID=INDEL,Number=0,Type=Flag,Description="a flag">
##INFO=<ID=DP,Number=1,Type=Integer,Description="a number">
##INFO=<ID=QS,Number=R,Type=Float,Description="real numbers">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="numbers, with , and > in their description">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="of the same name as an INFO field">
##FORMAT=<ID=SP,Number=1,Type=Integer,Description="sometimes missing">
##contig=<ID=c1,length=3000>
##contig=<ID=c2,length=900>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{chr(9).join(f"S{number}" for number in range(SAMPLES))}
"""


def random_fields(rng: random.Random, pos: int) -> NewRecord:
    """Return a record with values of all sizes."""
    alleles = [rng.choice("ACGT") * length for length in rng.sample(range(1, 20), rng.randrange(2, 8))]
    largest = rng.choice([100, 127, 128, 30_000, 32_768, 1 << 30])
    genotypes = len(alleles) * (len(alleles) + 1) // 2
    phred, depth, bias = (
        smallest(np.array([[rng.randrange(largest) for _ in range(size)] for _ in range(SAMPLES)]))
        for size in (genotypes, 1, 1)
    )
    bias[rng.randrange(SAMPLES)] = np.iinfo(bias.dtype).min
    shares = [rng.random() * 10 ** rng.randrange(-7, 9) for _ in alleles]
    info: dict[str, bool | int | Sequence[float]] = {"INDEL": True} if rng.random() < 0.5 else {}
    info |= {"DP": rng.choice([0, 119, 120, 127, 128, 40_000, 1 << 30]), "QS": shares}
    return NewRecord(rng.choice(["c1", "c2"]), pos, ".", alleles, info, {"PL": phred, "DP": depth, "SP": bias})


def text_of(record: CalledRecord) -> str:
    """Return a record that was read as a line of a VCF."""
    info = ";".join(name if value is None else f"{name}={value}" for name, value in record.info.items())
    columns = [
        ":".join(
            ",".join("." if one == np.iinfo(values.dtype).min else str(one) for one in values[sample].tolist())
            for values in record.samples.values()
        )
        for sample in range(SAMPLES)
    ]
    ref, *alts = record.alleles
    place = f"{record.contig}\t{record.pos}\t.\t{ref}\t{','.join(alts)}\t{record.qual}\t."
    return "\t".join([place, info, ":".join(record.samples), *columns]) + "\n"


def view(path: Path, kind: str) -> bytes:
    """Return a file as `bcftools view` writes it."""
    out = path.with_suffix(f".{kind}")
    pysam.bcftools.view("--no-version", f"-O{kind}", "-o", str(out), str(path), catch_stdout=False)
    return out.read_bytes()


def test_records_are_those_that_bcftools_reads_and_writes(tmp_path: Path) -> None:
    rng = random.Random(7)
    written = [random_fields(rng, pos) for pos in range(1, 200)]
    path = tmp_path / "x.bcf"
    with path.open("wb") as out:
        writer = BcfWriter(out, HEADER)
        for fields in written:
            writer.write(fields)
    lines = view(path, "v").decode().splitlines(keepends=True)
    reader = BcfReader(io.BytesIO(view(path, "u")))
    found = list(reader)
    assert "".join(reader.header) == "".join(line for line in lines if line.startswith("#"))
    assert [text_of(one) for one in found] == [line for line in lines if not line.startswith("#")]
    assert [one.alleles for one in found] == [tuple(one.alleles) for one in written]
    for one, other in zip(found, written, strict=True):
        assert {name: values.tolist() for name, values in one.samples.items()} == {
            name: values.tolist() for name, values in other.samples.items()
        }


def test_numbers_are_shown_as_htslib_shows_them(tmp_path: Path) -> None:
    rng = random.Random(8)
    header = pysam.VariantHeader()
    header.add_line("##contig=<ID=c,length=9>")
    quals = [rng.randrange(1 << 24) / (1 << rng.randrange(34)) for _ in range(3000)]  # with ties at the sixth digit
    path = tmp_path / "x.bcf"
    with pysam.VariantFile(str(path), "w", header=header) as out:
        for qual in (*quals, None):
            out.write(header.new_record("c", 1, 2, ("A", "C"), qual=qual))
    lines = view(path, "v").decode().splitlines()
    found = [one.qual for one in BcfReader(io.BytesIO(view(path, "u")))]
    assert found == [line.split("\t")[5] for line in lines if not line.startswith("#")]


def test_a_file_ends_where_the_program_that_writes_it_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "x.bcf"
    with path.open("wb") as out:
        writer = BcfWriter(out, HEADER)
        for pos in range(1, 500):
            writer.write(random_fields(random.Random(pos), pos))
    data = view(path, "u")
    read = [
        len(list(BcfReader(io.BytesIO(data[:size])))) for size in (*range(40), *range(99, len(data), 9973), len(data))
    ]
    assert read[:40] == [0] * 40
    assert read == sorted(read)
    assert len(set(read)) > 2
    assert read[-1] == 499


def test_a_number_that_bcf_cannot_hold_is_refused() -> None:
    fields = NewRecord("c1", 1, ".", ["A", "C"], {"DP": 1 << 31}, {"DP": np.zeros((SAMPLES, 1), dtype="<i1")})
    with pytest.raises(OverflowError, match="expected an integer of 32 bits, found 2147483648"):
        BcfWriter(io.BytesIO(), HEADER).write(fields)


def test_alleles_of_which_some_are_left_out_are_as_bcftools_norm_leaves_them(tmp_path: Path) -> None:
    rng = random.Random(9)
    bases = (
        "AAAAAA" + "".join(rng.choices("AC", k=300)) + "A" * 20 + "CACACACACACA" + "".join(rng.choices("ACGT", k=300))
    )
    reference = tmp_path / "reference.fa"
    reference.write_text(f">c\n{bases}\n")
    pysam.faidx(str(reference))
    places: dict[Place, set[Allele]] = {}
    for _ in range(4000):
        start = rng.randrange(1, len(bases) - 12)
        ref = bases[start - 1 : start - 1 + rng.randrange(1, 7)]
        alt = rng.choice([ref[0], ref[:2], ref + ref, ref[0] + "".join(rng.choices("AC", k=3)) + ref[1:]])
        if alt != ref:
            pos, allele = normal_form("c", start, Allele(ref, alt), lambda _, pos: bases[pos - 1])
            places.setdefault(Place("c", pos, True), set()).add(allele)
    kept = []
    for place in sorted(places):
        site = site_of(place, places[place])
        alts = rng.sample(site.alts, rng.randrange(1, len(site.alts) + 1))
        kept.append((place.pos, (site.ref, *sorted(alts, key=site.alts.index))))
    header = (
        f"##fileformat=VCFv4.2\n##contig=<ID=c,length={len(bases)}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    )
    lines = [f"c\t{pos}\t.\t{ref}\t{','.join(alts)}\t.\t.\t.\n" for pos, (ref, *alts) in kept]
    (tmp_path / "x.vcf").write_text(header + "".join(lines))
    out = tmp_path / "normal.vcf"
    pysam.bcftools.norm("-f", str(reference), "-o", str(out), str(tmp_path / "x.vcf"), catch_stdout=False)
    with pysam.VariantFile(str(out)) as vcf:
        expected = [(one.pos, tuple(one.alleles or ())) for one in vcf]
    assert [(pos, without_common_end(alleles)) for pos, alleles in kept] == expected
    assert sum(alleles != without_common_end(alleles) for _, alleles in kept) > 30
    assert {has_deletion(alleles) for _, alleles in kept} == {True, False}
