"""Features that an emulator lacks: cases that use one are not run on it.

Each feature has a one-line reason, and finds its cases by their content: every case with the field, even one whose
result would be right without the feature. The versions are moto 5.2.5 and ministack 1.5.33.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.cases import Case

FAST_FORWARD = "--fast-forward"


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that an emulator lacks.

    Attributes:
        reason: The reason for not running cases that use it, in one line.
        is_used: A test of a case for its use.
    """

    reason: str
    is_used: Callable[[Case], bool]


def _fields_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field of a definition with its value, at any depth; elements of arrays have an empty name."""
    members = value.items() if isinstance(value, dict) else (("", element) for element in value)
    for name, member in members:
        yield name, member
        if isinstance(member, dict | list):
            yield from _fields_of(member)


def _field(*names: str) -> Callable[[Case], bool]:
    """Match cases whose definition has a field of one of these names."""
    return lambda case: any(name in names for name, _ in _fields_of(case.definition))


def _value(field: str, *values: Any) -> Callable[[Case], bool]:
    """Match cases whose definition has this field with one of these values."""
    return lambda case: any(name == field and value in values for name, value in _fields_of(case.definition))


def _text(*parts: str) -> Callable[[Case], bool]:
    """Match cases with one of these parts in a string of the definition: a Resource, a path, an intrinsic function."""
    return lambda case: any(
        part in text for _, text in _fields_of(case.definition) if isinstance(text, str) for part in parts
    )


def _other_arguments(case: Case) -> bool:
    return bool(set(case.arguments) - {FAST_FORWARD})


def _short_bucket(case: Case) -> bool:
    return any(len(name.split("/", 1)[0]) < 3 for name in case.objects)


_COMMON = (
    Feature(
        "AWS refuses the document: the validation of emulators is not compared",
        lambda case: case.expected.problems is not None,
    ),
    Feature("a mock file is for Step Functions Local, which neither of them is", lambda case: case.mock is not None),
    Feature("its tasks are Python functions, by --task, which they lack", lambda case: bool(case.tasks)),
    Feature(
        "it starts other state machines, by --machine, which only our command takes", lambda case: bool(case.machines)
    ),
    Feature("it names its execution or its test by an argument of our command", _other_arguments),
    Feature("it has a bucket name of fewer than 3 characters, which S3 and they refuse", _short_bucket),
    Feature(
        "it ignores ResultWriter: no result files; developer guide, input-output-resultwriter", _field("ResultWriter")
    ),
    Feature("it has no Map.Item.Source; developer guide, input-output-contextobject", _text("Map.Item.Source")),
    Feature("it has no ItemBatcher; developer guide, input-output-itembatcher", _field("ItemBatcher")),
    Feature("it reads no Parquet; developer guide, input-output-itemreader", _value("InputType", "PARQUET")),
    Feature(
        "it reads no manifest, of S3 inventory or of Athena; developer guide, input-output-itemreader",
        lambda case: _value("InputType", "MANIFEST")(case) or _field("ManifestType")(case),
    ),
)
UNABLE = {
    "moto": (
        *_COMMON,
        Feature("it waits in real time", lambda case: FAST_FORWARD in case.arguments),
        Feature(
            "its JSONata needs a Java library that is not installed; AWS evaluates it",
            _value("QueryLanguage", "JSONata"),
        ),
        Feature(
            "its grammar has no EXPRESS children; developer guide, state-map-distributed",
            _value("ExecutionType", "EXPRESS"),
        ),
        Feature("its grammar has no CSVDelimiter; developer guide, input-output-itemreader", _field("CSVDelimiter")),
        Feature("its grammar has no ItemsPointer; developer guide, input-output-itemreader", _field("ItemsPointer")),
        Feature(
            "its grammar has no InputType JSONL; developer guide, input-output-itemreader", _value("InputType", "JSONL")
        ),
        Feature(
            "its grammar has no Transformation; developer guide, input-output-itemreader", _field("Transformation")
        ),
        Feature(
            "its listObjectsV2 ends in DescribeExecution 500; developer guide, input-output-itemreader",
            _text("arn:aws:states:::s3:listObjectsV2"),
        ),
        Feature(
            "its MathRandom gives the end of its range too, by chance; developer guide, intrinsic-functions",
            _text("States.MathRandom("),
        ),
        Feature(
            "it ignores the tolerated failure thresholds; AWS fails the Map Run above them",
            _field(
                "ToleratedFailureCount",
                "ToleratedFailureCountPath",
                "ToleratedFailurePercentage",
                "ToleratedFailurePercentagePath",
            ),
        ),
    ),
    "ministack": (
        *_COMMON,
        Feature(
            "its MathRandom ignores the seed, so it differs by chance; developer guide, intrinsic-functions",
            _text("States.MathRandom("),
        ),
        Feature(
            "it ignores the paths of thresholds; developer guide, state-map-distributed",
            _field("ToleratedFailureCountPath", "ToleratedFailurePercentagePath"),
        ),
    ),
}


def runs(case: Case, emulator: str) -> bool:
    """Return whether the emulator has every feature that a case needs."""
    return not any(feature.is_used(case) for feature in UNABLE[emulator])
