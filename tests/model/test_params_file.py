"""Files of parameters: TOML and JSON, and what is refused of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.overrides import assignments, parse_assignments
from genomics_pipeline.model.params_file import parse_params_file
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.catalog import load_pipeline

TOML = '[alignment]\nformat = "cram"\n\n[variant_calling]\nploidy = 1\nmin_qual = 20.0\nregions = "../a.bed"\n'
JSON = """{
  "alignment": {"format": "cram"},
  "variant_calling": {
    "ploidy": 1, "min_qual": 20.0,
    "regions": "../a.bed", "unit_bp": null
  }
}"""


@pytest.fixture(scope="module")
def germline() -> Pipeline:
    return load_pipeline("germline")[0]


@pytest.mark.parametrize(("name", "text"), [("p.toml", TOML), ("p.json", JSON)])
def test_toml_and_json_say_the_same(germline: Pipeline, name: str, text: str) -> None:
    values = parse_params_file(text, file=f"/data/set/{name}", pipeline=germline).values
    called = {"ploidy": 1, "min_qual": 20, "regions": "/data/set/../a.bed"}
    assert values == {"alignment": {"format": "cram"}, "variant_calling": called}
    assert isinstance(values["variant_calling"]["min_qual"], int)  # as the step's default: nothing has changed


@pytest.mark.parametrize(
    ("name", "text", "messages"),
    [
        (
            "p.toml",
            '[aligment]\nformat = "cram"\n[variant_calling]\nploidi = 1\nmin_depth = -1\n[alignment]\nformat = true\n',
            [
                "p.toml:1:aligment: unknown stage 'aligment'; did you mean 'alignment'?",
                "p.toml:4:variant_calling.ploidi: unknown parameter 'ploidi'; did you mean 'ploidy'?",
                "p.toml:5:variant_calling.min_depth: expected an integer >= 0, found -1",
                "p.toml:7:alignment.format: expected a string, found True",
            ],
        ),
        (
            "p.json",
            '{"alignment": {"format": "cram"},\n "variant_calling": {\n  "ploidi": 1,\n  "min_qual": null}}',
            [
                "p.json:3:variant_calling.ploidi: unknown parameter 'ploidi'; did you mean 'ploidy'?",
                "p.json:4:variant_calling.min_qual: expected a value, found null; leave 'min_qual' out for 20",
            ],
        ),
        ("p.toml", "ploidy = 1\n", ["p.toml:1:ploidy: expected a table, found 1"]),
        ("p.json", "[]", ["p.json: expected an object, found []"]),
        ("p.json", '{\n"a"}', ["p.json:2:4: expected JSON: Expecting ':' delimiter"]),
        ("p.toml", "a = \n", ["p.toml:1:5: expected TOML: Invalid value"]),
        (
            "p.toml",
            "[alignment]\nformat = [1]\n",
            ["p.toml:2:alignment.format: expected a string or a number or true or false, found [1]"],
        ),
    ],
)
def test_a_wrong_file_is_refused_with_lines(germline: Pipeline, name: str, text: str, messages: list[str]) -> None:
    with pytest.raises(DataError) as error:
        parse_params_file(text, file=name, pipeline=germline)
    assert list(map(str, error.value.problems)) == messages


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "alignment": st.fixed_dictionaries({}, optional={"mark_duplicates": st.booleans()}),
        "variant_calling": st.fixed_dictionaries(
            {},
            optional={
                "min_qual": st.floats(0, 1e300) | st.integers(0, 1 << 50),
                "regions": st.text("ab=. '\"", min_size=1).map("/".__add__),
            },
        ),
    },
)


@given(values=VALUES)
@settings(max_examples=50)
def test_values_as_assignments_mean_the_same(germline: Pipeline, values: dict[str, dict[str, object]]) -> None:
    import json

    settled = parse_params_file(json.dumps(values), file="/p.json", pipeline=germline).values
    read_again = parse_assignments(list(assignments(settled)), germline, "/elsewhere")
    assert read_again == {stage: given for stage, given in settled.items() if given}
