"""The cost of parsing, which is bounded whatever the expression."""

from __future__ import annotations

import re
from typing import Any

import pytest

from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.jsonata.library import JException, Parser, tokenizer
from genomics_pipeline.language.jsonata.messages import code_and_sentence
from genomics_pipeline.language.jsonata.syntax_tree import parse
from genomics_pipeline.language.validation.expressions import jsonata_problems
from genomics_pipeline.language.validation.validate import diagnose


def test_an_expression_of_very_many_symbols_is_refused_at_its_place() -> None:
    text = "{% [" + ",".join("1" * 30_000) + "] %}"
    state = {"Type": "Pass", "End": True, "Assign": {"x": text}}
    problems = diagnose({"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}})
    assert [(problem.path, problem.message) for problem in problems] == [
        ("/States/S/Assign/x", "An expression may have at most 50,000 symbols, found more")
    ]


def test_an_expression_of_many_symbols_is_evaluated() -> None:
    assert evaluate("{% $sum([" + ",".join("1" * 2_000) + "]) %}", {}, "Output") == 2_000


def test_a_node_of_the_tree_keeps_only_the_attributes_that_it_sets() -> None:
    assert len(vars(parse("[1, 2]").expressions[0])) < len(vars(Parser.Symbol)) / 3
    assert Parser.Symbol(None).steps is None


@pytest.mark.parametrize("pattern", ["[!-\uffff]" * 100, "(a{1000}){1000}", r"[\u0000-\uffff]{9999}", "(a|b)" * 99])
def test_a_check_of_a_document_compiles_no_regular_expression(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Any] = []
    monkeypatch.setattr(re, "compile", lambda *arguments: compiled.append(arguments))
    assert jsonata_problems("{% $match('a', /" + pattern + "/i) %}") == []
    assert compiled == []


@pytest.mark.parametrize("pattern", ["(a", "[b-a]", "a**", "a{99999999999}"])
def test_a_wrong_regular_expression_is_refused_before_it_is_evaluated(pattern: str) -> None:
    assert [code for code, _ in jsonata_problems("{% $match('a', /" + pattern + "/) %}")] == [
        "INVALID_JSONATA_EXPRESSION"
    ]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'a\"b'", 'a"b'),
        ('"it\'s"', "it's"),
        (r"'\"\\\/\b\f\n\r\t'", '"\\/\b\f\n\r\t'),
        (r"'\u0041\u00e9\ud83d\ude00'", "Aé\ud83d\ude00"),
        ("'a\nb'", "a\nb"),
        ("''", ""),
        (" \t\r\n'x'", "x"),
    ],
)
def test_string_literals(literal: str, value: str) -> None:
    assert parse(literal).value == value


@pytest.mark.parametrize(
    ("literal", "code"),
    [("'abc", "S0101"), ("'abc\"", "S0101"), (r"'a\'", "S0103"), (r"'\q'", "S0103"), (r"'\u41'", "S0104")],
)
def test_wrong_string_literals(literal: str, code: str) -> None:
    with pytest.raises(JException) as failed:
        parse(literal)
    assert code_and_sentence(failed.value)[0] == code


def test_a_string_literal_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer.Tokenizer.__base__, "next", lambda self, prefix: None)  # it reads single characters
    assert parse("'" + "x" * 1_000 + "'").value == "x" * 1_000
