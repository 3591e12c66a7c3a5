"""Names. AWS's messages: badmintoncryer/cdk-preflight, pf-sfn-asl-name-limits, -duplicate-state-name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PASS = {"Type": "Pass", "End": True}
LONG = "x" * 81


@pytest.mark.parametrize(
    ("name", "place", "value", "expected"),
    [
        (
            "jsonata:parallel",
            "States/S/Branches/1",
            {"StartAt": "A", "States": {"A": PASS}},
            ["/States/S/Branches[1]/States/A: DUPLICATE_STATE_NAME: Duplicate State name: A"],
        ),
        (
            "jsonpath:map",
            "States/M/ItemProcessor",
            {"StartAt": "M", "States": {"M": PASS}},
            ["/States/M/ItemProcessor/States/M: DUPLICATE_STATE_NAME: Duplicate State name: M"],
        ),
        (
            "jsonpath:map",
            "States/M/ItemProcessor",
            {"StartAt": LONG, "States": {LONG: PASS}},
            [
                f"/States/M/ItemProcessor/States/{LONG}: INVALID_STATE_NAME: "
                f"State name '{LONG}' exceeds the 80-character limit allowed by the service"
            ],
        ),
        ("jsonpath:map", "States/M/ItemProcessor", {"StartAt": LONG[1:], "States": {LONG[1:]: PASS}}, []),
        (
            "jsonata:map of maps",
            "States/M/ItemProcessor/States/I/Label",
            "Outer",
            ["/States/M/ItemProcessor/States/I/Label: DUPLICATE_LABEL_NAME: Duplicate Label name: Outer"],
        ),
        (
            "jsonata:result writer",
            "States/M/Label",
            LONG[:41],
            [
                f"/States/M/Label: INVALID_LABEL_NAME: Label '{LONG[:41]}' "
                "exceeds the 40-character limit allowed by the service"
            ],
        ),
        ("jsonata:result writer", "States/M/Label", LONG[:40], []),
        ("jsonata:result writer", "States/M/Label", "", ["/States/M/Label: INVALID_LABEL_NAME: Label cannot be empty"]),
        ("jsonata:result writer", "States/M/Label", 1, ["/States/M/Label: Expected value of type [STRING]"]),
        *(
            (
                "jsonata:result writer",
                "States/M/Label",
                f"a{character}b",
                [
                    f"/States/M/Label: INVALID_LABEL_NAME: Label 'a{character}b' "
                    f"contains the invalid character {character!r}"
                ],
            )
            for character in ' \t?*<>{}[]"#%\\^|~`$&,;:/\x00\x7f\x9f'
        ),
    ],
)
def test_problems_of_names(
    check: Callable[..., list[str]], name: str, place: str, value: Any, expected: list[str]
) -> None:
    assert check(name, place, value) == expected
