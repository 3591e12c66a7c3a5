"""Injection of faults into a run in a folder."""
