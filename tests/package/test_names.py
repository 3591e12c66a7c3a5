"""The names of classes, private ones included, each used for one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import genomics_pipeline

ROOT = Path(genomics_pipeline.__file__).parent


def class_names(module: ast.Module) -> set[str]:
    """Return the names of classes and of type aliases at the top of a module: ``Event = Started | Ended``."""
    classes = {node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
    aliases = {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.isupper() and target.id.lstrip("_")[:1].isupper()
    }
    return {name.lstrip("_") for name in classes | aliases}


def test_a_class_name_is_used_once() -> None:
    places = defaultdict(list)
    for path in sorted(ROOT.rglob("*.py")):
        for name in class_names(ast.parse(path.read_text())):
            places[name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
