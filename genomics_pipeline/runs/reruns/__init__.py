"""Reruns of the samples that failed or never started."""
