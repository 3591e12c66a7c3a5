"""The engine's bench, for the rules that only a running document shows."""

from tests.engine.conftest import bench

__all__ = ["bench"]
