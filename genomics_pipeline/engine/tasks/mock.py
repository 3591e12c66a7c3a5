"""Mocked service integrations, in the file format of AWS Step Functions Local.

``{"StateMachines": {NAME: {"TestCases": {CASE: {STATE: RESPONSE}}}}, "MockedResponses": {RESPONSE: {"0": {"Return": …},
"1-3": {"Throw": {"Error": …, "Cause": …}}}}}``
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.language.errors import RUNTIME, StatesError
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean

_RANGE = re.compile(r"(0|[1-9]\d*)(?:-(0|[1-9]\d*))?", re.ASCII)
_TOP = ("StateMachines", "MockedResponses")
Add = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class MockedResponse:
    """The response to a range of invocations of a state.

    Attributes:
        first: The number of the first invocation, from 0.
        last: The number of the last invocation.
        returned: ``Return``, any JSON value.
        thrown: Error and Cause of ``Throw``; None if the response is a ``Return``.
    """

    first: int
    last: int
    returned: Any
    thrown: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class MockFile:
    """A valid mock file.

    Attributes:
        cases: The name of the response of each mocked state, by state machine, test case and state.
        responses: The mocked responses, by name.
        file: The file's name.
    """

    cases: Mapping[str, Mapping[str, Mapping[str, str]]]
    responses: Mapping[str, tuple[MockedResponse, ...]]
    file: str

    def check_states(self, machine: str, tasks: Collection[str]) -> None:
        """Refuse a file that mocks states other than Tasks of the state machine.

        Args:
            machine: The state machine's name.
            tasks: The names of its Task states.

        Raises:
            DataError: with all such states.
        """
        problems = [
            Problem(
                f"expected a Task of the state machine, found {state!r}; {did_you_mean(state, sorted(tasks))}",
                self.file,
                column=f"$.StateMachines.{machine}.TestCases.{case}.{state}",
            )
            for case, mocked in self.cases.get(machine, {}).items()
            for state in mocked
            if state not in tasks
        ]
        if problems:
            raise DataError(problems)


def parse_mock_file(content: Any, file: str) -> MockFile:
    """Parse the content of a mock file.

    Args:
        content: The JSON value in the file.
        file: The file's name, for messages.

    Raises:
        DataError: with all problems, each with its JSON path.
    """
    problems: list[Problem] = []

    def add(path: str, message: str) -> None:
        problems.append(Problem(message, file, column=path))

    top = _object(content, "$", "an object", add)
    for name in top:
        if name not in _TOP:
            add(f"$.{name}", f"unknown field; {did_you_mean(name, _TOP)}")
    for name in _TOP:
        if name not in top and isinstance(content, dict):
            add(f"$.{name}", "expected an object, found none")
    raw = _object(top.get("MockedResponses", {}), "$.MockedResponses", "an object of responses", add)
    responses = {name: tuple(_responses(one, f"$.MockedResponses.{name}", add)) for name, one in raw.items()}
    machines = _object(top.get("StateMachines", {}), "$.StateMachines", "an object of state machines", add)
    cases = {name: _cases(one, f"$.StateMachines.{name}", responses, add) for name, one in machines.items()}
    if problems:
        raise DataError(problems)
    return MockFile(cases, responses, file)


def _object(value: Any, path: str, expected: str, add: Add) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    add(path, f"expected {expected}, found {_kind(value)}")
    return {}


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _cases(machine: Any, path: str, responses: Collection[str], add: Add) -> dict[str, dict[str, str]]:
    fields = _object(machine, path, 'an object with "TestCases"', add)
    if "TestCases" not in fields and isinstance(machine, dict):
        add(f"{path}.TestCases", "expected an object of test cases, found none")
    cases = _object(fields.get("TestCases", {}), f"{path}.TestCases", "an object of test cases", add)
    states_by_case: dict[str, dict[str, str]] = {}
    for case, states in cases.items():
        case_path = f"{path}.TestCases.{case}"
        states_by_case[case] = _object(states, case_path, "an object of states and their responses", add)
        for state, response in states_by_case[case].items():
            if not isinstance(response, str):
                add(f"{case_path}.{state}", f"expected the name of a mocked response, found {_kind(response)}")
            elif response not in responses:
                hint = did_you_mean(response, sorted(responses))
                add(f"{case_path}.{state}", f"expected a response of MockedResponses, found {response!r}; {hint}")
    return states_by_case


def _responses(response: Any, path: str, add: Add) -> Iterator[MockedResponse]:
    taken: list[tuple[int, int, str]] = []
    for key, answer in _object(response, path, "an object of invocations and their answers", add).items():
        key_path = f"{path}.{key}"
        invocations = _RANGE.fullmatch(key)
        first, last = (int(invocations[1]), int(invocations[2] or invocations[1])) if invocations else (0, -1)
        if last < first:
            add(key_path, f'expected invocations as "0" or "1-3", found {key!r}')
        elif other := next((known for low, high, known in taken if first <= high and low <= last), None):
            add(key_path, f"overlaps {other!r}; each invocation has one answer")
        taken.append((first, last, key))
        fields = _object(answer, key_path, 'an object with "Return" or "Throw"', add)
        if isinstance(answer, dict) and sorted(fields) not in (["Return"], ["Throw"]):
            add(key_path, f'expected either "Return" or "Throw", found {", ".join(fields) or "neither"}')
        thrown = _throw(fields["Throw"], f"{key_path}.Throw", add) if "Throw" in fields else None
        yield MockedResponse(first, last, fields.get("Return"), thrown)


def _throw(throw: Any, path: str, add: Add) -> tuple[str, str]:
    fields = _object(throw, path, 'an object with "Error" and "Cause"', add)
    for name, value in fields.items():
        if name not in ("Error", "Cause"):
            add(f"{path}.{name}", f"unknown field; {did_you_mean(name, ('Error', 'Cause'))}")
        elif not isinstance(value, str):
            add(f"{path}.{name}", f"expected a string, found {_kind(value)}")
    if "Error" not in fields and isinstance(throw, dict):
        add(f"{path}.Error", "expected the error's name, found none")
    return str(fields.get("Error", "")), str(fields.get("Cause", ""))


class Mocks:
    """The handler of the Tasks that a test case of a mock file names; other states are not mocked.

    Invocations of a state are numbered across retries, loops, and iterations or children of a Map. An invocation
    without an answer ends with ``States.Runtime``, as in Step Functions Local. A resumed execution counts from 0 again.

    Args:
        file: The mock file.
        case: The test case's name; it applies to all state machines in the file with a test case of that name.
    """

    def __init__(self, file: MockFile, case: str) -> None:
        self._file = file
        self._case = case
        self._invocations: dict[tuple[str, str], int] = {}

    def is_mocked(self, machine: str, state: str) -> bool:
        """Return whether a state is mocked."""
        return self._response(machine, state) is not None

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Answer the next invocation of a state.

        Returns:
            The value of ``Return``.

        Raises:
            StatesError: that of ``Throw``; ``States.Runtime`` if there is no answer to this invocation.
        """
        name = self._response(context.machine, context.state)
        assert name is not None, "only mocked states get here"
        key = _root(context.machine), context.state
        number = self._invocations.get(key, 0)
        self._invocations[key] = number + 1
        for response in self._file.responses[name]:
            if response.first <= number <= response.last:
                if response.thrown:
                    raise StatesError(*response.thrown)
                return response.returned
        cause = f"The mocked response '{name}' of the state '{context.state}' has no answer for invocation {number}."
        raise StatesError(RUNTIME, cause)

    def _response(self, machine: str, state: str) -> str | None:
        return self._file.cases.get(_root(machine), {}).get(self._case, {}).get(state)


def _root(machine: str) -> str:
    """Return the name of the state machine whose document contains a machine: ``NAME`` of a child's ``NAME/LABEL``."""
    return machine.split("/")[0]
