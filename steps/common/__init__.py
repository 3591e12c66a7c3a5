"""Modules that the programs of several steps share; they are part of each step that declares ``common = true``."""
