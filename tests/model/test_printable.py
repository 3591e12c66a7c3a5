"""Text from outside: control characters, lines, formulas and secrets."""

from __future__ import annotations

import csv
import io
import json

import pytest

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.printable import has_control, indented, printable, printable_line, table_cell
from genomics_pipeline.model.secrets import has_password, redact, refuse_password, without_password, without_secrets

HARMLESS = [chr(0x20), "~", "\xa0", "é", "日本", "🧬", "👩\u200d🔬", "می\u200cخواهم", "\ufffd"]
CONTROLS = [
    *map(chr, [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)]),
    *map(chr, [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xD800, 0xDFFF]),
]
# Characters without width: soft hyphen, spaces, joiners outside of the scripts that need them, marks, tags.
UNSEEN = [*map(chr, [0xAD, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2064, 0x206F, 0xFEFF, 0xFFF9, 0xE0001, 0xE0041])]


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_a_control_character_is_shown_as_its_number(control: str) -> None:
    assert printable(f"a{control}b") == f"a\\u{ord(control):04x}b"
    assert has_control(f"a{control}b")


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_a_character_that_cannot_be_seen_is_escaped(text: str) -> None:
    shown = printable(f"a{text}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert table_cell(f"a{text}b") == shown
    assert json.loads(f'"{shown}"') == f"a{text}b"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_characters_are_unchanged(text: str) -> None:
    assert printable(text) == table_cell(text) == text
    assert not has_control(text)


def test_json_keeps_its_value() -> None:
    value = {" ".join(CONTROLS): ["".join(HARMLESS), "\n\t\\"]}
    text = printable(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert not set(CONTROLS) & set(text)


def test_lines_cannot_be_forged() -> None:
    assert printable_line("failed\nsample2: done in 3.0 s\r\x1b[1A") == (
        "failed\\nsample2: done in 3.0 s\\u000d\\u001b[1A"
    )
    assert indented("failed\nerror: other") == "failed\n  error: other"


@pytest.mark.parametrize(
    "text",
    [
        *("=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(1)", " =1", "\xa0=1", "-", "+a", "-1.5.2", "'a", "''", '"=1+1"', ' "'),
        *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201"),  # full-width forms
    ],
)
def test_a_formula_becomes_text_that_can_be_read_back(text: str) -> None:
    cell = table_cell(text)
    assert cell == f"'{text}"
    assert next(csv.reader(io.StringIO(cell), delimiter="\t", quoting=csv.QUOTE_NONE)) == [f"'{text}"]


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1"])
def test_white_space_does_not_hide_a_formula(text: str) -> None:
    assert table_cell(text).startswith("'\\")


@pytest.mark.parametrize("text", ["-5", "+1.5", "-1e-9", "-.5", "1", "a=b", "s3://b/-x", ""])
def test_numbers_and_text_are_unchanged(text: str) -> None:
    assert table_cell(text) == text


SECRET_URIS = [
    ("https://ann:s3cret@host/a.csv", "https://***@host/a.csv"),
    ("https://s3cret@host/a.csv", "https://***@host/a.csv"),
    ("HTTPS://ann:s3cret@host/a.csv", "HTTPS://***@host/a.csv"),
    ("s3://AKIA:s3cret@bucket/a.csv", "s3://***@bucket/a.csv"),
    ("s3://AKIA:ab/s3cret+x@bucket/a.csv", "s3://***@bucket/a.csv"),
    ("ftp://ann:p@s3cret@host/a", "ftp://***@host/a"),
    ("https://b.s3.amazonaws.com/a.csv?X-Amz-Signature=s3cret&X-Amz-Date=s3cret", None),
    ("https://b/a.csv?x-amz-security-token=s3cret", None),
    ("https://b/a.csv?AWSAccessKeyId=s3cret&Signature=s3cret&Expires=1", None),
    ("https://b/a.csv?part=1&token=s3cret", "https://b/a.csv?part=1&token=***"),
    ("https://b/a.csv?access_token=s3cret", "https://b/a.csv?access_token=***"),
    ("https://b/a.csv?sv=1&sig=s3cret%3D", "https://b/a.csv?sv=1&sig=***"),
    ("https://b/a.csv?X-Goog-Signature=s3cret", None),
    ("https://b/a.csv?api_key=s3cret&apikey=s3cret", None),
    ("https://b/a.csv#access_token=s3cret", None),
    ("https://b/a.csv?%74oken=s3cret&to%6Ben=s3cret", None),
    ("https://b/a.csv?jwt=s3cret&sessionid=s3cret;session=s3cret", None),
    ("https://ann:it's3cret@host/a.csv", "https://***@host/a.csv"),
    ("https:/ann:s3cret@host/a.csv", "https:/***@host/a.csv"),
    ("https:\\\\ann:s3cret@host/a.csv", None),
]


@pytest.mark.parametrize("uri", ["https://ann:a s3cret@host/a", 'https://ann:"s3cret@host/a', "s3://k:a\ns3cret@b/a"])
def test_a_password_with_blanks_or_quotation_marks(uri: str) -> None:
    assert has_password(uri)
    assert "s3cret" not in without_password(uri) + without_secrets(uri)
    with pytest.raises(UsageError) as refused:
        refuse_password(uri, "SHEET")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "HTTPSConnectionPool(host='h', port=443): Max retries exceeded with url: /a.csv?token=s3cret&b=1 (Caused by x)",
        "GET /a.csv?X-Amz-Signature=s3cret&X-Amz-Security-Token=s3cret HTTP/1.1",
        "Authorization: Bearer s3cret",
        "'x-amz-security-token: s3cret'",
        "AWS_SECRET_ACCESS_KEY=s3cret aws_session_token = s3cret",
    ],
)
def test_secrets_in_messages_of_libraries_are_hidden(text: str) -> None:
    assert "s3cret" not in redact(text)


@pytest.mark.parametrize(("uri", "shown"), SECRET_URIS)
def test_secrets_of_a_uri_are_hidden(uri: str, shown: str | None) -> None:
    text = redact(f"error: '{uri}': expected a file, found none")
    assert "s3cret" not in text
    assert text.endswith("': expected a file, found none")
    if shown is not None:
        assert f"'{shown}'" in text
    assert "s3cret" not in without_secrets(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://host:8080/a@b.csv",
        "s3://bucket/ann@host/a.csv",
        "file:///a@b",
        "/data/a@b?token=1.csv",
        "a://b/c?part=1",
        "DP=3;KEY=4;SIG=1",
        "expected a token=NAME, found signature=x",
    ],
)
def test_uris_without_secrets_are_unchanged(uri: str) -> None:
    assert redact(uri) == uri
    assert not has_password(uri)
