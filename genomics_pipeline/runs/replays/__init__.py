"""Replays: a task of a run, run again on this machine, in a folder of its own."""
