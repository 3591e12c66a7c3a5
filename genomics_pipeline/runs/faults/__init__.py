"""Faults injected into a run on purpose."""
