from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genomics_pipeline.model import budgets, checked_sheet
from genomics_pipeline.model.checked_sheet import CheckedSheet, check_sheet
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.manifest import gvcf_lines, manifest_lines, parse_sheet
from genomics_pipeline.model.sample import Sample
from genomics_pipeline.model.sheet_records import lane_files, record_lines

HEADER = ["patient", "sex", "status", "sample", "lane", "library", "fastq_1", "fastq_2", "bam", "gvcf", "start", "note"]
NAMES = [f"S{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def _columns_of_small_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked_sheet, "SMALL_BYTES", -1)


def outcome(read: Callable[[Callable[[Problem], None]], CheckedSheet]) -> tuple[object, ...]:
    """Return all that a user sees of a sheet: the samples and the lines, or the problems; and the warnings."""
    warnings: list[Problem] = []
    try:
        sheet = read(warnings.append)
    except DataError as error:
        return error.problems, warnings
    samples = list(sheet)
    lines = [(lane.line, one.line) for one in samples for lane in one.lanes]
    assert (sheet.samples, sheet.lanes) == (len(samples), len(lines))
    assert "".join(sheet.json_texts()) == "".join([*manifest_lines(samples), *gvcf_lines(samples)])
    assert "".join(sheet.record_texts()) == "".join(map(record_lines, samples))
    assert list(sheet.fastq_files()) == [file for one in samples for file in lane_files(one)]
    return samples, lines, warnings


def exact(data: bytes, name: str, base: str) -> tuple[object, ...]:
    return outcome(lambda warn: CheckedSheet(parse_sheet(data.decode(), name, base, warn)))


def by_columns(data: bytes, name: str, base: str) -> tuple[object, ...]:
    return outcome(lambda warn: check_sheet(data, name, base, warn))


def row(number: int, **values: str) -> dict[str, str]:
    """Return a plain row, by default the only one of its sample."""
    reads = {f"fastq_{mate}": f"s3://reads/run/S{number}_R{mate}.fastq.gz" for mate in (1, 2)}
    return {
        "patient": f"P{number}",
        "sex": "XX",
        "status": "0",
        "sample": f"S{number}",
        "lane": "L1",
        **reads,
        **values,
    }


# Values that are wrong, unusual, or those of other rows.
ODD = {
    "sample": ["", "-a", " S1 ", "S1", "S2", "a" * 65, "é", 'S"1', "S\t1"],
    "patient": ["", "P1", "P 1", "=1"],
    "sex": ["", "xx", "NA", "XY"],
    "status": ["", "1", "2"],
    "lane": ["", "L1", "L2", "L 2", "a/b"],
    "library": ["", "lib", "a,b"],
    "fastq_1": [
        *("", "a.fq", "../a.fastq", "x/reads_1.fastq.gz", "/data/x/reads_1.fastq.gz", "./x/reads_1.fastq.gz"),
        *("x//a.fastq.gz", "/d/a.FASTQ.gz", "/data/a.fasta", "/d/études/a b.fastq.gz", "/d/\u2028.fastq.gz"),
        *("s3://reads/run/S1_R1.fastq.gz", "s3://reads/run/S1_R2.fastq.gz", "s3:///a.fastq.gz", "https://h/a.fastq.gz"),
        *("http://h/a.fastq.gz", "https://u:p@h/a.fastq.gz", "https://h/a.fastq.gz?X-Amz-Signature=1"),
        *("/d/a,b.fastq.gz", '/d/a"b.fastq.gz', "/d/a\nb.fastq.gz"),
    ],
    "fastq_2": ["", "x/reads_1.fastq.gz", "/data/x/reads_1.fastq.gz", "s3://reads/run/S2_R1.fastq.gz", "é.fastq"],
    "bam": ["", "/data/a.bam", "/data/reads.bam", "b.BAM", "s3://b/one.bam"],
    "gvcf": ["", "/data/one.g.vcf.gz", "/data/two.gvcf.bgz", "x.vcf"],
    "start": ["", "alignment", "variant_calling", "end"],
    "note": ["", "a,b", 'he said "no"', "x" * 900, "ü"],
}


def written(value: str, quotes: str) -> str:
    """Return a field with quotation marks where they are ``needed``, around ``all`` or ``none``."""
    is_special = any(mark in value for mark in ',"\n')
    quoted = quotes == "all" or (quotes == "needed" and is_special)
    return '"' + value.replace('"', '""') + '"' if quoted else value


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, str]]:
    """Generate rows of which few are odd, and many share samples."""
    found = []
    for number in range(draw(st.integers(1, 9))):
        sample = draw(st.sampled_from([f"S{number}", f"S{number}", "S0", "S1"]))
        one = row(number, sample=sample, patient=sample, lane=f"L{number}")
        if draw(st.integers(0, 5)) == 0:
            one |= {"fastq_1": "", "fastq_2": "", "bam": f"/bams/S{number}.bam"}
        found.append(one)
    for _ in range(draw(st.integers(0, 2))):
        column = draw(st.sampled_from(HEADER))
        draw(st.sampled_from(found))[column] = draw(st.sampled_from(ODD[column]))
    return found


@st.composite
def sheets(draw: st.DrawFn) -> bytes:
    """Generate sheets in CSV, of which some are not well-formed."""
    headers = [HEADER[::-1], HEADER[3:], [*HEADER, "", ""], [*HEADER, "sample"], ["fastq2", *HEADER]]
    header = draw(st.sampled_from([HEADER] * 15 + headers))
    quotes = draw(st.sampled_from(["needed", "all", "none"]))

    def field(value: str) -> str:
        return written(value, quotes)

    lines = [",".join(map(field, header))]
    lines += [",".join(field(one.get(column, "")) for column in header) for one in draw(rows())]
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(1, len(lines) - 1))
        line = lines[place]
        damaged = [line + ",", line.rpartition(",")[0], "", "  ", ",,,", line + '"', f'"{line}', line + "\r"]
        lines.insert(place, draw(st.sampled_from(damaged)))
    end = draw(st.sampled_from(["\n"] * 6 + ["\r\n", "\r"]))
    return (end.join(lines) + draw(st.sampled_from(["", end, end + end]))).encode()


@settings(max_examples=150)
@given(sheets(), st.sampled_from(["/data", "s3://b/data", "/d@ta", "/data/.."]), st.sampled_from([200, 2]))
@example(b"sample,fastq_1\nS1,x/reads_1.fastq.gz\nS2,/data/x/reads_1.fastq.gz\n" + b"\n", "/data", 200)
def test_columns_and_rows_have_one_outcome(data: bytes, base: str, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genomics_pipeline.model.sheet_columns._FEW", 9.0)
        patch.setattr("genomics_pipeline.model.sheet_blocks.BLOCK_BYTES", 500)
        patch.setattr("genomics_pipeline.model.plain_rows.SLICE", 3)
        patch.setattr(budgets, "SHEET_ERRORS", budgets.Budget(most, "errors", ""))
        expected = exact(data, "cohort.csv", base)
        assert by_columns(data, "cohort.csv", base) == expected


@pytest.mark.parametrize("quotes", ["needed", "all"])
@pytest.mark.parametrize("column", HEADER)
def test_each_unusual_value_has_one_outcome(column: str, quotes: str) -> None:
    for value in ODD.get(column, []):
        for base in ("/data", "s3://b/data"):
            rows = [row(number) for number in range(20)] + [row(20, sample="S1", patient="P1", lane="L2")]
            rows[12][column] = rows[20][column] = value
            rows[15] |= {"fastq_1": "", "fastq_2": "", "bam": "/data/one.bam"}
            rows[16]["fastq_1"] = "x/reads_1.fastq.gz"
            for changed in ([12], [20], [12, 20]):
                some = [one for number, one in enumerate(rows) if number in changed or number not in (12, 20)]
                lines = [HEADER, *([one.get(name, "") for name in HEADER] for one in some)]
                text = "".join(",".join(written(one, quotes) for one in line) + "\n" for line in lines)
                assert by_columns(text.encode(), "cohort.csv", base) == exact(text.encode(), "cohort.csv", base)


def test_only_doubtful_rows_and_those_that_share_something_with_them_are_read_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[list[int]] = []

    def counted(text: str, *arguments: Any) -> list[Sample]:
        read.append(arguments[-1][1:])
        return parse_sheet(text, *arguments)

    monkeypatch.setattr("genomics_pipeline.model.sheet_columns.parse_sheet", counted)
    rows = [row(number) for number in range(100)]
    rows[10]["fastq_1"] = "/d/" + "é" * 500 + ".fastq.gz"  # long
    rows[20] |= {"sample": "S19", "patient": "P19"}  # with its lane
    rows[30]["fastq_2"] = rows[40]["fastq_1"]
    text = "\t".join(HEADER) + "\n" + "".join("\t".join(one.get(name, "") for name in HEADER) + "\n" for one in rows)
    found = by_columns(text.encode(), "cohort.tsv", "/data")
    assert read == [[12, 21, 22, 32, 42]]
    assert found == exact(text.encode(), "cohort.tsv", "/data")
    assert [problem.line for problem in found[0]] == [22, 42]  # type: ignore[attr-defined]
