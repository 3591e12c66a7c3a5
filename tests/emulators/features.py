"""Features that an emulator lacks: a case that uses one is not run there.

Each feature says in one line what is missing, and finds the cases by what stands in them. moto 5.2.5, ministack
1.5.33. A predicate takes every case with the field, also one that would have ended alike in spite of the gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.cases import Case

FAST_FORWARD = "--fast-forward"


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that an emulator lacks.

    Attributes:
        why: Why a case that uses it is not run, in one line.
        used: Whether a case uses it.
    """

    why: str
    used: Callable[[Case], bool]


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field of a definition with its value, at any depth; an element of an array has no name."""
    members = value.items() if isinstance(value, dict) else (("", one) for one in value)
    for name, member in members:
        yield name, member
        if isinstance(member, dict | list):
            yield from _inside(member)


def _field(*names: str) -> Callable[[Case], bool]:
    """Match cases whose definition has a field of one of these names."""
    return lambda case: any(name in names for name, _ in _inside(case.definition))


def _value(field: str, *values: Any) -> Callable[[Case], bool]:
    """Match cases whose definition has this field with one of these values."""
    return lambda case: any(name == field and value in values for name, value in _inside(case.definition))


def _text(*parts: str) -> Callable[[Case], bool]:
    """Match cases with one of these parts in a string of the definition: a Resource, a path, an intrinsic function."""
    return lambda case: any(
        part in text for _, text in _inside(case.definition) if isinstance(text, str) for part in parts
    )


def _other_arguments(case: Case) -> bool:
    return bool(set(case.arguments) - {FAST_FORWARD})


def _short_bucket(case: Case) -> bool:
    return any(len(name.split("/", 1)[0]) < 3 for name in case.objects)


_OF_BOTH = (
    Feature(
        "AWS refuses the document: the validation of emulators is not our subject",
        lambda case: case.expected.problems is not None,
    ),
    Feature("a mock file is for Step Functions Local, which is none of them", lambda case: case.mock is not None),
    Feature("its tasks are Python functions, by --task: they have none", lambda case: bool(case.tasks)),
    Feature(
        "it starts other state machines, by --machine: only our command takes them", lambda case: bool(case.machines)
    ),
    Feature("it names its execution or its test by an argument of our command", _other_arguments),
    Feature("S3 has no bucket names of fewer than 3 characters, nor have theirs", _short_bucket),
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
        *_OF_BOTH,
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
        *_OF_BOTH,
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
    """Tell whether the emulator has every feature that a case needs."""
    return not any(feature.used(case) for feature in UNABLE[emulator])
