"""Runs a state machine document on this machine. Knows the language, not genomics."""
