"""Names of FASTQ files, split into sample, lane and mates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model.fastq_names import FASTQ_NAME, FastqName, parse_fastq_name

# Words without a meaning of their own, with what is between them in names of samples.
samples = st.from_regex(r"[xyzq]{1,4}[0-9]{0,3}([._-][xyzq]{1,4}[0-9]{0,3}){0,3}", fullmatch=True)
lanes = st.sampled_from(["", "_L001", "_S1_L004", "-L02", "_lane3", "_S12"])
mates = st.sampled_from(
    [
        ("_R1", "_R2"),
        (".R1", ".R2"),
        ("-r1", "-r2"),
        ("_1", "_2"),
        (".1", ".2"),
        ("_1P", "_2P"),
        ("_read1", "_read2"),
        ("_read_1", "_read_2"),
        ("_Pair1", "_Pair2"),
        ("_pe1", "_pe2"),
        ("_fwd", "_rev"),
        ("_FORWARD", "_REVERSE"),
        ("_f", "_r"),
        ("_F", "_R"),
    ]
)
added = st.sampled_from(["", "_001", "_", "_trimmed", ".clean", "_001.fastp", ".paired", "_001_trimmed"])
trim_galore = st.sampled_from([("", ""), ("_val_1", "_val_2")])
endings = st.sampled_from([".fastq.gz", ".fq", ".fq.gz", ".fastq", ".fq.bgz", ".fastq.bgz"])


@given(samples, lanes, mates, added, trim_galore, endings)
def test_sample_lane_and_mates_are_found_in_every_usual_name(
    sample: str, lane: str, mates: tuple[str, str], added: str, trimmed: tuple[str, str], ending: str
) -> None:
    names: list[FastqName] = []
    for mate, value in zip(mates, trimmed, strict=True):
        match = FASTQ_NAME.fullmatch(f"{sample}{lane}{mate}{added}{value}{ending}")
        assert match
        names.append(parse_fastq_name(match["stem"]))
    first, second = (name.mate_tokens()[0] for name in names)
    assert (first.mate, second.mate) == (1, 2)
    assert first.pattern == second.pattern
    assert first.is_last
    expected = lane[1:].rpartition("_")[2] if "S12" not in lane else ""
    for name, token in zip(names, (first, second), strict=True):
        assert name.sample_and_lane(token, None) == (sample, expected or None)
        assert not any((name.no_sample, name.is_barcodes, name.is_unpaired))


@pytest.mark.parametrize("name", ["a", "a_b", "NA12878", "sample", "a_p1", "a_s1", "a_I", "R", "a_10000", "x_firmware"])
def test_names_without_mates(name: str) -> None:
    assert parse_fastq_name(name).mate_tokens() == []
    assert parse_fastq_name(name).sample_and_lane(None, None) == (name, None)


@pytest.mark.parametrize(
    ("name", "expected"), [("I1_a", False), ("a_I1", True), ("a_I2_001", True), ("a_I1_R1", False)]
)
def test_barcodes(name: str, expected: bool) -> None:
    assert parse_fastq_name(name).is_barcodes is expected
