"""Injection of faults into a run."""
