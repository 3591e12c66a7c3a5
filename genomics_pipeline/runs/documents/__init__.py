"""Execution of any state machine document on this machine."""
