"""Runs on AWS: submission, state, logs, cancellation and redrive."""
