"""Import circles, of which the package has none, not even by imports in functions or for annotations."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

Imports = dict[str, set[str]]


def package_imports() -> Imports:
    """Return the modules that each module of the package imports anywhere in its file."""
    graph = grimp.build_graph("genomics_pipeline", exclude_type_checking_imports=False)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def find_circle(imports: Imports) -> list[str]:
    """Return the modules of one circle, beginning and ending with the same module; none if there is no circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_no_circle() -> None:
    imports = package_imports()
    assert find_circle(imports) == []
    assert imports["genomics_pipeline.runs.find_run"] >= {"genomics_pipeline.runs.backend"}


@pytest.mark.parametrize(
    ("importing", "imported"),
    [
        ("genomics_pipeline.model.parameters", "genomics_pipeline.model.pipeline"),
        ("genomics_pipeline.runs.backend", "genomics_pipeline.runs.find_run"),
    ],
)
def test_a_planted_circle_is_found(importing: str, imported: str) -> None:
    imports = package_imports()
    imports[importing].add(imported)
    assert {importing, imported} <= set(find_circle(imports))
