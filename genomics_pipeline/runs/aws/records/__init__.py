"""Runs over records on AWS: their submission, state, failures and reruns."""
