"""Modules that the programs of several steps share: part of each step that declares ``common = true``."""
