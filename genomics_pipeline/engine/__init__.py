"""Runs state machine documents (Amazon States Language) on this machine. Knows nothing of genomics."""
