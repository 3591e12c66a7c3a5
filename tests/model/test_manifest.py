from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.manifest import manifest_lines, parse_sheet
from genomics_pipeline.model.sample import Lane, Sample

ROOT = Path(__file__).parents[2]
COLUMNS = ("patient", "sex", "status", "sample", "lane", "library", "fastq_1", "fastq_2")
Row = dict[str, str]

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
# Any characters of a path, with quotes, delimiters and every line break that is not a control character.
stems = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="/:"), max_size=12)
endings = st.sampled_from([".fastq.gz", ".fq.gz", ".fastq", ".fq", ".FASTQ.gz", ".Fq.GZ", ".fastq.1.gz", ".fq_2"])


@st.composite
def sheets(draw: st.DrawFn) -> list[Row]:
    """Generate rows of a valid sheet, with the lanes of its samples in any order."""
    rows: list[Row] = []
    for sample in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        fixed = {
            "patient": draw(st.just("") | names),
            "sex": draw(st.sampled_from(["", "XX", "XY", "NA"])),
            "status": draw(st.sampled_from(["", "0", "1"])),
            "sample": sample,
        }
        lanes = draw(st.lists(names, min_size=1, max_size=3, unique=True))
        rows += [{**fixed, "lane": lane} for lane in lanes]
    rows = draw(st.permutations(rows))
    for number, row in enumerate(rows):
        row["fastq_1"] = f"r{number}/x{draw(stems)}_1{draw(endings)}"
        row["fastq_2"] = draw(st.just("") | st.builds(f"m{number}/x{{}}_2{{}}".format, stems, endings))
    return rows


def to_delimited(rows: list[Row], delimiter: str, line_end: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter, lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@settings(max_examples=150)
@given(rows=sheets(), line_end=st.sampled_from(["\n", "\r\n"]))
def test_every_format_of_a_sheet_gives_the_same_samples(rows: list[Row], line_end: str) -> None:
    samples = parse_sheet(json_lines(rows), "x.jsonl", "/data")
    assert parse_sheet(to_delimited(rows, ",", line_end), "x.csv", "/data") == samples
    assert parse_sheet(to_delimited(rows, "\t", line_end), "X.TSV", "/data") == samples
    bare = [{column: value for column, value in row.items() if value} for row in rows]
    assert parse_sheet(json_lines(bare), "x.ndjson", "/data") == samples

    assert [sample.sample for sample in samples] == list(dict.fromkeys(row["sample"] for row in rows))
    for sample in samples:
        its_rows = [row for row in rows if row["sample"] == sample.sample]
        assert [lane.lane for lane in sample.lanes] == [row["lane"] for row in its_rows]
        assert [bool(lane.fastq_2) for lane in sample.lanes] == [bool(row["fastq_2"]) for row in its_rows]
        assert (sample.patient, sample.sex) == (its_rows[0]["patient"] or sample.sample, its_rows[0]["sex"] or "NA")
        assert sample.status == int(its_rows[0]["status"] or 0)


@settings(max_examples=100)
@given(sheets())
def test_a_manifest_is_a_sheet_of_the_same_samples(rows: list[Row]) -> None:
    samples = parse_sheet(json_lines(rows), "x.jsonl", "/data")
    lines = list(manifest_lines(samples))
    assert len(lines) == len(samples)
    rows_again = [
        {**{key: line[key] for key in ("patient", "sex", "status", "sample")}, **lane}
        for line in map(json.loads, lines)
        for lane in line["lanes"]
    ]
    assert parse_sheet(json_lines(rows_again), "x.jsonl", "/elsewhere") == samples


def is_accepted(row: Any) -> bool:
    try:
        parse_sheet(json.dumps(row), "x.jsonl", "/data")
    except DataError:
        return False
    return True


# Values that differ from valid or invalid ones by one character.
cells = st.one_of(
    st.sampled_from(
        ["a", "-a", ".a", "a b", "../x", "a" * 64, "a" * 65, "a\n", "é", "XX", "XY", "NA", "xx", "0", "1", "2"]
    ),
    st.sampled_from(
        ["a.fastq.gz", "b.fq", "c.fastq", "d.fq.gz", ".fastq", "a.fastq.gz ", "a.bam", "a.FASTQ", "a.fqgz"]
    ),
    st.sampled_from(
        ["s3://b/a.fq", "file:///a.fq", "http://x/a.fq", "S3://b/a.fq", "://a.fq", "s3:/b/a.fq", "s3//a.fq"]
    ),
    st.builds(
        "{}://{}/{}{}{}".format,
        st.sampled_from(["https", "http", "HTTPS"]),
        st.sampled_from(["x", "127.0.0.1", "localhost:8000", ""]),
        st.sampled_from(["a.fq", "a/b.FASTQ.gz", "a.txt", "a b.fq"]),
        st.sampled_from(["", "?a=1", "?a.fq"]),
        st.sampled_from(["", f"#md5={'0a' * 16}", f"#md5={'0a' * 15}", f"#sha256={'0A' * 32}", "#a.fq"]),
    ),
    st.sampled_from([0, 1, 2, True, False, 1.5, [], {}, ["a"]]),
    names,
    st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=":"), min_size=1, max_size=8),
)


@settings(max_examples=500)
@given(
    st.fixed_dictionaries(
        {"sample": cells | names, "fastq_1": cells},
        optional={
            **dict.fromkeys(["patient", "sex", "status", "lane", "library"], cells),
            "fastq_2": cells,
            "Sample": cells,
        },
    )
)
def test_the_schema_and_the_parser_accept_the_same_rows(row: dict[str, Any]) -> None:
    if row.get("fastq_2") == row["fastq_1"]:
        del row["fastq_2"]  # a rule between columns, which the schema cannot express
    assert is_accepted(row) == is_valid(row)


def is_valid(row: Any) -> bool:
    """Tell whether a row is valid by the schema, whose `$` is the end of the text, unlike Python's."""
    texts = [value for value in row.values() if isinstance(value, str)]
    return not any(text.endswith("\n") for text in texts) and VALIDATOR.is_valid(row)


VALIDATOR = Draft202012Validator(json.loads((ROOT / "manifests" / "samplesheet.schema.json").read_text("utf-8")))


@pytest.mark.parametrize("missing", ["sample", "fastq_1"])
def test_the_schema_and_the_parser_require_the_same_columns(missing: str) -> None:
    row = {"sample": "a", "fastq_1": "a.fastq"}
    assert is_accepted(row) == is_valid(row) is True
    del row[missing]
    assert is_accepted(row) == is_valid(row) is False


@pytest.mark.parametrize("start", ["alignment", "variant_calling", "calling"])
@pytest.mark.parametrize("file", ["a.fastq", "a.bam", "a.cram", "a.g.vcf.gz", "SRR000001"])
def test_the_schema_and_the_parser_accept_the_same_starts(file: str, start: str) -> None:
    column = {"fastq": "fastq_1", "gz": "gvcf", "SRR000001": "accession"}.get(ending := file.rpartition(".")[2], ending)
    row = {"sample": "a", column: file, "start": start}
    accepted = column in {"alignment": ("fastq_1", "bam", "cram", "accession"), "variant_calling": ("bam", "cram")}.get(
        start, ()
    )
    assert (is_accepted(row), is_valid(row)) == (accepted, accepted)


def test_a_file_that_is_taken_as_aligned() -> None:
    text = "sample,bam,cram,start\na,a.bam,,variant_calling\nb,,b.cram,\nc,c.bam,,alignment\n"
    samples = parse_sheet(text, "sheet.csv", "/data")
    assert [lane.start for sample in samples for lane in sample.lanes] == ["variant_calling", None, None]
    lines = list(manifest_lines(samples))
    assert json.loads(lines[0])["lanes"] == [{"lane": "L001", "bam": "/data/a.bam", "start": "variant_calling"}]
    assert [sample.lanes for sample in parse_sheet("\n".join(unnested(lines)), "m.jsonl", "/data")] == [
        sample.lanes for sample in samples
    ]


def unnested(lines: list[str]) -> list[str]:
    """Return the rows of a sheet that lines of a manifest with one lane each are made of."""
    rows = [json.loads(line) for line in lines]
    return [json.dumps({"sample": row["sample"], **row["lanes"][0]}) for row in rows]


def test_the_example_sheet_is_valid() -> None:
    text = (ROOT / "manifests" / "example.csv").read_text("utf-8")
    mother, father = parse_sheet(text, "example.csv", "/data")
    reads = "/data/reads"
    assert mother == Sample(
        "mother",
        "family1",
        "XX",
        0,
        tuple(
            Lane(f"L00{n}", f"{reads}/mother_S1_L00{n}_R1_001.fastq.gz", f"{reads}/mother_S1_L00{n}_R2_001.fastq.gz")
            for n in (1, 2)
        ),
    )
    assert father.lanes == (
        Lane("L001", "s3://my-bucket/reads/father_R1.fastq.gz", "s3://my-bucket/reads/father_R2.fastq.gz"),
    )


def test_manifest_lines() -> None:
    samples = [
        Sample("b", "p1", "XX", 1, (Lane("L001", "/r/b_1.fq", "/r/b_2.fq"), Lane("L002", "/r/Ü b.fq", library="pcr"))),
        Sample("a", "a", "NA", 0, (Lane("L001", "s3://x/a.fq.gz"),)),
    ]
    assert "".join(manifest_lines(samples)) == (
        '{"sample":"b","patient":"p1","sex":"XX","status":1,"lanes":['
        '{"lane":"L001","fastq_1":"/r/b_1.fq","fastq_2":"/r/b_2.fq"},'
        '{"lane":"L002","fastq_1":"/r/Ü b.fq","fastq_2":null,"library":"pcr"}]}\n'
        '{"sample":"a","patient":"a","sex":"NA","status":0,"lanes":['
        '{"lane":"L001","fastq_1":"s3://x/a.fq.gz","fastq_2":null}]}\n'
    )
    assert not list(manifest_lines([]))


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("/data", "reads/a.fq", "/data/reads/a.fq"),
        ("/data", "../a.fq", "/data/../a.fq"),
        ("/data", "/other/./a.fq", "/other/a.fq"),
        ("/data", "s3://b/a.fq", "s3://b/a.fq"),
        ("s3://b", "reads/a.fq", "s3://b/reads/a.fq"),
        ("s3://b/sheets", "../reads/a.fq", "s3://b/reads/a.fq"),
        ("s3://b/sheets", "/data/a.fq", "/data/a.fq"),
    ],
)
def test_paths_are_relative_to_the_sheet(base: str, path: str, expected: str) -> None:
    (sample,) = parse_sheet(f"sample,fastq_1\na,{path}\n", "x.csv", base)
    assert sample.lanes[0].fastq_1 == expected


def test_reads_may_be_relative_to_a_web_address() -> None:
    (sample,) = parse_sheet("sample,fastq_1\na,../a.fq\n", "https://x/b/c.csv", "https://x/b")
    assert sample.lanes[0].fastq_1 == "https://x/a.fq"


@pytest.mark.parametrize("name", ["cohort.csv.gz", "cohort.csv.bz2", "COHORT.CSV"])
def test_the_format_follows_from_the_name(name: str) -> None:
    assert [sample.sample for sample in parse_sheet("sample,fastq_1\r\n\r\n a , a.fq \r\n", name, "/")] == ["a"]
