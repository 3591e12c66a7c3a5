from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.overrides import parse_assignments
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.catalog import load_pipeline


@pytest.fixture(scope="module")
def germline() -> Pipeline:
    return load_pipeline("germline")[0]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("ploidy=1", "expected STAGE.NAME=VALUE, such as variant_calling.ploidy=1"),
        ("variant_calling.ploidy", "expected STAGE.NAME=VALUE, such as variant_calling.ploidy=1"),
        ("", "expected STAGE.NAME=VALUE, such as variant_calling.ploidy=1"),
        ("variant_caling.ploidy=1", "unknown stage 'variant_caling'; did you mean 'variant_calling'?"),
        ("qc.x=1", "unknown stage 'qc'; known: alignment, variant_calling, aggregation, gather, annotation"),
        ("variant_calling.ploidi=1", "unknown parameter 'ploidi' of variant_calling; did you mean 'ploidy'?"),
        (
            "aggregation.x=1",
            "unknown parameter 'x' of aggregation; known: ploidy, regions, batch_size, prior, carrier_prior, min_qual, "
            "min_depth, max_strand_bias",
        ),
        ("gather.x=1", "unknown parameter 'x' of gather; known: none"),
        ("aggregation.ploidy=two", "expected an integer, found 'two'"),
        ("aggregation.ploidy=1.0", "expected an integer, found '1.0'"),
        ("aggregation.ploidy=", "expected an integer, found ''"),
        ("aggregation.ploidy=0", "expected an integer >= 1, found 0"),
        ("aggregation.ploidy=3", "expected an integer <= 2, found 3"),
        ("aggregation.min_qual=high", "expected a number, found 'high'"),
        ("aggregation.min_qual=nan", "expected a number, found nan"),
        ("aggregation.min_qual=inf", "expected a number, found inf"),
        ("aggregation.min_qual=-0.5", "expected a number >= 0, found -0.5"),
        ("alignment.mark_duplicates=no", "expected true or false, found 'no'"),
        ("alignment.format=sam", "expected one of bam, cram, found 'sam'"),
        ("alignment.format=", "expected a string, found ''"),
        ("variant_calling.regions=", "expected a file's path or URI, found ''"),
    ],
)
def test_a_wrong_assignment_is_refused(germline: Pipeline, assignment: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_assignments([assignment], germline, "/here")
    assert str(error.value) == f"--param {assignment}: {message}"


def test_all_wrong_assignments_are_reported_at_once(germline: Pipeline) -> None:
    with pytest.raises(UsageError) as error:
        parse_assignments(["x=1", "aggregation.ploidy=1", "alignment.format=sam", "qc.y=2"], germline, "/here")
    assert [str(problem) for problem in error.value.problems] == [
        "--param x=1: expected STAGE.NAME=VALUE, such as variant_calling.ploidy=1",
        "--param alignment.format=sam: expected one of bam, cram, found 'sam'",
        "--param qc.y=2: unknown stage 'qc'; known: alignment, variant_calling, aggregation, gather, annotation",
    ]


def test_assignments_have_the_types_of_their_parameters(germline: Pipeline) -> None:
    assignments = [
        "alignment.mark_duplicates=FALSE",
        "alignment.format=cram",
        "aggregation.ploidy=1",
        "aggregation.min_qual=1e1",
        "variant_calling.regions=panel.bed",
        "aggregation.ploidy=2",
    ]
    assert parse_assignments(assignments, germline, "/here") == {
        "alignment": {"mark_duplicates": False, "format": "cram"},
        "aggregation": {"ploidy": 2, "min_qual": 10.0},
        "variant_calling": {"regions": "/here/panel.bed"},
    }
