"""Functions of the user in place of tasks, ``--task ARN=module:function``, from modules in the working directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from genomics_pipeline.engine.tasks.functions import Function
from genomics_pipeline.model.errors import UsageError, did_you_mean


def load_functions(assignments: Sequence[str]) -> dict[str, Function]:
    """Return the functions of ``--task`` by the ARN, or the name of a Lambda function, that each stands for.

    Raises:
        UsageError: for the first function that cannot be loaded.
    """
    folder = str(Path.cwd())
    if assignments and folder not in sys.path:
        sys.path.insert(0, folder)
    functions: dict[str, Function] = {}
    for assignment in assignments:
        resource, _, place = assignment.rpartition("=")
        module, _, name = place.partition(":")
        if not (resource and module and name):
            raise UsageError(f"--task {assignment}: expected ARN=module:function")
        if resource in functions:
            raise UsageError(f"--task {assignment}: this ARN already has a function")
        functions[resource] = _load(assignment, module, name)
    return functions


def _load(assignment: str, module: str, name: str) -> Function:
    try:
        loaded = import_module(module)
    except Exception as error:  # a user's module may raise anything when it is imported
        raise UsageError(f"--task {assignment}: cannot import {module}: {type(error).__name__}: {error}") from error
    function = getattr(loaded, name, None)
    if not callable(function):
        known = sorted(one for one, value in vars(loaded).items() if callable(value) and not one.startswith("_"))
        raise UsageError(f"--task {assignment}: {module} has no function {name!r}; {did_you_mean(name, known)}")
    return cast(Function, function)
