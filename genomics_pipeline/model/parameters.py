"""Parameters of steps: their types, and the checks of values."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.s3_uri import object_misfit
from genomics_pipeline.model.secrets import REFUSAL, has_password, without_password

Value = str | int | float | bool | None

EXPECTED = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "file": "a file's path or URI",
}


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """A parameter of a step. Without a default it may be omitted, and its value is then null.

    Attributes:
        type: string, integer, number, boolean or file.
        default_on_aws: The value on AWS if neither the pipeline nor the user gives one; None for `default`.
        minimum: Least value, for integer and number.
        maximum: Greatest value, for integer and number.
        format: The format of a file whose content is checked before a run: ``bed``, ``genetic_map``, ``gff3``,
            ``panel``, ``people`` (of the panel), ``ploidy`` or ``vcf``; None for any.
        indexes: The suffixes of the indexes, one of which must be beside the file.
        columns: The parameter with the columns that are taken from a file in VCF; see `model.annotation_columns`.
        ranged: Of a remote file that has an index, a program over an interval gets the header and the records of the
            item's regions, and of `margin_bp` bases on both sides of each.
        aligns: Files that are taken as aligned are refused while it has a value, since they would be left unchanged.
        required: A run needs a value, of the pipeline or of the user.
        pattern: A regular expression of the whole of a string; None for any string.
        expected: The strings that it matches, in words.
        architectures: The architectures of hosts whose images can do what it asks for; empty for all.
    """

    name: str
    type: str
    summary: str
    default: Value = None
    choices: tuple[Value, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    format: str | None = None
    default_on_aws: Value = None
    indexes: tuple[str, ...] = ()
    columns: str | None = None
    ranged: bool = False
    margin_bp: int = 0
    aligns: bool = False
    required: bool = False
    pattern: str | None = None
    expected: str = ""
    architectures: tuple[Architecture, ...] = ()


def misfit(spec: ParameterSpec, value: object) -> str | None:
    """Return what is wrong with a value, or None.

    >>> misfit(ParameterSpec("ploidy", "integer", "copies", minimum=1), 0)
    'expected an integer >= 1, found 0'
    """
    if not _has_type(spec.type, value):
        return f"expected {EXPECTED[spec.type]}, found {value!r}"
    if spec.type == "file" and isinstance(value, str) and has_password(value):
        return f"{REFUSAL}: {without_password(value)}"
    if spec.type == "file" and isinstance(value, str) and (message := object_misfit(value)):
        return message
    if spec.choices is not None and value not in spec.choices:
        return f"expected one of {', '.join(map(str, spec.choices))}, found {value!r}"
    if spec.pattern is not None and not re.fullmatch(spec.pattern, str(value)):
        return f"expected {spec.expected}, found {value!r}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        for bound, sign, broken in (
            (spec.minimum, ">=", spec.minimum is not None and value < spec.minimum),
            (spec.maximum, "<=", spec.maximum is not None and value > spec.maximum),
        ):
            if broken:
                return f"expected {EXPECTED[spec.type]} {sign} {bound}, found {value!r}"
    return None


def _has_type(kind: str, value: object) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "number"):
        number = not isinstance(value, bool) and isinstance(value, int if kind == "integer" else int | float)
        if isinstance(value, int):
            return number and abs(value) < 1 << 63
        return number and not (isinstance(value, float) and not isfinite(value))
    return isinstance(value, str) and value != ""


def resolve(specs: Mapping[str, ParameterSpec], overrides: Mapping[str, object]) -> dict[str, Value]:
    """Return the value of every parameter, in the step's order.

    Raises:
        UsageError: for an unknown parameter or a value that does not fit.
    """
    problems = override_problems(specs, overrides)
    if problems:
        raise UsageError([Problem(message, column=name) for name, message in problems])
    return {name: overrides.get(name, spec.default) for name, spec in specs.items()}  # type: ignore[misc]


def override_problems(specs: Mapping[str, ParameterSpec], overrides: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return pairs of a parameter's name and what is wrong, one for each override that cannot be used."""
    problems = []
    for name, value in overrides.items():
        if name not in specs:
            problems.append((name, f"unknown parameter {name!r}; {did_you_mean(name, list(specs))}"))
        elif value is not None and (message := misfit(specs[name], value)):
            problems.append((name, message))
    return problems


def lacking_values(specs: Mapping[str, ParameterSpec], values: Mapping[str, Value], stage: str = "") -> list[str]:
    """Return a message for each required parameter that has no value.

    Args:
        specs: The parameters by name.
        values: The values that are given.
        stage: The stage of a pipeline; empty for a step that is run alone.

    >>> spec = ParameterSpec("panel", "file", "Phased genotypes", required=True)
    >>> lacking_values({"panel": spec}, {}, "imputation")
    ['--param imputation.panel=FILE: expected a value, found none; it is required: Phased genotypes']
    """
    return [
        f"--param {stage}{'.' if stage else ''}{name}={'FILE' if spec.type == 'file' else 'VALUE'}: "
        f"expected a value, found none; it is required: {spec.summary}"
        for name, spec in specs.items()
        if spec.required and values.get(name, spec.default) is None
    ]


def parse_value(spec: ParameterSpec, text: str, base: str) -> Value:
    """Parse a value of the command line; a relative path is relative to `base`.

    Raises:
        ValueError: with the message for the user.
    """
    value: object = text
    try:
        if spec.type == "boolean":
            value = {"true": True, "false": False}.get(text.lower(), text)
        elif spec.type == "integer":
            value = int(text)
        elif spec.type == "number":
            value = float(text)
    except ValueError:
        pass
    if message := misfit(spec, value):
        raise ValueError(message)
    return settled_values({spec.name: spec}, {spec.name: value}, base)[spec.name]  # type: ignore[dict-item]


def settled_values(specs: Mapping[str, ParameterSpec], values: Mapping[str, Value], base: str) -> dict[str, Value]:
    """Return values as they are compared and used: 20.0 is 20, and a relative path is relative to `base`.

    Args:
        specs: The parameters by name.
        values: Values that fit them.
        base: A folder, as a path or URI.

    >>> specs = {"panel": ParameterSpec("panel", "file", ""), "min_qual": ParameterSpec("min_qual", "number", "")}
    >>> settled_values(specs, {"panel": "a.bed", "min_qual": 20.0}, "/data")
    {'panel': '/data/a.bed', 'min_qual': 20}
    """
    settled: dict[str, Value] = {}
    for name, value in values.items():
        if specs[name].type == "file" and isinstance(value, str):
            settled[name] = absolute_uri(value, base)
        else:
            settled[name] = int(value) if isinstance(value, float) and value.is_integer() else value
    return settled


def value_words(value: Value) -> str:
    """Return a parameter's value as it is written behind ``--param NAME=``.

    >>> value_words(True), value_words(20), value_words(None)
    ('true', '20', 'none')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def absolute_uri(uri: str, base: str) -> str:
    """Return a URI unchanged, and a relative path joined to the folder `base`, which is a path or URI itself.

    A path of this machine keeps its ``..``, because where that leads depends on symbolic links: see
    `stores.real_parents`. No ``..`` leads out of a bucket or host (RFC 3986, section 5.2.4).

    >>> absolute_uri("panel.bed", "/data"), absolute_uri("s3://b/panel.bed", "/data"), absolute_uri("../panel.bed", "s3://b/data")
    ('/data/panel.bed', 's3://b/panel.bed', 's3://b/panel.bed')
    >>> absolute_uri("../../other/panel.bed", "s3://b/data")
    's3://b/other/panel.bed'
    """
    if "://" in uri:
        return uri
    scheme, mark, folder = base.rpartition("://") if not uri.startswith("/") else ("", "", "")
    path = posixpath.join(folder, uri)
    if scheme not in ("", "file"):
        bucket, _, key = path.partition("/")
        return scheme + mark + bucket + posixpath.normpath("/" + key.lstrip("/"))
    root = "/" if path.startswith("/") else ""
    return scheme + mark + root + "/".join(part for part in path.split("/") if part not in ("", "."))
