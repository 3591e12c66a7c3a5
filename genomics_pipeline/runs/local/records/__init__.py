"""Runs over records on this machine, in the folder of a run."""
